import { describe, expect, it } from 'vitest';
import { crossedCoverage, familyWiseError, seedCoverage, userCoverage, type Share } from './simulate.js';

const seed = 20;

/** Within four standard errors of a share of 95 %: a right interval fails this once in 16,000 seeds. */
function expectNominal({ share, trials }: Share): void {
  expect(Math.abs(share - 0.95)).toBeLessThan(4 * Math.sqrt((0.95 * 0.05) / trials));
}

describe('in simulated experiments', () => {
  it.each([2, 3, 5, 10])('the t interval over %i seeds covers the difference as often as it says', (seeds) => {
    expectNominal(seedCoverage({ seeds, trials: 20_000, seed }));
  });

  it('the bootstrap interval over 100 users covers the mean difference nearly as often as it says', () => {
    const { share } = userCoverage({ users: 100, trials: 300, seed });
    expect(share).toBeGreaterThan(0.85);
    expect(share).toBeLessThan(0.99);
  });

  it.each([1, 4, 15])('Holm marks any of %i variants that are no better in at most one of twenty', (variants) => {
    const { share, trials } = familyWiseError({ variants, seeds: 5, trials: 10_000, seed });
    expect(share).toBeLessThan(0.05 + 4 * Math.sqrt((0.05 * 0.95) / trials));
    expect(share).toBeGreaterThan(0.02);
  });

  it('five seeds are too few to be drawn with replacement: the bootstrap over seeds and users covers less than 90 %', () => {
    const spreads = { seeds: 5, users: 100, seedSpread: 1, userSpread: 0.3 };
    expect(crossedCoverage({ ...spreads, trials: 80, seed }).pigeonhole.share).toBeLessThan(0.9);
  });
});
