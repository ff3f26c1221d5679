import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

/** Which rows of two tensors of fields meet, per pair. */
export interface FieldPairs {
  readonly leftOf: Int32Array;
  readonly rightOf: Int32Array;
}

/**
 * Elementwise products of every field of one row with every field of another.
 *   out[p, f, g] = left[leftOf[p], f] ⊙ right[rightOf[p], g]
 *
 * @shape left [rows, F, dim], right [others, G, dim], result [pairs, F · G · dim]
 */
export function fieldProducts(left: tf.Tensor3D, right: tf.Tensor3D, pairs: FieldPairs): tf.Tensor2D {
  const backend = sharedBackend();
  return backend === null ? composedFieldProducts(left, right, pairs) : fused(left, right, pairs, backend);
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedFieldProducts(
  left: tf.Tensor3D,
  right: tf.Tensor3D,
  { leftOf, rightOf }: FieldPairs,
): tf.Tensor2D {
  const e = tf.expandDims(tf.gather(left, tf.tensor1d(leftOf, 'int32')), 2); // [pairs, F, 1, dim]
  const f = tf.expandDims(tf.gather(right, tf.tensor1d(rightOf, 'int32')), 1); // [pairs, 1, G, dim]
  return tf.reshape(tf.mul(e, f), [leftOf.length, left.shape[1] * right.shape[1] * left.shape[2]]);
}

function fused(
  left: tf.Tensor3D,
  right: tf.Tensor3D,
  { leftOf, rightOf }: FieldPairs,
  { kernels, address, tensor, values }: SharedBackend,
): tf.Tensor2D {
  const pairs = leftOf.length;
  const [, numLeft, dim] = left.shape;
  const numRight = right.shape[1];
  const op = tf.customGrad<tf.Tensor2D>((...args) => {
    const save = args[2] as unknown as (tensors: tf.Tensor[]) => void;
    const inputs = [...args.slice(0, 2), tf.tensor1d(leftOf, 'int32'), tf.tensor1d(rightOf, 'int32')] as tf.Tensor[];
    const addresses = (of: readonly tf.Tensor[]) => of.map(address) as [number, number, number, number];
    const value = tensor<tf.Rank.R2>([pairs, numLeft * numRight * dim]);
    kernels.fieldProducts(pairs, numLeft, numRight, dim, ...addresses(inputs), address(value));
    save(inputs);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const gradients = [left, right].map(({ shape }) => tensor<tf.Rank.R3>(shape));
        for (const gradient of gradients) values(gradient).fill(0);
        const [dLeft, dRight] = gradients.map(address) as [number, number];
        // prettier-ignore
        kernels.fieldProductsGradient(pairs, numLeft, numRight, dim, ...addresses(saved), address(dy), dLeft, dRight);
        return gradients;
      },
    };
  });
  return op(left, right);
}
