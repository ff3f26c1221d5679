import { describe, expect, it } from 'vitest';
import { compareRounds, medianRates, quantile } from './ratios.mjs';

/** A window of one second with `rate` units and half a second of processor time. @param {number} rate */
function window(rate) {
  return { name: 'program', unit: 'examples', amount: rate, seconds: 1, cpu_seconds: 0.5 };
}

describe('compareRounds', () => {
  it('takes ratios within rounds: a slow minute of the machine moves none of them', () => {
    const ours = [10, 200, 30].map(window);
    const theirs = [10, 100, 5].map(window);
    expect(compareRounds(ours, theirs)).toMatchObject({ ratio: 2, ratio_wall: 2, rounds: 3 }); // of 1, 2 and 6
  });

  it('compares processor time, and beside it time on the clock', () => {
    const ours = [{ ...window(100), cpu_seconds: 0.25 }];
    expect(compareRounds(ours, [window(100)])).toMatchObject({ ratio: 2, ratio_wall: 1 });
  });

  it('gives the middle half of the rounds as its spread', () => {
    const ours = [1, 2, 3, 4, 5].map((rate) => window(rate * 10));
    expect(
      compareRounds(
        ours,
        ours.map(() => window(10)),
      ),
    ).toMatchObject({ ratio: 3, ratio_quartiles: [2, 4] });
  });
});

describe('medianRates', () => {
  it('names its fields after the unit', () => {
    expect(medianRates('queries', [1, 5, 2].map(window))).toEqual({ queries_per_second: 2, queries_per_cpu_second: 4 });
  });
});

describe('quantile', () => {
  it('is linear between the two nearest values, whatever their order', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10, 0], 0.25)).toBe(2.5);
    expect(quantile([7], 0.75)).toBe(7);
  });
});
