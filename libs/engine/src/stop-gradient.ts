import { tf } from './tf.js';

/** The same values; nothing is learned through them. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  const op = tf.customGrad((...[value]) => ({
    value: tf.clone(value as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }));
  return op(x) as T;
}

/**
 * What `compute` gives, as a constant of the step: nothing is learned through it, and none of its ops is on the tape, so they may be
 * ones without a gradient and the way back does not visit them.
 */
export function offTape<T extends tf.Tensor>(compute: () => T): T {
  const op = tf.customGrad(() => ({ value: compute(), gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy) }));
  return op(tf.scalar(0)) as T; // the tape connects the result with this number and with nothing else
}
