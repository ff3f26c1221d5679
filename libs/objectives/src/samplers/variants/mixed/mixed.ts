import type { Rng } from '@towerbench/engine';
import { z } from 'zod';
import { defineSampler, probabilitiesIn } from '../../contract.js';
import { createStreamingFrequency, frequencyParams } from '../../streaming-frequency.js';

const params = z.strictObject({
  numUniform: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'B′: items drawn uniformly for the whole batch, anew at every step; null draws as many as the batch has rows.',
    ),
  ...frequencyParams,
});

/**
 * Mixed negatives: the positives of the batch, and items drawn uniformly from the catalogue, all shared by the whole batch.
 *   exact: q_i = (B n_i / Σ n + B′ / N) / (B + B′),   n the training interactions
 *   streaming: q_i = 1 − (1 − p_i)(1 − 1 / N)^B′,   p_i how often item i is a positive of a batch, estimated on the way
 *
 * @source Yang et al. 2020, "Mixed Negative Sampling for Learning Two-tower Neural Networks in Recommendations", doi:10.1145/3366424.3386195
 * @deviation Known positives are drawn as any other item: what is drawn is a negative of all, and almost always right; the objective can
 * leave them out for each query. With `streaming` an item counts once among the candidates of a batch, as with `in-batch`.
 * @numerics log q is computed in float64 and rounded once.
 */
export const definition = defineSampler({
  name: 'mixed',
  revision: 2,
  summary: 'The positives of the batch, and items drawn uniformly for all of it.',
  reference: {
    title: 'Mixed Negative Sampling for Learning Two-tower Neural Networks in Recommendations',
    year: 2020,
    url: 'https://doi.org/10.1145/3366424.3386195',
  },
  params,
  layout: 'in-batch',
  labelled: false,
  probability: ({ frequencies }) => (frequencies === 'exact' ? 'draw' : 'presence'),
  build({ params: { numUniform, frequencies, ...rest }, data: { itemCounts, numItems }, batchSize }) {
    const drawn = numUniform ?? batchSize;
    const draw = ({ rng }: { readonly rng: Rng }) => ({
      items: Int32Array.from({ length: drawn }, () => rng.int(numItems)),
    });
    if (frequencies === 'streaming') {
      const stream = createStreamingFrequency({ numItems, ...rest });
      const logMissed = drawn * Math.log1p(-1 / numItems); // by all uniform draws
      const logPresence = (item: number): number =>
        Math.log(-Math.expm1(Math.log1p(-stream.presence(item)) + logMissed));
      return { numNegatives: 0, draw, stream, logProbabilityOf: (items) => Float32Array.from(items, logPresence) };
    }
    const total = itemCounts.reduce((sum, count) => sum + count, 0);
    const logProbability = Float32Array.from(itemCounts, (count) =>
      Math.log(((batchSize * count) / total + drawn / numItems) / (batchSize + drawn)),
    );
    return { numNegatives: 0, draw, logProbabilityOf: probabilitiesIn(logProbability) };
  },
});
