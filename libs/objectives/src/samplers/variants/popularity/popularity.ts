import { z } from 'zod';
import { defineSampler, probabilitiesIn } from '../../contract.js';
import { perPositive, perPositiveParams, weightedDraw } from '../../drawing.js';

const params = z.strictObject({
  ...perPositiveParams,
  alpha: z
    .number()
    .min(0)
    .max(2)
    .default(0.75)
    .describe('Exponent of the counts: 1 draws as often as clicked, 0 uniformly among what was clicked.'),
});

/**
 * Items in proportion to a power of how often the training part has them.
 *   q_i = n_i^α / Σ n^α
 *
 * @source Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their Compositionality", arXiv:1310.4546
 * @deviation An item without training interactions is never drawn, also for α = 0; its log q, which no batch can ask for, is that of one.
 * @numerics log q is computed in float64 and rounded once. With `excludePositives` it stays that of the plain draw.
 */
export const definition = defineSampler({
  name: 'popularity',
  revision: 1,
  summary: 'In proportion to a power of the training counts.',
  reference: {
    title: 'Distributed Representations of Words and Phrases and their Compositionality',
    year: 2013,
    url: 'https://arxiv.org/abs/1310.4546',
  },
  params,
  layout: 'pairs',
  labelled: false,
  build({ params: { alpha, ...rest }, data: { itemCounts, numItems } }) {
    const weights = Float64Array.from(itemCounts, (count) => (count === 0 ? 0 : count ** alpha));
    const logTotal = Math.log(weights.reduce((sum, weight) => sum + weight, 0));
    const drawable = weights.reduce((sum, weight) => sum + (weight > 0 ? 1 : 0), 0);
    return {
      numNegatives: rest.numNegatives,
      logProbabilityOf: probabilitiesIn(
        Float32Array.from(itemCounts, (count) => alpha * Math.log(Math.max(count, 1)) - logTotal),
      ),
      draw: perPositive(rest, { numItems, drawable, draw: weightedDraw(weights) }),
    };
  },
});
