import { inBatchSoftmaxCrossEntropy } from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss } from '../../contract.js';
import { requireProbability } from '../../sampling-probability.js';
import { createTemperature, temperatureParams } from '../../temperature.js';

const params = z.strictObject({
  ...temperatureParams,
  logQ: z
    .enum(['none', 'standard'])
    .default('standard')
    .describe(
      'Sampling-bias correction: `standard` subtracts log q of each candidate, q its share of the training interactions.',
    ),
  maskAccidentalHits: z
    .boolean()
    .default(true)
    .describe('Leaves out, for each query, the other candidates that are the same item as its positive.'),
});

/**
 * In-batch softmax cross-entropy: every other positive of the batch is a negative.
 *   s_ij = ⟨u_i, v_j⟩ / τ − log q_j,   L = −(1/B) Σᵢ wᵢ log softmax_j(s_ij)[i]
 * The order is fixed: divide by τ, then subtract log q, then mask accidental hits. log q is never applied when serving.
 *
 * @shape query [queries, dim], candidate [candidates, dim]
 * @returns nats, mean over the batch
 * @source Yi et al. 2019, "Sampling-Bias-Corrected Neural Modeling", doi:10.1145/3298689.3346996
 * @deviation The paper estimates q from a stream; it is counted exactly here, on the training part.
 */
export const definition = defineLoss({
  name: 'in-batch-softmax',
  revision: 1,
  summary: 'Softmax over the positives of the batch, with sampling-bias correction.',
  reference: {
    title: 'Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations',
    year: 2019,
    url: 'https://doi.org/10.1145/3298689.3346996',
  },
  params,
  layout: 'in-batch',
  labelled: false,
  build({ params: { logQ, maskAccidentalHits, ...rest } }) {
    const temperature = createTemperature(rest);
    return {
      layout: 'in-batch',
      parameters: temperature.parameters,
      logits: null,
      apply(scope, { query, candidate }, { queryOf, candidateOf, items, weights, logSamplingProbability }) {
        const logProbability = logQ === 'none' ? null : requireProbability('in-batch-softmax', logSamplingProbability);
        return {
          loss: inBatchSoftmaxCrossEntropy({
            query,
            candidate,
            queryOf,
            candidateOf,
            temperature: temperature.value(scope),
            correction: logProbability && Float32Array.from(items, (item) => logProbability[item] as number),
            ownCopies: maskAccidentalHits ? 'one' : 'all',
            weights,
          }),
        };
      },
    };
  },
});
