import { z } from 'zod';
import { defineSampler } from '../../contract.js';

/**
 * The other positives of the batch are the negatives; nothing is drawn.
 *   q_i = n_i / Σ n, n the training interactions
 *
 * @numerics log q is computed in float64 and rounded once. An item without training interactions gets the q of one.
 */
export const definition = defineSampler({
  name: 'in-batch',
  revision: 1,
  summary: 'The positives of the other rows of the batch.',
  params: z.strictObject({}),
  layout: 'in-batch',
  labelled: false,
  build({ data: { itemCounts } }) {
    const total = itemCounts.reduce((sum, count) => sum + count, 0);
    return {
      numNegatives: 0,
      logSamplingProbability: Float32Array.from(itemCounts, (count) => Math.log(Math.max(count, 1) / total)),
      draw: () => new Int32Array(0),
    };
  },
});
