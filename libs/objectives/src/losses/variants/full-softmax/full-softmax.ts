import { inBatchSoftmaxCrossEntropy } from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss } from '../../contract.js';
import { createTemperature, temperatureParams } from '../../temperature.js';

/**
 * Softmax cross-entropy over the whole catalogue.
 *   L = −(1/B) Σ_b w_b log( e^{⟨u_b, v_p⟩ / τ} / Σ_{i ≤ N} e^{⟨u_b, v_i⟩ / τ} ),   p the positive of example b
 * Nothing is sampled, so there is nothing to correct: its optimum is log P(i | u) + c(u).
 *
 * @shape query [queries, dim], candidate [items, dim]
 * @returns nats, mean over the batch
 * @numerics Scores exist for 32 queries at a time on the simd engine, never for the batch.
 */
export const definition = defineLoss({
  name: 'full-softmax',
  revision: 1,
  summary: 'Softmax over the whole catalogue.',
  params: z.strictObject(temperatureParams),
  layout: 'catalogue',
  labelled: false,
  build({ params }) {
    const temperature = createTemperature(params);
    return {
      layout: 'catalogue',
      parameters: temperature.parameters,
      logits: null,
      apply: (scope, vectors, { queryOf, candidateOf, occurrences, weights }) => ({
        loss: inBatchSoftmaxCrossEntropy({
          ...vectors,
          queryOf,
          candidateOf,
          temperature: temperature.value(scope),
          correction: null,
          occurrences: occurrences as Float32Array,
          ownCopies: 'one',
          weights,
        }),
      }),
    };
  },
});
