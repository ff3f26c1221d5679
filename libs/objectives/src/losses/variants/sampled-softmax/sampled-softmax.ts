import { firstChoiceSoftmaxCrossEntropy } from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss, type LossBatch } from '../../contract.js';
import { logExpectedCounts, requireProbability } from '../../sampling-probability.js';
import { createTemperature, temperatureParams } from '../../temperature.js';

const params = z.strictObject({
  ...temperatureParams,
  logQ: z
    .enum(['none', 'standard'])
    .default('standard')
    .describe(
      'Sampling correction: `standard` subtracts log E of each candidate, E how often the sampler is expected to draw it.',
    ),
  maskAccidentalHits: z
    .boolean()
    .default(true)
    .describe('Leaves out, for each query, the drawn negatives that are the same item as its positive.'),
});

/**
 * Softmax over a positive and the negatives drawn for it.
 *   s_j = score_j / τ − log E_j,   L = −(1/B) Σ_b w_b log softmax_j(s_bj)[positive]
 *   E_j = numNegatives · q_j, drawn with repetition;  E_j = 1 − (1 − q_j)^T, distinct and found in T draws
 * Positive and negatives are corrected alike. numNegatives is a factor of every term, so log q_j is what is subtracted. The order is fixed:
 * divide by τ, then subtract, then mask accidental hits. The correction is never applied when serving.
 *
 * @shape scores [size, 1 + numNegatives]
 * @returns nats, mean over the batch
 * @source Jean et al. 2015, "On Using Very Large Target Vocabulary for Neural Machine Translation", doi:10.3115/v1/P15-1001
 * @deviation A sample of its own for every query; the paper shares one among all.
 */
export const definition = defineLoss({
  name: 'sampled-softmax',
  revision: 1,
  summary: 'Softmax over a positive and the negatives drawn for it, corrected for how they are drawn.',
  reference: {
    title: 'On Using Very Large Target Vocabulary for Neural Machine Translation',
    year: 2015,
    url: 'https://doi.org/10.3115/v1/P15-1001',
  },
  params,
  layout: 'pairs',
  labelled: false,
  corrects: ({ logQ }) => (logQ === 'none' ? [] : ['draw']),
  build({ params: { logQ, maskAccidentalHits, ...rest } }) {
    const temperature = createTemperature(rest);
    return {
      layout: 'pairs',
      parameters: temperature.parameters,
      logits: null,
      apply(scope, scores, batch) {
        const logProbability =
          logQ === 'none' ? null : requireProbability('sampled-softmax', batch.logSamplingProbability);
        return {
          loss: firstChoiceSoftmaxCrossEntropy({
            scores,
            temperature: temperature.value(scope),
            correction: corrections(batch, logProbability, maskAccidentalHits),
            weights: batch.weights,
          }),
        };
      },
    };
  },
});

/** What is subtracted from every score, ∞ where a negative is the positive's item. @shape [batch, 1 + numNegatives] */
function corrections(batch: LossBatch, logProbability: Float32Array | null, mask: boolean): Float32Array {
  const { size, numNegatives, candidateOf } = batch;
  const choices = 1 + numNegatives;
  const result = logProbability === null ? new Float32Array(size * choices) : logExpectedCounts(batch, logProbability);
  for (let first = 0; mask && first < result.length; first += choices) {
    const positive = candidateOf[first] as number;
    for (let k = first + 1; k < first + choices; k++) if (candidateOf[k] === positive) result[k] = Infinity;
  }
  return result;
}
