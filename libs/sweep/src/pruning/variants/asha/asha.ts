import { z } from 'zod';
import { definePruner, inSeeds, meanWorth } from '../../contract.js';

/**
 * Asynchronous successive halving with seeds as the resource: rung k is after min_iter · eta^k seeds, and a trial goes on from it when it
 * is among the best 1/eta of all that have come to it so far, itself with them.
 *
 * @deviation A trial that was stopped is not taken up again when later ones turn out worse, so a decision never changes.
 */
export const definition = definePruner({
  name: 'asha',
  revision: 1,
  summary: 'Successive halving: only the best 1/eta goes on from each rung.',
  reference: {
    title: 'A System for Massively Parallel Hyperparameter Tuning',
    year: 2020,
    url: 'https://arxiv.org/abs/1810.05934',
  },
  params: z.strictObject({
    minIter: z.int().positive().default(1).describe('Seeds before the first rung.'),
    eta: z.int().min(2).default(3).describe('One in so many goes on; also by how much the next rung is further.'),
  }),
  build: ({ minIter, eta }) => ({
    needsUsers: false,
    reasonToStop(own, earlier) {
      const count = own.length;
      if (!isRung(count, minIter, eta)) return null;
      const mean = meanWorth(own);
      const others = earlier.filter((trial) => trial.length >= count).map((trial) => meanWorth(trial, count));
      const places = Math.max(1, Math.floor((others.length + 1) / eta));
      const better = others.filter((other) => other > mean).length;
      if (better < places) return null;
      return `after ${inSeeds(count)} number ${better + 1} of ${others.length + 1}, and ${places} may go on`;
    },
  }),
});

function isRung(count: number, minIter: number, eta: number): boolean {
  let rung = minIter;
  while (rung < count) rung *= eta;
  return rung === count;
}
