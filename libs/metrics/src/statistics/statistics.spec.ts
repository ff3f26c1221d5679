import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mean, sampleStd, seedsToDetect, tInterval } from './summary.js';
import { holm, pairedT, wilcoxonSignedRank } from './significance.js';

interface Golden {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly name: string;
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly mean: number;
    readonly std: number;
    readonly interval: readonly [number, number];
    readonly difference: number;
    readonly ci95: readonly [number, number];
    readonly pairedT: number;
    readonly wilcoxon: number | null;
  }[];
}

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'statistics.golden.json'), 'utf8')) as Golden;

describe('statistics', () => {
  it.each(golden.cases)('agree with scipy on $name', ({ a, b, ...expected }) => {
    const close = (actual: number | null | undefined, value: number) =>
      expect(Math.abs((actual as number) - value)).toBeLessThan(golden.tolerance * Math.max(1, Math.abs(value)));
    close(mean(a), expected.mean);
    close(sampleStd(a), expected.std);
    const interval = tInterval(a);
    close(interval?.[0], expected.interval[0]);
    close(interval?.[1], expected.interval[1]);
    const { difference, ci95, p } = pairedT(a, b);
    close(difference, expected.difference);
    close(ci95?.[0], expected.ci95[0]);
    close(ci95?.[1], expected.ci95[1]);
    close(p, expected.pairedT);
    if (expected.wilcoxon !== null) close(wilcoxonSignedRank(a, b), expected.wilcoxon);
  });
});

describe('tInterval', () => {
  it('is null for one value, and a point for equal ones', () => {
    expect(tInterval([0.5])).toBeNull();
    expect(tInterval([0.5, 0.5, 0.5])).toEqual([0.5, 0.5]);
  });
});

describe('pairedT', () => {
  it('tells nothing of one pair or of no difference, and all of a constant one', () => {
    expect(pairedT([1], [0.5])).toEqual({ difference: 0.5, ci95: null, p: null });
    expect(pairedT([1, 2], [1, 2]).p).toBeNull();
    expect(pairedT([1, 2], [0.5, 1.5]).p).toBe(0);
  });

  it('refuses pairs that do not match', () => {
    expect(() => pairedT([1, 2], [1])).toThrow('a has 2 values, b has 1; they must be equally many');
  });
});

describe('wilcoxonSignedRank', () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })), {
    minLength: 1,
    maxLength: 40,
  });

  it('is the same when a and b change places, and when users are reordered', () => {
    fc.assert(
      fc.property(pairs, (drawn) => {
        const [a, b] = [drawn.map(([x]) => x), drawn.map(([, y]) => y)];
        const p = wilcoxonSignedRank(a, b);
        expect(wilcoxonSignedRank(b, a)).toEqual(p === null ? null : expect.closeTo(p, 12));
        expect(wilcoxonSignedRank([...a].reverse(), [...b].reverse())).toEqual(
          p === null ? null : expect.closeTo(p, 12),
        );
      }),
    );
  });

  it('leaves out users who have no value on either side, wherever they stand', () => {
    const p = wilcoxonSignedRank([3, 1, 4, 1, 5], [2, 2, 1, 1, 1]);
    expect(p).toBeGreaterThan(0);
    expect(wilcoxonSignedRank([NaN, 3, 1, 4, NaN, 1, 5, NaN], [NaN, 2, 2, 1, NaN, 1, 1, NaN])).toBe(p);
    expect(wilcoxonSignedRank([NaN, 1], [NaN, 1])).toBeNull();
    expect(wilcoxonSignedRank([NaN], [NaN])).toBeNull();
  });

  it('refuses a user who has a value on one side only, and says how many there are', () => {
    expect(() => wilcoxonSignedRank([1, NaN, 0.5, NaN], [0.5, 1, NaN, NaN])).toThrow(
      '2 of 4 users have a value on one side only; both must be measured alike',
    );
  });

  it('is null where nothing differs', () => {
    expect(wilcoxonSignedRank([1, 0], [1, 0])).toBeNull();
    expect(wilcoxonSignedRank([], [])).toBeNull();
  });
});

describe('holm', () => {
  it('multiplies the k-th smallest by the number of those left, never falls, and stays below 1', () => {
    // by hand: .01·4, .02·3, .03·2 → .06, .5·1
    expect(holm([0.03, 0.01, 0.5, 0.02]).map((p) => Number(p.toFixed(10)))).toEqual([0.06, 0.04, 0.5, 0.06]);
    expect(holm([0.6, 0.7])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });
});

describe('seedsToDetect', () => {
  it('gives n = 2 for a difference far above the spread, and more for smaller differences', () => {
    expect(seedsToDetect({ std: 0.001, difference: 1 })).toBe(2);
    const needed = [0.02, 0.01, 0.005].map((difference) => seedsToDetect({ std: 0.01, difference }));
    expect(needed).toEqual([...needed].sort((a, b) => a - b));
    // two-sided 5 %, power 80 %, d/s = 1: ten pairs in the tables of Cohen 1988
    expect(needed[1]).toBe(10);
  });
});
