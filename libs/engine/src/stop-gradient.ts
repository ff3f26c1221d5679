import { tf } from './tf.js';

/** The same values; nothing is learned through them. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  const op = tf.customGrad((...[value]) => ({
    value: tf.clone(value as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }));
  return op(x) as T;
}
