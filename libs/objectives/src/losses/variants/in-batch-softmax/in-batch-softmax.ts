import {
  firstChoiceSoftmaxCrossEntropy,
  inBatchSoftmaxCrossEntropy,
  pairScores,
  tf,
  type Scope,
} from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss, type LossBatch } from '../../contract.js';
import { requireProbability } from '../../sampling-probability.js';
import { createTemperature, temperatureParams } from '../../temperature.js';
import { hardestChoices } from './hardest-choices.js';

const params = z.strictObject({
  ...temperatureParams,
  logQ: z
    .enum(['none', 'standard', 'positive-excluded'])
    .default('standard')
    .describe(
      'Sampling-bias correction: `standard` subtracts log q of each candidate, q how often the sampler brings it; `positive-excluded` that of negatives only, since a positive is never there by chance.',
    ),
  maskAccidentalHits: z
    .boolean()
    .default(true)
    .describe(
      'Leaves out, for each query, the other candidates that are the same item as its positive. `positive-excluded` and hard negatives do so in any case.',
    ),
  maskKnownPositives: z
    .boolean()
    .default(false)
    .describe(
      'Leaves out, for each query, all candidates that are training items of its user, as if they were its positive. Costs a row of scores per example instead of one per user.',
    ),
  numHardNegatives: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('Keeps, for each query, only so many negatives with the largest corrected logits; null keeps all.'),
});

/**
 * In-batch softmax cross-entropy: every other positive of the batch is a negative, and so is what the sampler draws besides.
 *   s_ij = ⟨u_i, v_j⟩ / τ − log q_j,   L = −(1/B) Σᵢ wᵢ log softmax_j(s_ij)[i]
 * The order is fixed: divide by τ, then subtract log q, then mask accidental hits and known positives, then keep the hardest. log q is never applied when
 * serving. With `positive-excluded` the sum over the catalogue is estimated from the n negatives alone, drawn from what is not the positive p:
 *   L = −(1/B) Σᵢ wᵢ log( e^{s_ip} / (e^{s_ip} + (1/n) Σ_{j≠p} e^{s_ij} / q′_j) ),   q′_j = q_j / (1 − q_p),   s without correction
 *
 * @shape query [queries, dim], candidate [candidates, dim]
 * @returns nats, mean over the batch
 * @source Yi et al. 2019, "Sampling-Bias-Corrected Neural Modeling", doi:10.1145/3298689.3346996; `positive-excluded`: Khrylchenko et al.
 * 2025, "Correcting the LogQ Correction", arXiv:2507.09331
 * @deviation The second paper writes its loss as the probability of a miss, held constant, times a softmax over the negatives; this one has
 * that gradient, and a value that is comparable with the others.
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
  corrects: ({ logQ }) => (logQ === 'none' ? [] : logQ === 'standard' ? ['draw', 'presence'] : ['draw']),
  build({ params: { logQ, maskAccidentalHits, maskKnownPositives, numHardNegatives, ...rest } }) {
    const temperature = createTemperature(rest);
    const choicesOf = (batch: LossBatch) => {
      const occurrences = batch.occurrences as Float32Array;
      const correction = logQ === 'none' ? null : requireProbability('in-batch-softmax', batch.logSamplingProbability);
      const scale = logQ === 'positive-excluded' ? negativesScale(occurrences, correction as Float32Array) : null;
      return { occurrences, correction, scale };
    };
    const ofAll = (scope: Scope, vectors: Vectors, batch: LossBatch): tf.Scalar => {
      const { queryOf, candidateOf, weights } = batch;
      const { occurrences, correction, scale } = choicesOf(batch);
      // The corrected positive, e^s / q, stands for e^s · scale where it counts scale · q times.
      const own = scale?.map((value, row) => value * Math.exp((correction as Float32Array)[row] as number));
      const loss = inBatchSoftmaxCrossEntropy({
        ...vectors,
        queryOf,
        candidateOf,
        temperature: temperature.value(scope),
        correction,
        occurrences,
        ownCopies: own ?? (maskAccidentalHits ? 'one' : 'all'),
        weights,
        hidden: batch.hidden,
      });
      if (own === undefined) return loss;
      let shift = 0;
      for (const [b, row] of candidateOf.entries()) shift += (weights?.[b] ?? 1) * Math.log(own[row] as number);
      return tf.sub(loss, shift / candidateOf.length);
    };
    const ofHardest = (scope: Scope, vectors: Vectors, batch: LossBatch, count: number): tf.Scalar => {
      const { occurrences, correction, scale } = choicesOf(batch);
      const tau = temperature.value(scope);
      const choices = hardestChoices(vectors, {
        ...batch,
        occurrences,
        correction,
        count,
        temperature: temperature.current(),
      });
      if (scale !== null) {
        for (const [b, row] of batch.candidateOf.entries()) {
          choices.correction[b * (1 + count)] = -Math.log(scale[row] as number);
        }
      }
      return firstChoiceSoftmaxCrossEntropy({
        scores: pairScores(vectors.query, vectors.candidate, { queryOf: batch.queryOf, candidateOf: choices.rows }),
        temperature: tau,
        correction: choices.correction,
        weights: batch.weights,
      });
    };
    return {
      layout: 'in-batch',
      hidesKnown: maskKnownPositives,
      parameters: temperature.parameters,
      logits: null,
      apply: (scope, vectors, batch) => ({
        loss:
          numHardNegatives === null ? ofAll(scope, vectors, batch) : ofHardest(scope, vectors, batch, numHardNegatives),
      }),
    };
  },
});

interface Vectors {
  readonly query: tf.Tensor2D;
  readonly candidate: tf.Tensor2D;
}

/** n / (1 − q_p) per candidate p, with n the choices that are not p: what the positive is multiplied by instead of dividing the others. */
function negativesScale(occurrences: Float32Array, logProbability: Float32Array): Float32Array {
  const total = occurrences.reduce((sum, count) => sum + count, 0);
  return occurrences.map((count, row) => {
    const others = Math.max(total - count, 1);
    return others / Math.max(-Math.expm1(logProbability[row] as number), 1e-6);
  });
}
