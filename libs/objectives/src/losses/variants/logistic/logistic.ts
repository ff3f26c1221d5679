import { sigmoidCrossEntropy, tf } from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss } from '../../contract.js';
import { leads, pairWeights } from '../../triplet.js';

const params = z.strictObject({
  scale: z
    .number()
    .positive()
    .max(1000)
    .default(5)
    .describe('σ: how steep the loss is. With normalised vectors differences are at most 2, so 5 to 10 is usual.'),
});

/**
 * Triplet logistic loss, a hinge without its corner.
 *   L = mean( log(1 + exp(σ (s⁻ − s⁺))) ) over all pairs of a positive and one of its negatives
 * With σ = 1 it is `bpr`, with σ = 1 / τ that one at temperature τ.
 *
 * @shape scores [batch, 1 + numNegatives]
 * @returns nats, mean over the pairs; a negative that is the positive's own item counts 0
 * @source Gao et al. 2011, "Clickthrough-Based Latent Semantic Models for Web Search", doi:10.1145/2009916.2010007
 * @numerics log(1 + e^x) = max(x, 0) + log(1 + e^−|x|)
 */
export const definition = defineLoss({
  name: 'logistic',
  revision: 1,
  summary: 'Triplet logistic loss with a scale.',
  params,
  layout: 'pairs',
  labelled: false,
  build: ({ params: { scale } }) => ({
    layout: 'pairs',
    parameters: [],
    logits: null,
    apply(_, scores, batch) {
      const x = tf.mul<tf.Tensor2D>(leads(scores, batch), scale); // [batch, numNegatives]
      return { loss: sigmoidCrossEntropy(x, new Float32Array(x.size), pairWeights(batch)) };
    },
  }),
});
