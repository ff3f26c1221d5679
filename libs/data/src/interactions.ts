import type { Examples, Interactions, Ragged } from './contract.js';
import { dataError } from './definition.js';

const COMPARE: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '>=': (value, bound) => value >= bound,
  '>': (value, bound) => value > bound,
  '<=': (value, bound) => value <= bound,
  '<': (value, bound) => value < bound,
  '==': (value, bound) => value === bound,
  '!=': (value, bound) => value !== bound,
};

/**
 * Reads `column op number`.
 *
 * @param at where it stands, and what null would mean there
 * @throws {ConfigError} when it is something else
 */
function readCondition(
  text: string,
  { path, without }: { readonly path: string; readonly without: string },
): { readonly name: string; readonly holds: (value: number) => boolean } {
  const [, name, operator, bound] = /^\s*(\w+)\s*(>=|<=|==|!=|>|<)\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text) ?? [];
  if (name !== undefined && operator !== undefined) {
    const compare = COMPARE[operator] as (value: number, limit: number) => boolean;
    return { name, holds: (value) => compare(value, Number(bound)) };
  }
  throw dataError('positive-syntax', path, `cannot read "${text}"`, {
    received: text,
    allowed: `COLUMN OPERATOR NUMBER with one of >=, >, <=, <, ==, !=, e.g. rating >= 4; or null for ${without}`,
  });
}

/**
 * Labels of the training rows by one of their numbers: 1 where `condition` (`column op number`) holds.
 *
 * @throws {ConfigError} at `objective.label`, when it cannot be read, names no number of the rows, or gives all rows one label
 */
export function labelsBy(condition: string, { user, numbers = {} }: Examples): Uint8Array {
  const path = 'objective.label';
  const { name, holds } = readCondition(condition, { path, without: 'the labels that the rows come with' });
  const column = numbers[name];
  if (column === undefined) {
    const present = Object.keys(numbers).join(', ');
    throw dataError('label-column', path, `the interactions have no numbers called "${name}"`, {
      received: condition,
      allowed: present === '' ? 'null: there are none' : present,
    });
  }
  const labels = Uint8Array.from(column, (value) => (holds(value) ? 1 : 0));
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (positives === 0 || positives === user.length) {
    throw dataError('label-none', path, `${condition} holds for ${positives} of ${user.length} training rows`, {
      received: condition,
      hint: 'take a bound that divides them',
    });
  }
  return labels;
}

/**
 * The rows that `positive` (`column op number`) keeps of `among`, in their order; all of them for null.
 *
 * @throws {ConfigError} when it cannot be read or names a column that is not there
 */
export function positiveRows(
  interactions: Interactions,
  positive: string | null,
  among = allRows(interactions),
): Int32Array {
  if (positive === null) return among;
  const { name, holds } = readCondition(positive, { path: 'dataset.positive', without: 'every row' });
  const { rating, label, numbers } = interactions;
  const columns: Record<string, ArrayLike<number> | null> = { rating, label, ...numbers };
  const column = columns[name] ?? null;
  if (column === null) {
    const present = Object.keys(columns).filter((each) => columns[each] !== null);
    throw dataError('positive-column', 'dataset.positive', `the interactions have no column "${name}"`, {
      received: positive,
      allowed: present.length > 0 ? present.join(', ') : 'null: there is no column to choose by',
    });
  }
  const kept = among.filter((row) => holds(column[row] as number));
  if (kept.length === 0) {
    const values = Array.from(among, (row) => column[row] as number).filter((value) => !Number.isNaN(value));
    throw dataError('positive-none', 'dataset.positive', `no row of ${among.length} has ${positive}`, {
      received: positive,
      hint: values.length === 0 ? `no row has a ${name}` : `${name} goes from ${values.reduce((a, b) => Math.min(a, b))} to ${values.reduce((a, b) => Math.max(a, b))}`,
    }); // prettier-ignore
  }
  return kept;
}

/** The number of every row. */
export function allRows({ user }: Pick<Interactions, 'user'>): Int32Array {
  const rows = new Int32Array(user.length);
  for (let row = 0; row < rows.length; row++) rows[row] = row;
  return rows;
}

/** `rows` by user, those of a user in the order they have. */
export function rowsByUser(user: Int32Array, rows: Int32Array, numUsers: number): Ragged {
  const offsets = new Int32Array(numUsers + 1);
  for (let k = 0; k < rows.length; k++) offsets[(user[rows[k] as number] as number) + 1]!++;
  for (let u = 0; u < numUsers; u++) offsets[u + 1]! += offsets[u] as number;
  const next = offsets.slice(0, numUsers);
  const items = new Int32Array(rows.length);
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k] as number;
    items[next[user[row] as number]!++] = row;
  }
  return { offsets, items };
}

/**
 * `rows` by user, in order of time; rows of equal time keep their order in the file. Where a kept row has no time nothing is
 * sorted: those who need the order ask `requireTimes` first.
 *
 * @returns `items` holds row numbers of `interactions`
 */
export function timelines(interactions: Interactions, rows: Int32Array, numUsers: number): Ragged {
  const { user, time } = interactions;
  const { offsets, items: ordered } = rowsByUser(user, rows, numUsers);
  if (time !== null && countUntimed(time, rows) === 0) {
    const spare = new Int32Array(rows.length);
    for (let u = 0; u < numUsers; u++) sortByTime(ordered.subarray(offsets[u], offsets[u + 1]), time, spare);
  }
  return { offsets, items: ordered };
}

/** Sorts row numbers by time, those of equal time in the order they have: merges runs of 1, 2, 4 ... rows, in turns into `spare` and back. */
function sortByTime(rows: Int32Array, time: Float64Array, spare: Int32Array): void {
  const { length } = rows;
  let [from, to] = [rows, spare.subarray(0, length)];
  for (let width = 1; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width) {
      const middle = Math.min(start + width, length);
      const end = Math.min(middle + width, length);
      let [a, b] = [start, middle];
      for (let at = start; at < end; at++) {
        const isFirst =
          b === end || (a < middle && (time[from[a] as number] as number) <= (time[from[b] as number] as number));
        to[at] = from[isFirst ? a++ : b++] as number;
      }
    }
    [from, to] = [to, from];
  }
  if (from !== rows) rows.set(from);
}

function countUntimed(time: Float64Array, rows: Int32Array): number {
  let untimed = 0;
  for (let k = 0; k < rows.length; k++) if (Number.isNaN(time[rows[k] as number])) untimed++;
  return untimed;
}

/**
 * Refuses a config that depends on what is not known of the times of rows.
 *
 * @param need what asks: `path` in the config, a few words, and for which `times`: the `order` of a user's rows, the `gaps` between them,
 * or the `moments` of all, which are comparable between users. Data in order within users have the order, gaps where they have times,
 * and no moments.
 * @throws {ConfigError} that says how many rows have no time, or what is known instead
 */
export function requireTimes(
  interactions: Interactions,
  rows: Int32Array,
  need: { readonly path: string; readonly what: string; readonly times: 'order' | 'gaps' | 'moments' },
): void {
  const { time, order } = interactions;
  if (order === 'within-users') {
    if (need.times === 'order' || (need.times === 'gaps' && time !== null)) return;
    throw dataError(
      'time-order-only',
      need.path,
      need.times === 'gaps'
        ? `${need.what} needs the time between rows, but only their order is known`
        : `${need.what} compares the times of different users, but only the order of each user's rows is known`,
      {
        hint:
          need.times === 'gaps'
            ? 'remove gap, or add the file of intervals that `towerbench data describe` names'
            : 'take leave-one-out, leave-last-k or ratio',
      },
    );
  }
  const untimed = time === null ? rows.length : countUntimed(time, rows);
  if (untimed === 0) return;
  throw dataError(
    'time-unknown',
    need.path,
    `${need.what} needs the order of rows, but ${untimed} of ${rows.length} rows have no time`,
    {
      allowed: 'split.protocol ratio or fixed, and no sequence features',
      hint: 'choose rows whose times are all known by positive, or by where of your own files, or a split that needs no order',
    },
  );
}
