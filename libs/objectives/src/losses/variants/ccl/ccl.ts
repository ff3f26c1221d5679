import { tf } from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss } from '../../contract.js';
import { pairWeights, weightedMean } from '../../triplet.js';

const params = z.strictObject({
  margin: z
    .number()
    .min(-1)
    .lt(1)
    .default(0.9)
    .describe('m: cosines of negatives below it cost nothing. The paper tunes it per data set, from 0 to .9.'),
  negativeWeight: z
    .number()
    .positive()
    .default(150)
    .describe('w: how much the mean over the negatives counts beside the positive.'),
});

/**
 * Cosine contrastive loss.
 *   L = mean over positives of (1 − s⁺) + (w / n) Σ_j max(0, s⁻_j − m),   n = numNegatives
 *
 * @shape scores [batch, 1 + numNegatives], cosines
 * @returns a number without unit, mean over the positives; a negative that is the positive's own item counts 0
 * @source Mao et al. 2021, "SimpleX: A Simple and Strong Baseline for Collaborative Filtering", doi:10.1145/3459637.3482297
 * @deviation It does not normalise by itself, so that the trained score is the served one: the model has to.
 * @numerics The gradient at the corner is that of the flat side, 0.
 */
export const definition = defineLoss({
  name: 'ccl',
  revision: 1,
  summary: 'Cosine contrastive loss: positives to 1, negatives below a margin.',
  reference: {
    title: 'SimpleX: A Simple and Strong Baseline for Collaborative Filtering',
    year: 2021,
    url: 'https://doi.org/10.1145/3459637.3482297',
  },
  params,
  layout: 'pairs',
  labelled: false,
  needsUnitVectors: true,
  build: ({ params: { margin, negativeWeight } }) => ({
    layout: 'pairs',
    parameters: [],
    logits: null,
    apply(_, cosines, batch) {
      const { size, numNegatives, weights } = batch;
      const gaps = tf.sub<tf.Tensor2D>(1, tf.slice(cosines, [0, 0], [size, 1]));
      const excess = tf.relu(tf.sub<tf.Tensor2D>(tf.slice(cosines, [0, 1], [size, numNegatives]), margin));
      const pushed = tf.mul<tf.Scalar>(weightedMean(excess, pairWeights(batch)), negativeWeight);
      return { loss: tf.add(weightedMean(gaps, weights), pushed) };
    },
  }),
});
