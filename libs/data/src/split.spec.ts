import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Interactions } from './contract.js';
import { positiveRows, requireTimes, timelines } from './interactions.js';
import { splitRows, TEST, TRAIN, VALID } from './split.js';

function interactionsOf(
  rows: readonly { readonly user: number; readonly time: number; readonly rating?: number }[],
): Interactions {
  return {
    user: Int32Array.from(rows, ({ user }) => user),
    item: Int32Array.from(rows, (_, row) => row),
    time: Float64Array.from(rows, ({ time }) => time),
    rating: Float32Array.from(rows, ({ rating }) => rating ?? 5),
    label: null,
  };
}

/** Part of every row of the table. */
function partsOf(interactions: Interactions, split: Parameters<typeof splitRows>[0], seed = 0): number[] {
  const rows = positiveRows(interactions, null);
  const timeline = timelines(interactions, rows, Math.max(...interactions.user) + 1);
  const parts = splitRows(split, { interactions, timeline, fixed: null, seed });
  const byRow: number[] = [];
  for (const [entry, row] of timeline.items.entries()) byRow[row] = parts[entry] as number;
  return byRow;
}

const someRows = fc.array(fc.record({ user: fc.nat(4), time: fc.nat(6) }), { minLength: 1, maxLength: 60 });

describe('timelines', () => {
  it('orders by time and keeps the order of the file where times are equal', () => {
    const interactions = interactionsOf([
      { user: 0, time: 5 },
      { user: 1, time: 1 },
      { user: 0, time: 3 },
      { user: 0, time: 5 },
      { user: 0, time: 3 },
    ]);
    const { offsets, items } = timelines(interactions, positiveRows(interactions, null), 2);
    expect([...offsets]).toEqual([0, 4, 5]);
    expect([...items]).toEqual([2, 4, 0, 3, 1]);
  });
});

describe('positiveRows', () => {
  const interactions = interactionsOf([3, 4, 5, 2].map((rating) => ({ user: 0, time: 0, rating })));

  it('keeps the rows that the comparison keeps', () => {
    expect([...positiveRows(interactions, 'rating >= 4')]).toEqual([1, 2]);
    expect([...positiveRows(interactions, 'rating<3')]).toEqual([3]);
    expect(positiveRows(interactions, null)).toHaveLength(4);
  });

  it('says how a comparison is written, which columns there are, and when nothing is left', () => {
    expect(() => positiveRows(interactions, 'rating is 4')).toThrow('COLUMN OPERATOR NUMBER');
    expect(() => positiveRows(interactions, 'stars >= 4')).toThrow('no column "stars"\n  allowed  rating');
    expect(() => positiveRows(interactions, 'rating > 5')).toThrow('no row of 4 has rating > 5');
  });
});

describe('requireTimes', () => {
  const need = (times: 'order' | 'gaps' | 'moments') => ({ path: 'dataset.split', what: 'the split', times });

  it('says how many rows have no time', () => {
    const interactions = interactionsOf([1, NaN, NaN].map((time) => ({ user: 0, time })));
    expect(() => requireTimes(interactions, positiveRows(interactions, null), need('order'))).toThrow(
      'dataset.split: the split needs the order of rows, but 2 of 3 rows have no time',
    );
    expect(() => requireTimes(interactions, Int32Array.of(0), need('moments'))).not.toThrow();
  });

  it('takes data in order within users for ordered, with seconds for the gaps between them, and never for moments', () => {
    const counted = { ...interactionsOf([0, 5].map((time) => ({ user: 0, time }))), order: 'within-users' as const };
    const ordered = { ...counted, time: null };
    const rows = Int32Array.of(0, 1);
    for (const interactions of [counted, ordered]) {
      expect(() => requireTimes(interactions, rows, need('order'))).not.toThrow();
      expect(() => requireTimes(interactions, rows, need('moments'))).toThrow(
        "the split compares the times of different users, but only the order of each user's rows is known",
      );
    }
    expect(() => requireTimes(counted, rows, need('gaps'))).not.toThrow();
    expect(() => requireTimes(ordered, rows, need('gaps'))).toThrow(
      'the split needs the time between rows, but only their order is known',
    );
  });
});

describe('splitRows', () => {
  const five = interactionsOf([10, 20, 30, 40, 50].map((time) => ({ user: 0, time })));

  it('leaves the last row of a user for testing and the one before for validation', () => {
    expect(partsOf(five, { protocol: 'leave-one-out', validation: 'second-last' })).toEqual([
      TRAIN,
      TRAIN,
      TRAIN,
      VALID,
      TEST,
    ]);
  });

  it('leaves users with fewer than three rows in training', () => {
    const two = interactionsOf([1, 2].map((time) => ({ user: 0, time })));
    expect(partsOf(two, { protocol: 'leave-one-out', validation: 'second-last' })).toEqual([TRAIN, TRAIN]);
  });

  it('takes a random training row for validation, the same for the same seed', () => {
    const split = { protocol: 'leave-one-out', validation: 'random-train-item' } as const;
    const chosen = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const parts = partsOf(five, split, seed);
      expect(parts).toEqual(partsOf(five, split, seed));
      expect(parts[4]).toBe(TEST);
      chosen.add(parts.indexOf(VALID));
    }
    expect([...chosen].sort()).toEqual([0, 1, 2, 3]);
  });

  it('leaves the last k for testing and the k before for validation', () => {
    expect(partsOf(five, { protocol: 'leave-last-k', k: 2 })).toEqual([TRAIN, VALID, VALID, TEST, TEST]);
    expect(partsOf(five, { protocol: 'leave-last-k', k: 3 })).toEqual([TRAIN, TRAIN, TRAIN, TRAIN, TRAIN]);
  });

  it('never puts a row of a later part before one of an earlier part in time, under global time', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const parts = partsOf(interactionsOf(rows), { protocol: 'global-time', validFraction: 0.2, testFraction: 0.2 });
        for (const [a, rowA] of rows.entries()) {
          for (const [b, rowB] of rows.entries()) {
            if (rowA.time < rowB.time) expect(parts[a]).toBeLessThanOrEqual(parts[b] as number);
            if (rowA.time === rowB.time) expect(parts[a]).toBe(parts[b]);
          }
        }
      }),
    );
  });

  it('gives each user the shares asked for, under ratio', () => {
    const rows = Array.from({ length: 20 }, (_, time) => ({ user: 0, time }));
    const parts = partsOf(interactionsOf(rows), { protocol: 'ratio', valid: 0.1, test: 0.2 });
    expect([TRAIN, VALID, TEST].map((part) => parts.filter((each) => each === part).length)).toEqual([14, 2, 4]);
  });

  it('puts the same rows into the same parts whatever the order of users in the file', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const tagged = rows.map((row, place) => ({ ...row, place }));
        const byUser = [...tagged].sort((a, b) => a.user - b.user || a.place - b.place);
        const split = { protocol: 'leave-one-out', validation: 'second-last' } as const;
        const parts = partsOf(interactionsOf(tagged), split);
        const regrouped = partsOf(interactionsOf(byUser), split);
        expect(byUser.map(({ place }) => parts[place])).toEqual(regrouped);
      }),
    );
  });
});
