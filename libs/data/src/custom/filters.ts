import type { Interactions } from '../contract.js';
import { dataError, type FilterStep } from '../definition.js';
import { allRows, positiveRows, rowsByUser } from '../interactions.js';
import { dateOf } from './times.js';

export interface FilterSettings {
  /** Unix seconds, `to` excluded. */
  readonly timeRange: { readonly from: number; readonly to: number } | null;
  readonly positive: string | null;
  readonly duplicates: 'keep' | 'first' | 'last';
  readonly kCore: { readonly users: number; readonly items: number } | null;
}

/**
 * The rows that the filters keep, in their order, and what each step left. Time range, positive rule, repeated pairs and k-core follow one
 * another in this order, each on what the one before kept.
 *
 * k-core: the largest set of rows in which every user has at least `users` and every item at least `items` rows. It does not depend on the
 * order in which users and items are taken out.
 *
 * @throws {ConfigError} when a step leaves nothing, or needs a column that is not there
 */
export function filterRows(
  interactions: Interactions,
  settings: FilterSettings,
  sizes: { readonly numUsers: number; readonly numItems: number },
): { readonly kept: Int32Array; readonly steps: readonly FilterStep[] } {
  const { timeRange, positive, duplicates, kCore } = settings;
  const steps: FilterStep[] = [];
  let kept = allRows(interactions);
  const take = (what: string, path: string, rows: Int32Array): void => {
    if (rows.length === 0) {
      throw dataError('data-nothing-left', path, `nothing is left: ${what} keeps none of ${kept.length} rows`, {
        received: what,
        hint: steps.length > 1 ? `before it: ${steps.map(stepText).join('; ')}` : 'take a milder rule',
      });
    }
    kept = rows;
    steps.push({ what, rows: rows.length, ...countBoth(interactions, rows, sizes) });
  };
  if (kept.length === 0) throw dataError('data-empty', 'dataset.interactions', 'there is no row');
  take('read', 'dataset.interactions', kept);
  if (timeRange !== null) {
    const { from, to } = timeRange;
    const { time } = interactions;
    if (time === null) {
      throw dataError('data-time', 'dataset.time_range', 'the interactions have no time to choose by', {
        hint: 'name the column of the times: interactions.columns.time',
      });
    }
    const chosen = kept.filter((row) => (time[row] as number) >= from && (time[row] as number) < to);
    if (chosen.length === 0) {
      throw dataError('data-nothing-left', 'dataset.time_range', `it keeps none of ${kept.length} rows`, {
        allowed: spanOf(time),
        hint: 'take a range that holds some of the times',
      });
    }
    take('time_range', 'dataset.time_range', chosen);
  }
  if (positive !== null) take(`positive ${positive}`, 'dataset.positive', positiveRows(interactions, positive, kept));
  if (duplicates !== 'keep') {
    take(
      `duplicates ${duplicates}`,
      'dataset.duplicates',
      withoutRepeats(interactions, kept, { duplicates, ...sizes }),
    );
  }
  if (kCore !== null) {
    const { users, items } = kCore;
    take(`k_core ${users} users, ${items} items`, 'dataset.k_core', coreOf(interactions, kept, { ...kCore, ...sizes }));
  }
  return { kept, steps };
}

function spanOf(time: Float64Array): string {
  let [first, last] = [Infinity, -Infinity];
  for (const second of time) {
    if (second < first) first = second;
    if (second > last) last = second;
  }
  return last === -Infinity ? 'none: no row has a time' : `the times are from ${dateOf(first)} to ${dateOf(last)}`;
}

function stepText({ what, rows }: FilterStep): string {
  return `${what}: ${rows} rows`;
}

function countBoth(
  { user, item }: Interactions,
  rows: Int32Array,
  { numUsers, numItems }: { readonly numUsers: number; readonly numItems: number },
): { readonly users: number; readonly items: number } {
  return { users: countDistinct(user, rows, numUsers), items: countDistinct(item, rows, numItems) };
}

function countDistinct(ids: Int32Array, rows: Int32Array, size: number): number {
  const seen = new Uint8Array(size);
  let count = 0;
  for (let k = 0; k < rows.length; k++) {
    const id = ids[rows[k] as number] as number;
    count += 1 - (seen[id] as number);
    seen[id] = 1;
  }
  return count;
}

/**
 * Of the rows of one user and one item the earliest or the latest whose time is known; of equal times, and where none is known, the first or
 * the last in the file.
 */
function withoutRepeats(
  { user, item, time }: Interactions,
  rows: Int32Array,
  options: { readonly duplicates: 'first' | 'last'; readonly numUsers: number; readonly numItems: number },
): Int32Array {
  const { duplicates, numUsers, numItems } = options;
  const { offsets, items: byUser } = rowsByUser(user, rows, numUsers);
  const chosen = new Int32Array(numItems).fill(-1); // the row of this user that is kept for the item
  const isKept = new Uint8Array(user.length);
  const isBetter = (now: number, held: number): boolean => {
    if (Number.isNaN(now) !== Number.isNaN(held)) return Number.isNaN(held);
    return duplicates === 'first' ? now < held : !(now < held);
  };
  const timeOf = (row: number): number => (time === null ? NaN : (time[row] as number));
  for (let u = 0; u < numUsers; u++) {
    const start = offsets[u] as number;
    const end = offsets[u + 1] as number;
    for (let at = start; at < end; at++) {
      const row = byUser[at] as number;
      const of = item[row] as number;
      const held = chosen[of] as number;
      if (held === -1 || isBetter(timeOf(row), timeOf(held))) chosen[of] = row;
    }
    for (let at = start; at < end; at++) {
      const of = item[byUser[at] as number] as number;
      const held = chosen[of] as number;
      if (held !== -1) isKept[held] = 1;
      chosen[of] = -1;
    }
  }
  return rows.filter((row) => isKept[row] === 1);
}

function coreOf(
  { user, item }: Interactions,
  rows: Int32Array,
  least: { readonly users: number; readonly items: number; readonly numUsers: number; readonly numItems: number },
): Int32Array {
  let kept = rows;
  for (;;) {
    const userRows = new Int32Array(least.numUsers);
    const itemRows = new Int32Array(least.numItems);
    for (let k = 0; k < kept.length; k++) {
      const row = kept[k] as number;
      userRows[user[row] as number]!++;
      itemRows[item[row] as number]!++;
    }
    const next = kept.filter(
      (row) =>
        (userRows[user[row] as number] as number) >= least.users &&
        (itemRows[item[row] as number] as number) >= least.items,
    );
    if (next.length === kept.length) return kept;
    kept = next;
  }
}
