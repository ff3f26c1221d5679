import { z } from 'zod';
import { defineSampler } from '../../contract.js';

const params = z.strictObject({
  numUniform: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'B′: items drawn uniformly for the whole batch, anew at every step; null draws as many as the batch has rows.',
    ),
});

/**
 * Mixed negatives: the positives of the batch, and items drawn uniformly from the catalogue, all shared by the whole batch.
 *   q_i = (B n_i / Σ n + B′ / N) / (B + B′),   n the training interactions
 *
 * @source Yang et al. 2020, "Mixed Negative Sampling for Learning Two-tower Neural Networks in Recommendations", doi:10.1145/3366424.3386195
 * @deviation Known positives are drawn as any other item: what is drawn is a negative of all, and almost always right.
 * @numerics log q is computed in float64 and rounded once.
 */
export const definition = defineSampler({
  name: 'mixed',
  revision: 1,
  summary: 'The positives of the batch, and items drawn uniformly for all of it.',
  reference: {
    title: 'Mixed Negative Sampling for Learning Two-tower Neural Networks in Recommendations',
    year: 2020,
    url: 'https://doi.org/10.1145/3366424.3386195',
  },
  params,
  layout: 'in-batch',
  labelled: false,
  build({ params: { numUniform }, data: { itemCounts, numItems }, batchSize }) {
    const drawn = numUniform ?? batchSize;
    const total = itemCounts.reduce((sum, count) => sum + count, 0);
    return {
      numNegatives: 0,
      logSamplingProbability: Float32Array.from(itemCounts, (count) =>
        Math.log(((batchSize * count) / total + drawn / numItems) / (batchSize + drawn)),
      ),
      draw: ({ rng }) => Int32Array.from({ length: drawn }, () => rng.int(numItems)),
    };
  },
});
