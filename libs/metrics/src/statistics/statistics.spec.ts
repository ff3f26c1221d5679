import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bootstrapMeans, type BootstrapOptions } from './bootstrap.js';
import { pairedTPower, seedsToDetect } from './power.js';
import { mean, sampleStd, tInterval } from './summary.js';
import { holm, pairedT, wilcoxonSignedRank, type SignedRank } from './significance.js';

interface Golden {
  readonly tolerance: number;
  readonly pairs: readonly {
    readonly name: string;
    readonly a: readonly (number | null)[];
    readonly b: readonly (number | null)[];
    readonly mean?: number;
    readonly std?: number;
    readonly interval?: readonly [number, number];
    readonly difference?: number;
    readonly ci95?: readonly [number, number];
    readonly pairedT?: number;
    readonly effectSize?: number | null;
    readonly signedRank?: SignedRank;
  }[];
  /** `seeds`: n that an effect of this size takes for a power of .8. */
  readonly powers: readonly { readonly effectSize: number; readonly n: number; readonly power: number; readonly seeds: number }[]; // prettier-ignore
  readonly bootstraps: readonly {
    readonly name: string;
    readonly values: readonly number[];
    readonly options: BootstrapOptions;
    readonly interval: readonly [number, number];
  }[];
  readonly corrections: readonly { readonly p: readonly number[]; readonly holm: readonly number[] }[];
}

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'statistics.golden.json'), 'utf8')) as Golden;

/** Relative to what is expected, so that p values of 1e-15 are compared in all their digits. */
function expectGolden(actual: number | null | undefined, expected: number): void {
  if (expected === 0) return expect(Math.abs(actual as number)).toBeLessThan(1e-15);
  expect(Math.abs((actual as number) / expected - 1), `${actual} for ${expected}`).toBeLessThan(golden.tolerance);
}

/** NaN is null in the golden file. */
const numbers = (values: readonly (number | null)[]): number[] => values.map((value) => value ?? NaN);

describe('statistics', () => {
  it.each(golden.pairs.filter(({ pairedT }) => pairedT !== undefined))(
    "agree with scipy's t test and t intervals on $name",
    ({ a: withNulls, b: withNullsB, ...expected }) => {
      const [a, b] = [numbers(withNulls), numbers(withNullsB)];
      expectGolden(mean(a), expected.mean as number);
      expectGolden(sampleStd(a), expected.std as number);
      for (const end of [0, 1] as const) expectGolden(tInterval(a)?.[end], expected.interval?.[end] as number);
      const { difference, ci95, effectSize, p } = pairedT(a, b);
      if (expected.effectSize === null) expect(effectSize).toBeNull();
      else expectGolden(effectSize, expected.effectSize as number);
      expectGolden(difference, expected.difference as number);
      for (const end of [0, 1] as const) expectGolden(ci95?.[end], expected.ci95?.[end] as number);
      expectGolden(p, expected.pairedT as number);
    },
  );

  it.each(golden.pairs.filter(({ signedRank }) => signedRank !== undefined))(
    "agree with scipy's signed-rank test on $name",
    ({ a, b, signedRank }) => {
      const { p, rankBiserial, ...counts } = wilcoxonSignedRank(numbers(a), numbers(b));
      const { p: expectedP, rankBiserial: expectedEffect, ...expectedCounts } = signedRank as SignedRank;
      expect(counts).toEqual(expectedCounts);
      expectGolden(rankBiserial, expectedEffect as number);
      expectGolden(p, expectedP as number);
    },
  );

  it.each(golden.powers)("agree with statsmodels' power of $n pairs at an effect of $effectSize", (expected) => {
    const { effectSize, n, power, seeds } = expected;
    expectGolden(pairedTPower({ effectSize, n }), power);
    expect(seedsToDetect({ std: 0.02, difference: 0.02 * effectSize })).toBe(seeds);
  });

  it.each(golden.bootstraps)("agree with scipy's bootstrap of $name, $options", ({ values, options, interval }) => {
    const [found] = bootstrapMeans([values], options);
    for (const end of [0, 1] as const) expectGolden(found?.[end], interval[end]);
  });

  it.each(golden.corrections)("agree with statsmodels' Holm of $p", ({ p, holm: expected }) => {
    for (const [k, corrected] of holm(p).entries()) expectGolden(corrected, expected[k] as number);
  });
});

describe('bootstrapMeans', () => {
  const values = Array.from({ length: 200 }, (_, k) => Math.sin(k) ** 3);

  it('gives the same interval for the same seed, another for another, and nothing for one value', () => {
    const [first, again, other] = [1, 1, 2].map((seed) => bootstrapMeans([values], { seed })[0]);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(bootstrapMeans([[1]])).toEqual([null]);
    expect(bootstrapMeans([])).toEqual([]);
  });

  it('draws the rows once for all columns: what is the same up to a constant has intervals that are', () => {
    const [one, shifted] = bootstrapMeans([values, values.map((value) => value + 1)]);
    for (const end of [0, 1] as const) expect((shifted?.[end] as number) - 1).toBeCloseTo(one?.[end] as number, 12);
  });

  it('is a point where all values are equal', () => {
    expect(bootstrapMeans([[0.1, 0.1, 0.1]])[0]?.map((end) => end.toFixed(12))).toEqual(['0.100000000000', '0.100000000000']); // prettier-ignore
  });

  it('refuses columns that do not match, and values that are none', () => {
    expect(() => bootstrapMeans([[1, 2], [1]])).toThrow('column 1 has 1 rows, column 0 has 2');
    expect(() => bootstrapMeans([[1, NaN]])).toThrow('row 1 of column 0 is NaN; rows must be finite');
  });
});

describe('pairedTPower', () => {
  it('is the level where there is no effect, from two pairs to a million', () => {
    for (const n of [2, 3, 10, 1000, 1e6]) expect(pairedTPower({ effectSize: 0, n })).toBeCloseTo(0.05, 12);
  });

  it('refuses a single pair', () => {
    expect(() => pairedTPower({ effectSize: 1, n: 1 })).toThrow('n is 1; a t test needs 2 pairs');
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
    expect(pairedT([1], [0.5])).toEqual({ difference: 0.5, std: null, ci95: null, effectSize: null, p: null });
    expect(pairedT([1, 2], [1, 2]).p).toBeNull();
    expect(pairedT([1, 2], [0.5, 1.5])).toMatchObject({ p: 0, effectSize: null });
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

  it('is the same when a and b change places, up to the sign, and when users are reordered', () => {
    fc.assert(
      fc.property(pairs, (drawn) => {
        const [a, b] = [drawn.map(([x]) => x), drawn.map(([, y]) => y)];
        const { n, wins, losses, ties, rankBiserial, p } = wilcoxonSignedRank(a, b);
        expect(wins + losses + ties).toBe(n);
        const near = (value: number | null): unknown => (value === null ? null : expect.closeTo(value, 12));
        const swapped = { n, wins: losses, losses: wins, ties, rankBiserial: near(rankBiserial && -rankBiserial), p: near(p) }; // prettier-ignore
        expect(wilcoxonSignedRank(b, a)).toEqual(swapped);
        expect(wilcoxonSignedRank([...a].reverse(), [...b].reverse())).toEqual({ n, wins, losses, ties, rankBiserial: near(rankBiserial), p: near(p) }); // prettier-ignore
      }),
    );
  });

  it('counts the signs out by hand: three wins of three happen by chance once in eight, on either side', () => {
    expect(wilcoxonSignedRank([1, 2, 3], [0, 0, 0])).toMatchObject({ p: 2 / 8, rankBiserial: 1 });
    // the zero takes rank 1, so the others have 2 and 3.5, 3.5; R⁺ = 7 is reached by 1 of 8
    expect(wilcoxonSignedRank([0, 1, 2, -2], [0, 0, 0, 0])).toMatchObject({ p: 1, rankBiserial: 2 / 9 });
  });

  it('leaves out users who have no value on either side, wherever they stand', () => {
    const found = wilcoxonSignedRank([3, 1, 4, 1, 5], [2, 2, 1, 1, 1]);
    expect(found).toMatchObject({ n: 5, wins: 3, losses: 1, ties: 1 });
    expect(wilcoxonSignedRank([NaN, 3, 1, 4, NaN, 1, 5, NaN], [NaN, 2, 2, 1, NaN, 1, 1, NaN])).toEqual(found);
    expect(wilcoxonSignedRank([NaN, 1], [NaN, 1])).toMatchObject({ n: 1, p: null });
    expect(wilcoxonSignedRank([NaN], [NaN])).toMatchObject({ n: 0, p: null });
  });

  it('refuses a user who has a value on one side only, and says how many there are', () => {
    expect(() => wilcoxonSignedRank([1, NaN, 0.5, NaN], [0.5, 1, NaN, NaN])).toThrow(
      '2 of 4 users have a value on one side only; both must be measured alike',
    );
  });

  it('has no p where nothing differs', () => {
    const none = { wins: 0, losses: 0, rankBiserial: null, p: null };
    expect(wilcoxonSignedRank([1, 0], [1, 0])).toEqual({ ...none, n: 2, ties: 2 });
    expect(wilcoxonSignedRank([], [])).toEqual({ ...none, n: 0, ties: 0 });
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
