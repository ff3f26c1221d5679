import { sharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

/**
 * x · rsqrt(max(Σx², 1e-12)) over the last axis; a zero row stays zero.
 *
 * @shape x [rows, dim]
 */
export function l2Normalize(x: tf.Tensor2D): tf.Tensor2D {
  const backend = sharedBackend();
  if (backend === null) return composedL2Normalize(x);
  const { kernels, address, tensor, hold } = backend;
  const [rows, dim] = x.shape;
  const op = tf.customGrad((...args) => {
    const save = args[1] as unknown as (tensors: tf.Tensor[]) => void;
    const value = tensor<tf.Rank.R2>([rows, dim]);
    const inverse = hold(rows);
    kernels.normalizeRows(rows, dim, address(args[0] as tf.Tensor), address(value), inverse);
    save([value]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, [y]: tf.Tensor[]) => {
        const dx = tensor<tf.Rank.R2>([rows, dim]);
        kernels.normalizeRowsGradient(rows, dim, address(y as tf.Tensor), inverse, address(dy), address(dx));
        return dx;
      },
    };
  });
  return op(x);
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedL2Normalize(x: tf.Tensor2D): tf.Tensor2D {
  const squares = tf.sum(tf.square(x), 1, true); // [rows, 1]
  return tf.mul(x, tf.rsqrt(tf.maximum(squares, 1e-12)));
}
