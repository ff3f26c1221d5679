import { dataError } from '../definition.js';
import { cellError, type CellColumn } from './cells.js';
import type { Relation } from './relation.js';
import { quoted, type Session } from './session.js';

/** Numbers of each unit in a second, the largest unit first. */
export const PER_SECOND = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 } as const;
export const UNIT_WORDS = { s: 'seconds', ms: 'milliseconds', us: 'microseconds', ns: 'nanoseconds' } as const;
export type Unit = keyof typeof PER_SECOND;

/** Numbers of at least this size are of the unit, where the unit must be told: 1e11 s is the year 5138, 1e11 ms is 1973. */
const FROM = { s: 0, ms: 1e11, us: 1e14, ns: 1e17 } as const;
/** Times outside of these years are of another unit than was said. */
const FIRST_SECOND = Date.UTC(1980) / 1000;
const LAST_SECOND = Date.UTC(2200) / 1000;

/**
 * Times in Unix seconds, out of numbers of a unit that is said or told from their size.
 *
 * @throws {ConfigError} when they are of several units, or of another than was said
 */
export async function scaleTimes(
  raw: Float64Array,
  options: {
    readonly session: Session;
    readonly relation: Relation;
    readonly key: string;
    readonly column: CellColumn;
    readonly unit: 'auto' | Unit;
    readonly isMoment: boolean;
  },
): Promise<{ readonly time: Float64Array; readonly note: string }> {
  const { session, relation, key, column, isMoment } = options;
  const counts: Record<Unit, number> = { s: 0, ms: 0, us: 0, ns: 0 };
  let numUnknown = 0;
  for (let row = 0; row < raw.length; row++) {
    const value = raw[row] as number;
    if (Number.isNaN(value)) numUnknown++;
    else counts[unitOf(value)]++;
  }
  const units = (Object.keys(counts) as Unit[]).filter((unit) => counts[unit] > 0);
  const most = units.reduce<Unit>((a, b) => (counts[b] > counts[a] ? b : a), units[0] ?? 's');
  if (options.unit === 'auto' && units.length > 1) {
    const rare = units.reduce((a, b) => (counts[b] < counts[a] ? b : a));
    const next = { s: FROM.ms, ms: FROM.us, us: FROM.ns, ns: Infinity }[rare];
    const cell = `abs(TRY_CAST(${quoted(column.name)} AS DOUBLE))`;
    throw await cellError(session, relation, {
      code: 'data-time-unit',
      key,
      column: column.name,
      condition: `${cell} >= ${FROM[rare]} AND ${cell} < ${next === Infinity ? '1e300' : next}`,
      what: `looks like ${UNIT_WORDS[rare]}, and most others like ${UNIT_WORDS[most]}`,
      hint: `bring them to one unit, or say which it is: time_unit: ${most}`,
    });
  }
  const unit = options.unit === 'auto' ? most : options.unit;
  const scale = PER_SECOND[unit];
  let first = Infinity;
  let last = -Infinity;
  const time = raw.map((value) => {
    const second = value / scale;
    if (second < first) first = second;
    if (second > last) last = second;
    return second;
  });
  if (options.unit !== 'auto' && !isMoment && last > -Infinity && (first < FIRST_SECOND || last > LAST_SECOND)) {
    throw dataError('data-time-unit', `dataset.${relation.table}.time_unit`, `as ${UNIT_WORDS[unit]}, the times of column "${column.name}" are from ${dateOf(first)} to ${dateOf(last)}`, {
      received: unit,
      allowed: 'times from 1980 to 2200, or time_unit: auto',
      hint: most === unit ? 'mend times that are far from all others, or leave such rows out with where' : `by their size they are ${UNIT_WORDS[most]}: write time_unit: ${most}`,
    }); // prettier-ignore
  }
  const unknown = numUnknown === 0 ? '' : `, ${numUnknown.toLocaleString('en')} rows without`;
  const as = isMoment ? '' : ` in ${UNIT_WORDS[unit]}`;
  return {
    time,
    note: last === -Infinity ? `${relation.table}: no row has a time` : `${relation.table}: times${as} from ${dateOf(first)} to ${dateOf(last)}${unknown}`,
  }; // prettier-ignore
}

/** The unit that a number is of by its size. */
export function unitOf(value: number): Unit {
  const size = Math.abs(value);
  return size >= FROM.ns ? 'ns' : size >= FROM.us ? 'us' : size >= FROM.ms ? 'ms' : 's';
}

export function dateOf(second: number): string {
  const date = new Date(second * 1000);
  return Number.isNaN(date.getTime()) ? `${second} s` : date.toISOString().slice(0, 10);
}
