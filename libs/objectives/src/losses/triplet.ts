import { tf } from '@towerbench/engine';
import type { LossBatch } from './contract.js';

/**
 * How much better each negative is scored than its positive: s⁻ − s⁺.
 *
 * @shape scores [batch, 1 + numNegatives], result [batch, numNegatives]
 */
export function leads(scores: tf.Tensor2D, batch: LossBatch): tf.Tensor2D {
  const positive = tf.slice(scores, [0, 0], [batch.size, 1]);
  const negatives = tf.slice(scores, [0, 1], [batch.size, batch.numNegatives]);
  return tf.sub(negatives, positive);
}

/**
 * How much each pair of a positive and a negative counts: the weight of its example, 0 where the negative is the positive's own item.
 *
 * @returns null where all count 1
 * @shape [batch, numNegatives]
 */
export function pairWeights({ size, numNegatives, candidateOf, weights }: LossBatch): Float32Array | null {
  const result = new Float32Array(size * numNegatives);
  let isPlain = weights === null;
  for (let b = 0; b < size; b++) {
    const first = b * (1 + numNegatives);
    for (let k = 0; k < numNegatives; k++) {
      const isHit = candidateOf[first + 1 + k] === candidateOf[first];
      if (isHit) isPlain = false;
      result[b * numNegatives + k] = isHit ? 0 : (weights?.[b] ?? 1);
    }
  }
  return isPlain ? null : result;
}

/** (1/n) Σ w x over the n entries of `values`. */
export function weightedMean(values: tf.Tensor2D, weights: Float32Array | null): tf.Scalar {
  return tf.mean(weights === null ? values : tf.mul(values, tf.tensor2d(weights, values.shape)));
}
