import { createParameter, tf } from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss } from '../../contract.js';
import { createTemperature, temperatureParams } from '../../temperature.js';

const params = z.strictObject({
  ...temperatureParams,
  temperature: temperatureParams.temperature.default(1),
  bias: z
    .boolean()
    .default(true)
    .describe('Adds one learned number to every logit, so that rare positives can be met.'),
});

/**
 * Pointwise binary cross-entropy from logits, over positives and drawn negatives, or over labelled rows.
 *   s = ⟨u, v⟩ / τ + b,   L = mean( softplus(−s) for label 1, softplus(s) for label 0 )
 *
 * @shape query [batch, dim], candidate [batch·(1 + numNegatives), dim]
 * @returns nats, mean over all scored pairs (not per positive)
 * @numerics softplus(s) = max(s, 0) + log(1 + e^−|s|), from logits, so no probability is ever clipped
 */
export const definition = defineLoss({
  name: 'bce',
  revision: 1,
  summary: 'Pointwise binary cross-entropy on positives and sampled negatives, or on labelled rows.',
  params,
  layout: 'pairs',
  build({ params: { bias: hasBias, ...rest } }) {
    const temperature = createTemperature(rest);
    const bias = hasBias ? createParameter('objective/bias', [], () => 0) : null;
    return {
      layout: 'pairs',
      parameters: [...temperature.parameters, ...(bias === null ? [] : [bias])],
      logits: (scores) => {
        const tau = temperature.current();
        const shift = bias?.values[0] ?? 0;
        return scores.map((score) => score / tau + shift);
      },
      apply(scope, { query, candidate }, { size, numNegatives, labels }) {
        const dim = query.shape[1];
        const logitsOf = (scores: tf.Tensor2D): tf.Tensor2D => {
          const scaled = tf.div<tf.Tensor2D>(scores, temperature.value(scope));
          return bias === null ? scaled : tf.add<tf.Tensor2D>(scaled, scope.value(bias));
        };
        const own = tf.slice(candidate, [0, 0], [size, dim]);
        const s = logitsOf(tf.sum(tf.mul(query, own), 1, true)); // [batch, 1]
        // softplus(s) − y·s is softplus(−s) for y = 1 and softplus(s) for y = 0.
        const y = tf.tensor2d(labels ?? new Float32Array(size).fill(1), [size, 1]);
        let total = tf.sum(tf.sub(softplus(s), tf.mul(y, s)));
        if (numNegatives > 0) {
          const drawn = tf.reshape(tf.slice(candidate, [size, 0], [size * numNegatives, dim]), [
            size,
            numNegatives,
            dim,
          ]);
          const scores = tf.sum<tf.Tensor2D>(tf.mul(tf.expandDims(query, 1), drawn), 2); // [batch, numNegatives]
          total = tf.add(total, tf.sum(softplus(logitsOf(scores))));
        }
        return { loss: tf.div(total, size * (1 + numNegatives)) };
      },
    };
  },
});

/** log(1 + e^s) with the gradient sigmoid(s), without overflow. */
const softplus = tf.customGrad((s, save) => {
  const logits = s as tf.Tensor;
  (save as (tensors: tf.Tensor[]) => void)([logits]);
  const value = tf.add(tf.relu(logits), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))));
  return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, tf.sigmoid(saved[0] as tf.Tensor)) };
});
