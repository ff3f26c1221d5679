import { wilcoxonSignedRank } from '@towerbench/metrics';
import { z } from 'zod';
import { definePruner, inSeeds, meanWorth, type SeedResult } from '../../contract.js';

/** Seeds before the first decision where the file does not say it; under 4 seeds nothing can be told at .1. */
const FIRST_DECISION = { seeds: 4, users: 1 } as const;

/**
 * Stops a trial that is worse than the best earlier one with p < `p_threshold`, by Wilcoxon's signed-rank test over the seeds that
 * both have, or over the users of the validation part, of whom each has the mean over these seeds. The same seed draws the same start,
 * order and negatives, and the same user has the same positives, so what is common to both drops out. One-sided.
 *
 * @numerics p as `wilcoxonSignedRank` has it, which counts the chances out for as many seeds as anyone has.
 */
export const definition = definePruner({
  name: 'wilcoxon',
  revision: 1,
  summary: 'Stops what is worse than the best earlier trial by a test that is paired over seeds, or over users.',
  reference: {
    title: 'Individual Comparisons by Ranking Methods',
    year: 1945,
    url: 'https://doi.org/10.2307/3001968',
  },
  params: z.strictObject({
    over: z
      .enum(['seeds', 'users'])
      .default('seeds')
      .describe('What is paired: seeds, or the users of the validation part.'),
    minIter: z
      .int()
      .positive()
      .optional()
      .describe('Seeds before the first decision; 4 over seeds and 1 over users when left out.'),
    pThreshold: z.number().gt(0).lt(1).default(0.1).describe('A trial stops when p is below it.'),
  }),
  build: ({ over, minIter = FIRST_DECISION[over], pThreshold }) => ({
    needsUsers: over === 'users',
    reasonToStop(own, earlier) {
      const complete = earlier.filter((trial) => trial.length >= own.length);
      const [first] = complete;
      if (own.length < minIter || first === undefined) return null;
      const sofar = (trial: readonly SeedResult[]): number => meanWorth(trial, own.length);
      const best = complete.reduce((a, b) => (sofar(b) > sofar(a) ? b : a), first).slice(0, own.length);
      const [ours, theirs] = over === 'seeds' ? [worths(own), worths(best)] : [userMeans(own), userMeans(best)];
      if (ours === null || theirs === null) return null;
      const test = wilcoxonSignedRank(ours, theirs);
      if (test.p === null || (test.rankBiserial as number) >= 0) return null;
      const p = test.p / 2; // on the side that is worse
      if (p >= pThreshold) return null;
      const pairs = over === 'users' ? ` for ${test.losses} of ${test.n} users` : '';
      return `after ${inSeeds(own.length)} worse${pairs} than the best earlier trial, p = ${p.toFixed(4)}`;
    },
  }),
});

function worths(results: readonly SeedResult[]): Float64Array {
  return Float64Array.from(results, ({ worth }) => worth);
}

/** Mean over the seeds of each user; null where a seed has no users. */
function userMeans(results: readonly SeedResult[]): Float64Array | null {
  const seeds = results.flatMap(({ userWorths }) => userWorths ?? []);
  const [first] = seeds;
  if (first === undefined || seeds.length < results.length) return null;
  return Float64Array.from(first, (_, user) => seeds.reduce((sum, of) => sum + (of[user] as number), 0) / seeds.length);
}
