import { sharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

/**
 * Logarithm of the softmax over the last axis.
 *   y = x − max x − log Σ e^(x − max x),   dx = dy − e^y Σ dy
 * A row that holds NaN or +∞, or nothing but −∞, is NaN.
 *
 * @shape x [rows, dim]
 * @numerics The error of the exponentials is below 1.1 units of the last place; sums are float32 in four lanes.
 */
export function logSoftmax(x: tf.Tensor2D): tf.Tensor2D {
  const backend = sharedBackend();
  if (backend === null) return composedLogSoftmax(x);
  const { kernels, address, tensor, withScratch } = backend;
  const [rows, dim] = x.shape;
  const op = tf.customGrad((...args) => {
    const save = args[1] as unknown as (tensors: tf.Tensor[]) => void;
    const value = tensor<tf.Rank.R2>([rows, dim]);
    withScratch(kernels.elementaryScratch(), (scratch) =>
      kernels.logSoftmaxRows(rows, dim, address(args[0] as tf.Tensor), address(value), scratch),
    );
    save([value]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const dx = tensor<tf.Rank.R2>([rows, dim]);
        withScratch(kernels.elementaryScratch(), (scratch) =>
          kernels.logSoftmaxRowsGradient(rows, dim, address(saved[0] as tf.Tensor), address(dy), address(dx), scratch),
        );
        return dx;
      },
    };
  });
  return op(x);
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedLogSoftmax(x: tf.Tensor2D): tf.Tensor2D {
  return tf.logSoftmax(x);
}
