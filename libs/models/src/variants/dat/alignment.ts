import { tf } from '@towerbench/engine';

/** What the sum of products of a covariance is divided by. */
export const covarianceDivisors = ['n-1', 'n'] as const;

/**
 * Rows of each category with two rows or more, the largest category first; of equally large ones the one with the smaller id.
 * Ids 0 (none) and 1 (unknown) are no category.
 *
 * @param categories id per row
 */
export function rowsByCategory(categories: Int32Array): Int32Array[] {
  const rows = new Map<number, number[]>();
  for (const [row, category] of categories.entries()) {
    if (category < 2) continue;
    const known = rows.get(category);
    if (known === undefined) rows.set(category, [row]);
    else known.push(row);
  }
  return [...rows]
    .filter(([, { length }]) => length >= 2)
    .sort(([a, first], [b, second]) => second.length - first.length || a - b)
    .map(([, list]) => Int32Array.from(list));
}

/**
 * Category alignment: how much the covariances of the smaller categories differ from that of the largest one.
 *   L = Σ_{i ≥ 2} ‖C(S_1) − C(S_i)‖²_F,   C(S) = Σ_{x ∈ S} (x − μ)(x − μ)ᵀ / (n − 1)   or / n
 *
 * @param groups rows of `vectors` by category, the largest first
 * @shape vectors [items, d]
 */
export function alignmentLoss(
  vectors: tf.Tensor2D,
  groups: readonly Int32Array[],
  divisor: (typeof covarianceDivisors)[number],
): tf.Scalar {
  const covariances = groups.map((rows) => {
    const members = tf.gather(vectors, tf.tensor1d(rows, 'int32'));
    const centred = tf.sub<tf.Tensor2D>(members, tf.mean(members, 0, true));
    return tf.div<tf.Tensor2D>(tf.matMul(centred, centred, true, false), rows.length - (divisor === 'n' ? 0 : 1)); // [d, d]
  });
  const [major, ...others] = covariances;
  return others.reduce<tf.Scalar>(
    (sum, covariance) => tf.add(sum, tf.sum(tf.square(tf.sub(major as tf.Tensor2D, covariance)))),
    tf.scalar(0),
  );
}
