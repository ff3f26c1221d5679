import { sharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

/**
 * Binary cross-entropy from logits.
 *   L = mean(softplus(s) − y s),   ∂L/∂s = (sigmoid(s) − y) / count
 * softplus(s) − y s is softplus(−s) for y = 1 and softplus(s) for y = 0. On the simd engine one kernel computes the loss and its
 * gradient; elsewhere it is made of tensor ops.
 *
 * @returns nats, mean over the logits; 0 for none
 * @throws {RangeError} when there is not one label per logit
 * @numerics softplus(s) = max(s, 0) + log(1 + e^−|s|), so no probability is ever clipped; terms are float32, their sum is float64. The error
 * of the sigmoid is below 2.5 units of the last place.
 */
export function sigmoidCrossEntropy(logits: tf.Tensor, labels: Float32Array): tf.Scalar {
  const count = logits.size;
  if (labels.length !== count) {
    throw new RangeError(
      `sigmoid cross-entropy: logits are [${logits.shape.join(', ')}], there are ${labels.length} labels; there must be one per logit`,
    );
  }
  const backend = sharedBackend();
  if (backend === null) return composedSigmoidCrossEntropy(logits, labels);
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
export function composedSigmoidCrossEntropy(logits: tf.Tensor, labels: Float32Array): tf.Scalar {
  if (logits.size === 0) return tf.scalar(0);
  return tf.mean(tf.sub(softplus(logits), tf.mul(tf.tensor(labels, logits.shape), logits)));
}

/** log(1 + e^s) with the gradient sigmoid(s), without overflow. */
const softplus = tf.customGrad((s, save) => {
  const logits = s as tf.Tensor;
  (save as (tensors: tf.Tensor[]) => void)([logits]);
  const value = tf.add(tf.relu(logits), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))));
  return { value, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, tf.sigmoid(saved[0] as tf.Tensor)) };
});
