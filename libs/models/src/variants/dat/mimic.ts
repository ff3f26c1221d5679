import { tf } from '@towerbench/engine';

/** How the squared differences of a pair become one number. */
export const mimicForms = ['sum', 'mean'] as const;

/**
 * How far the augmented vectors are from the vectors of the other side that they were paired with, on average over the positives.
 *   sum:   L = (1/P) Σ_e ‖a_r(e) − p_t(e)‖²        mean: the same divided by the width
 * Pairs count as often as they occur. Without any positive it is 0.
 *
 * @param pairs row of `augmented` and row of `targets`, per positive example
 * @shape augmented [rows, d], targets [others, d]
 */
export function mimicLoss(
  augmented: tf.Tensor2D,
  targets: tf.Tensor2D,
  pairs: { readonly rowOf: Int32Array; readonly targetOf: Int32Array },
  form: (typeof mimicForms)[number],
): tf.Scalar {
  if (pairs.rowOf.length === 0) return tf.scalar(0);
  const own = tf.gather(augmented, tf.tensor1d(pairs.rowOf, 'int32'));
  const others = tf.gather(targets, tf.tensor1d(pairs.targetOf, 'int32'));
  const squares = tf.square(tf.sub(own, others)); // [positives, d]
  return form === 'mean' ? tf.mean(squares) : tf.mean(tf.sum(squares, 1));
}
