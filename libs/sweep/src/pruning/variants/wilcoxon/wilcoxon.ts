import { wilcoxonSignedRank } from '@towerbench/metrics';
import { z } from 'zod';
import { definePruner, inSeeds, meanWorth, type SeedResult } from '../../contract.js';

/**
 * Stops a trial that is worse than the best earlier one with p < `p_threshold`, by Wilcoxon's signed-rank test over the seeds that
 * both have: the same seed draws the same start, order and negatives, so what is common to both drops out. One-sided.
 *
 * @numerics p as `wilcoxonSignedRank` has it, which counts the chances out for as many seeds as anyone has.
 */
export const definition = definePruner({
  name: 'wilcoxon',
  revision: 1,
  summary: 'Stops what is worse than the best earlier trial by a test that is paired over seeds.',
  reference: {
    title: 'Individual Comparisons by Ranking Methods',
    year: 1945,
    url: 'https://doi.org/10.2307/3001968',
  },
  params: z.strictObject({
    minIter: z
      .int()
      .positive()
      .default(4)
      .describe('Seeds before the first decision; under 4 nothing can be told at .1.'),
    pThreshold: z.number().gt(0).lt(1).default(0.1).describe('A trial stops when p is below it.'),
  }),
  build: ({ minIter, pThreshold }) => ({
    reasonToStop(own, earlier) {
      const complete = earlier.filter((trial) => trial.length >= own.length);
      const [first] = complete;
      if (own.length < minIter || first === undefined) return null;
      const best = complete.reduce((a, b) => (meanWorth(b) > meanWorth(a) ? b : a), first);
      const worths = (results: readonly SeedResult[]): number[] => results.map(({ worth }) => worth);
      const test = wilcoxonSignedRank(worths(own), worths(best.slice(0, own.length)));
      if (test.p === null || (test.rankBiserial as number) >= 0) return null;
      const p = test.p / 2; // on the side that is worse
      return p < pThreshold
        ? `after ${inSeeds(own.length)} worse than the best earlier trial, p = ${p.toFixed(4)}`
        : null;
    },
  }),
});
