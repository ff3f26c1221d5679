import { sharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

/**
 * Binary cross-entropy from logits.
 *   L = mean(w (softplus(s) − y s)),   ∂L/∂s = w (sigmoid(s) − y) / count
 * softplus(s) − y s is softplus(−s) for y = 1 and softplus(s) for y = 0. Without weights one kernel computes the loss and its gradient on
 * the simd engine; else it is made of tensor ops.
 *
 * @param weights w per logit; null where all are 1
 * @returns nats, mean over the logits; 0 for none
 * @throws {RangeError} when there is not one label or not one weight per logit
 * @numerics softplus(s) = max(s, 0) + log(1 + e^−|s|), so no probability is ever clipped; terms are float32, their sum is float64. The error
 * of the sigmoid is below 2.5 units of the last place.
 */
export function sigmoidCrossEntropy(
  logits: tf.Tensor,
  labels: Float32Array,
  weights: Float32Array | null = null,
): tf.Scalar {
  const count = logits.size;
  for (const [name, values] of Object.entries({ labels, weights })) {
    if (values !== null && values.length !== count) {
      throw new RangeError(
        `sigmoid cross-entropy: logits are [${logits.shape.join(', ')}], there are ${values.length} ${name}; there must be one per logit`,
      );
    }
  }
  const backend = sharedBackend();
  if (backend === null || weights !== null) return composedSigmoidCrossEntropy(logits, labels, weights);
  const { kernels, address, tensor, withScratch } = backend;
  const op = tf.customGrad((...args) => {
    const at = args[0] as tf.Tensor;
    const save = args[1] as unknown as (tensors: tf.Tensor[]) => void;
    const gradient = tensor(at.shape);
    const loss =
      count === 0
        ? 0
        : withScratch(kernels.elementaryScratch() + count, (y) => {
            backend.floats(y, count).set(labels);
            return kernels.sigmoidCrossEntropy(count, address(at), y, address(gradient), y + count * 4);
          });
    save([gradient]);
    return {
      value: tf.scalar(loss),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0] as tf.Tensor, dy),
    };
  });
  return op(logits);
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedSigmoidCrossEntropy(
  logits: tf.Tensor,
  labels: Float32Array,
  weights: Float32Array | null = null,
): tf.Scalar {
  if (logits.size === 0) return tf.scalar(0);
  const losses = tf.sub(softplus(logits), tf.mul(tf.tensor(labels, logits.shape), logits));
  return tf.mean(weights === null ? losses : tf.mul(losses, tf.tensor(weights, logits.shape)));
}

/** log(1 + e^s) with the gradient sigmoid(s), without overflow. */
const softplus = tf.customGrad((s, save) => {
  const logits = s as tf.Tensor;
  (save as (tensors: tf.Tensor[]) => void)([logits]);
  const value = tf.add(tf.relu(logits), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))));
  return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, tf.sigmoid(saved[0] as tf.Tensor)) };
});
