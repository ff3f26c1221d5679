import { tf } from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss } from '../../contract.js';
import { leads, pairWeights, weightedMean } from '../../triplet.js';

const params = z.strictObject({
  margin: z
    .number()
    .positive()
    .max(100)
    .default(0.2)
    .describe('m: by how much the positive is to be ahead, in units of the score. Tune it: a wrong one costs recall.'),
});

/**
 * Triplet hinge loss.
 *   L = mean( max(0, s⁻ − s⁺ + m) ) over all pairs of a positive and one of its negatives
 * With unit vectors and D = 1 − s it is the distance form max(0, D⁺ − D⁻ + m).
 *
 * @shape scores [batch, 1 + numNegatives]
 * @returns units of the score, mean over the pairs; a negative that is the positive's own item counts 0
 * @source Huang et al. 2020, "Embedding-based Retrieval in Facebook Search", doi:10.1145/3394486.3403305
 * @numerics The gradient at the corner is that of the flat side, 0.
 */
export const definition = defineLoss({
  name: 'hinge',
  revision: 1,
  summary: 'Triplet hinge loss: the positive is to be ahead of each negative by a margin.',
  reference: {
    title: 'Embedding-based Retrieval in Facebook Search',
    year: 2020,
    url: 'https://doi.org/10.1145/3394486.3403305',
  },
  params,
  layout: 'pairs',
  labelled: false,
  build: ({ params: { margin } }) => ({
    layout: 'pairs',
    parameters: [],
    logits: null,
    apply(_, scores, batch) {
      const short = tf.relu(tf.add<tf.Tensor2D>(leads(scores, batch), margin)); // [batch, numNegatives]
      return { loss: weightedMean(short, pairWeights(batch)) };
    },
  }),
});
