import { tf } from '@towerbench/engine';

/** What is added to the score of an entry that is not there. */
const ABSENT = -1e9;

/**
 * Softmax over the last axis among the entries whose mask is 1; the others get 0. Where no entry is there, all are 0.
 *
 * @shape scores, mask [..., entries], or mask of a shape that broadcasts to it
 */
export function maskedSoftmax<T extends tf.Tensor>(scores: T, mask: tf.Tensor): T {
  const bias = tf.mul(tf.sub(1, mask), ABSENT);
  return tf.mul<T>(tf.softmax<T>(tf.add<T>(scores, bias)), mask);
}
