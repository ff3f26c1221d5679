import { z } from 'zod';
import { definePruner, inSeeds, meanWorth } from '../../contract.js';

/** Stops a trial whose mean over its seeds so far is below the median of what earlier trials had after as many seeds. */
export const definition = definePruner({
  name: 'median',
  revision: 1,
  summary: 'Stops what is worse than half of the earlier trials after as many seeds.',
  reference: {
    title: 'Google Vizier: A Service for Black-Box Optimization',
    year: 2017,
    url: 'https://doi.org/10.1145/3097983.3098043',
  },
  params: z.strictObject({
    minIter: z.int().positive().default(1).describe('Seeds before the first decision.'),
    minTrials: z.int().positive().default(5).describe('Earlier trials with as many seeds that a decision needs.'),
  }),
  build: ({ minIter, minTrials }) => ({
    needsUsers: false,
    reasonToStop(own, earlier) {
      const count = own.length;
      const others = earlier.filter((trial) => trial.length >= count).map((trial) => meanWorth(trial, count));
      if (count < minIter || others.length < minTrials) return null;
      const middle = medianOf(others);
      return meanWorth(own) < middle
        ? `after ${inSeeds(count)} worse than the median of ${others.length} earlier trials`
        : null;
    },
  }),
});

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] as number) + (sorted[Math.floor(half)] as number)) / 2;
}
