import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';
import { onTape } from './differentiable.js';

/** Added to the score of a step that may not be read. */
const ABSENT = -1e9;

/** Which steps there are: the same number for every example. */
export interface Steps {
  readonly batch: number;
  readonly heads: number;
  /** 1 where there is an entry, 0 at padding, [batch, steps]. */
  readonly mask: Float32Array;
}

/**
 * Scaled dot-product attention of several heads, in which a step reads itself and the steps before it.
 *   y_t = Σ_{s ≤ t} w_ts v_s,   w_t = softmax_s(⟨q_t, k_s⟩ / √width) over the entries among steps 1 to t; 0 where there is none
 *
 * @shape projected [steps · batch, 3 · heads · width]: q, k and v of all heads side by side; result [steps · batch, heads · width]
 * @throws {RangeError} when the mask or the heads do not fit the rows
 * @source Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, sections 3.2.1 to 3.2.3
 */
export function causalAttention(projected: tf.Tensor2D, of: Steps): tf.Tensor2D {
  const { batch, heads, mask } = of;
  const [rows, columns] = projected.shape;
  if (mask.length !== rows || rows % batch !== 0 || columns % (3 * heads) !== 0) {
    throw new RangeError(
      `causal attention: x is [${rows}, ${columns}] and the mask of ${batch} examples has ${mask.length} steps in all; both must be as many as rows, and 3 · ${heads} heads must divide the columns`,
    );
  }
  const backend = sharedBackend();
  return backend === null ? composedCausalAttention(projected, of) : fused(projected, of, backend);
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedCausalAttention(projected: tf.Tensor2D, { batch, heads, mask }: Steps): tf.Tensor2D {
  const [rows, columns] = projected.shape;
  const [steps, width] = [rows / batch, columns / (3 * heads)];
  const apart = tf.transpose(tf.reshape<tf.Rank.R5>(projected, [steps, batch, 3, heads, width]), [2, 1, 3, 0, 4]);
  const [q, k, v] = tf.unstack(apart) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]; // [batch, heads, steps, width]
  const isRead = tf.mul<tf.Tensor4D>(
    tf.tensor4d(mask, [batch, 1, 1, steps]),
    tf.tensor2d(Array.from({ length: steps }, (_, t) => Array.from({ length: steps }, (__, s) => (s <= t ? 1 : 0)))),
  );
  const scores = tf.mul<tf.Tensor4D>(tf.matMul(q, k, false, true), 1 / Math.sqrt(width));
  const weights = tf.mul<tf.Tensor4D>(tf.softmax(tf.add(scores, tf.mul(tf.sub(1, isRead), ABSENT))), isRead);
  return tf.reshape(tf.transpose(tf.matMul(weights, v), [2, 0, 1, 3]), [rows, heads * width]);
}

function fused(projected: tf.Tensor2D, { batch, heads, mask }: Steps, backend: SharedBackend): tf.Tensor2D {
  const { kernels, address, tensor, floats, withScratch, hold } = backend;
  const [rows, columns] = projected.shape;
  const [steps, width] = [rows / batch, columns / (3 * heads)];
  return onTape([projected], () => {
    const value = tensor<tf.Rank.R2>([rows, heads * width]);
    const isThere = hold(mask.length);
    floats(isThere, mask.length).set(mask);
    const weights = hold(batch * heads * steps * steps);
    const x = hold(projected.size);
    floats(x, projected.size).set(backend.values(projected));
    withScratch(kernels.elementaryScratch(), (scratch) =>
      kernels.causalAttention(batch, steps, heads, width, x, isThere, weights, address(value), scratch),
    );
    return {
      value,
      gradients(dy) {
        const gradient = tensor<tf.Rank.R2>([rows, columns]);
        withScratch(steps, (scratch) =>
          // prettier-ignore
          kernels.causalAttentionGradient(batch, steps, heads, width, x, weights, address(dy), address(gradient), scratch),
        );
        return [gradient];
      },
    };
  });
}
