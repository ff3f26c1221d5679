import { ConfigError } from '@towerbench/config';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Interactions } from '../contract.js';
import { filterRows, type FilterSettings } from './filters.js';

interface Row {
  readonly user: number;
  readonly item: number;
  readonly time: number;
  readonly rating: number;
}

const SIZES = { numUsers: 4, numItems: 3 };
const NONE: FilterSettings = { timeRange: null, positive: null, duplicates: 'keep', kCore: null };

const rowsOf = fc.array(
  fc.record({
    user: fc.nat(SIZES.numUsers - 1),
    item: fc.nat(SIZES.numItems - 1),
    time: fc.oneof(fc.nat(5), fc.constant(NaN)),
    rating: fc.nat(4),
  }),
  { minLength: 1, maxLength: 40 },
);
const settingsOf: fc.Arbitrary<FilterSettings> = fc.record({
  timeRange: fc.option(fc.record({ from: fc.nat(3), to: fc.integer({ min: 1, max: 6 }) })),
  positive: fc.option(fc.constantFrom('rating >= 2', 'rating != 0')),
  duplicates: fc.constantFrom('keep', 'first', 'last'),
  kCore: fc.option(fc.record({ users: fc.integer({ min: 1, max: 3 }), items: fc.integer({ min: 1, max: 3 }) })),
});

function interactionsOf(rows: readonly Row[]): Interactions {
  return {
    user: Int32Array.from(rows, ({ user }) => user),
    item: Int32Array.from(rows, ({ item }) => item),
    time: Float64Array.from(rows, ({ time }) => time),
    rating: Float32Array.from(rows, ({ rating }) => rating),
    label: null,
  };
}

/** The rows that each step leaves, by definition: every row is compared with every other. */
function naive(rows: readonly Row[], { timeRange, positive, duplicates, kCore }: FilterSettings): number[][] {
  const row = (at: number): Row => rows[at] as Row;
  const steps = [rows.map((_, at) => at)];
  const step = (keeps: (at: number, among: readonly number[]) => boolean): void => {
    const among = steps.at(-1) as number[];
    steps.push(among.filter((at) => keeps(at, among)));
  };
  if (timeRange !== null) step((at) => row(at).time >= timeRange.from && row(at).time < timeRange.to);
  if (positive !== null) step((at) => (positive === 'rating >= 2' ? row(at).rating >= 2 : row(at).rating !== 0));
  const isSame = (a: number, b: number): boolean => row(a).user === row(b).user && row(a).item === row(b).item;
  if (duplicates !== 'keep') {
    step((at, among) => {
      const same = among.filter((other) => isSame(at, other));
      const timed = same.filter((other) => !Number.isNaN(row(other).time));
      const times = timed.map((other) => row(other).time);
      const best = duplicates === 'first' ? Math.min(...times) : Math.max(...times);
      const tied = timed.length === 0 ? same : timed.filter((other) => row(other).time === best);
      return at === (duplicates === 'first' ? tied[0] : tied.at(-1));
    });
  }
  if (kCore !== null) {
    let left = steps.at(-1) as number[];
    for (let before = -1; before !== left.length;) {
      before = left.length;
      const among = left; // one row at a time, which comes to the same as all at once
      const lost = among.find(
        (at) =>
          among.filter((other) => row(other).user === row(at).user).length < kCore.users ||
          among.filter((other) => row(other).item === row(at).item).length < kCore.items,
      );
      left = among.filter((at) => at !== lost);
    }
    steps.push(left);
  }
  return steps;
}

describe('filterRows', () => {
  it('keeps what each rule keeps by definition, step by step, and counts what is left', () => {
    fc.assert(
      fc.property(rowsOf, settingsOf, (rows, settings) => {
        const expected = naive(rows, settings);
        const run = () => filterRows(interactionsOf(rows), settings, SIZES);
        if (expected.some((left) => left.length === 0)) {
          expect(run).toThrow(ConfigError);
          return;
        }
        const { kept, steps } = run();
        const distinct = (left: readonly number[], key: 'user' | 'item'): number => new Set(left.map((at) => (rows[at] as Row)[key])).size; // prettier-ignore
        expect([...kept]).toEqual(expected.at(-1));
        expect(steps.map(({ what: _, ...counts }) => counts)).toEqual(
          expected.map((left) => ({ rows: left.length, users: distinct(left, 'user'), items: distinct(left, 'item') })),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('names each step in the order in which they follow', () => {
    const rows = interactionsOf([{ user: 0, item: 0, time: 1, rating: 4 }]);
    const settings: FilterSettings = { timeRange: { from: 0, to: 2 }, positive: 'rating >= 2', duplicates: 'last', kCore: { users: 1, items: 1 } }; // prettier-ignore
    expect(filterRows(rows, settings, SIZES).steps.map(({ what }) => what)).toEqual(['read', 'time_range', 'positive rating >= 2', 'duplicates last', 'k_core 1 users, 1 items']); // prettier-ignore
  });

  it('leaves rows without a time out of a time range, and takes its end not in', () => {
    const at = (time: number): Row => ({ user: 0, item: 0, time, rating: 1 });
    const rows = interactionsOf([at(NaN), at(1), at(2), at(3)]);
    expect([...filterRows(rows, { ...NONE, timeRange: { from: 1, to: 3 } }, SIZES).kept]).toEqual([1, 2]);
  });

  it('takes the first or last row in the file where no time is known', () => {
    const rows = { ...interactionsOf([1, 2, 3].map(() => ({ user: 0, item: 0, time: 1, rating: 1 }))), time: null };
    expect([...filterRows(rows, { ...NONE, duplicates: 'first' }, SIZES).kept]).toEqual([0]);
    expect([...filterRows(rows, { ...NONE, duplicates: 'last' }, SIZES).kept]).toEqual([2]);
  });
});
