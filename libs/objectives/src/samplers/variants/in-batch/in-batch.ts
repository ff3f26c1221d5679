import { z } from 'zod';
import { defineSampler, probabilitiesIn } from '../../contract.js';
import { createStreamingFrequency, frequencyParams } from '../../streaming-frequency.js';

/**
 * The other positives of the batch are the negatives; nothing is drawn.
 *   exact: q_i = n_i / Σ n, n the training interactions;  streaming: q_i, how often item i is in a batch, estimated on the way
 *
 * @source `streaming`: Yi et al. 2019, "Sampling-Bias-Corrected Neural Modeling", doi:10.1145/3298689.3346996
 * @deviation With `streaming` an item counts once among the candidates of a batch, however many rows have it: that is what its q stands for.
 * @numerics log q is computed in float64 and rounded once. An item without training interactions gets the q of one.
 */
export const definition = defineSampler({
  name: 'in-batch',
  revision: 2,
  summary: 'The positives of the other rows of the batch.',
  params: z.strictObject(frequencyParams),
  layout: 'in-batch',
  labelled: false,
  probability: ({ frequencies }) => (frequencies === 'exact' ? 'draw' : 'presence'),
  build({ params: { frequencies, ...rest }, data: { itemCounts, numItems } }) {
    const nothing = { items: new Int32Array(0) };
    const common = { numNegatives: 0, draw: () => nothing };
    if (frequencies === 'streaming') {
      const stream = createStreamingFrequency({ numItems, ...rest });
      return {
        ...common,
        stream,
        logProbabilityOf: (items) => Float32Array.from(items, (item) => Math.log(stream.presence(item))),
      };
    }
    const total = itemCounts.reduce((sum, count) => sum + count, 0);
    return {
      ...common,
      logProbabilityOf: probabilitiesIn(Float32Array.from(itemCounts, (count) => Math.log(Math.max(count, 1) / total))),
    };
  },
});
