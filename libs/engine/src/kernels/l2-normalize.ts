import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';
import { onTape, type Differentiable } from './differentiable.js';

/**
 * x · rsqrt(max(Σx², 1e-12)) over the last axis; a zero row stays zero.
 *
 * @shape x [rows, dim]
 */
export function l2Normalize(x: tf.Tensor2D): tf.Tensor2D {
  const backend = sharedBackend();
  if (backend === null) return composedL2Normalize(x);
  return onTape([x], () => normalized(x, backend));
}

/** `l2Normalize` beside the tape. */
export function normalized(x: tf.Tensor2D, backend: SharedBackend): Differentiable<tf.Tensor2D> {
  const { kernels, address, tensor, hold, floats, values } = backend;
  const [rows, dim] = x.shape;
  const value = tensor<tf.Rank.R2>([rows, dim]);
  const y = hold(rows * dim);
  const inverse = hold(rows);
  kernels.normalizeRows(rows, dim, address(x), y, inverse);
  values(value).set(floats(y, rows * dim));
  return {
    value,
    gradients(dy) {
      const dx = tensor<tf.Rank.R2>([rows, dim]);
      kernels.normalizeRowsGradient(rows, dim, y, inverse, address(dy), address(dx));
      return [dx];
    },
  };
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedL2Normalize(x: tf.Tensor2D): tf.Tensor2D {
  const squares = tf.sum(tf.square(x), 1, true); // [rows, 1]
  return tf.mul(x, tf.rsqrt(tf.maximum(squares, 1e-12)));
}
