import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';
import { onTape, type Differentiable } from './differentiable.js';

/** One field of a batch: `width` places per example, of which those that are 0 are padding. */
export interface PooledField {
  readonly width: number;
  /** [batch, width], row-major: numbers of rows. */
  readonly places: Int32Array;
  /** What the sum of an example's rows is multiplied by, [batch]; null for 1. */
  readonly weights: Float32Array | null;
}

/**
 * The embedded fields of a batch: per field the weighted sum of its rows, without padding.
 *   out[b, f] = w_bf Σ_t [place_bft ≠ 0] rows[place_bft]
 *
 * @shape rows [rows, dim], result [size, fields, dim]
 */
export function poolRows(rows: tf.Tensor2D, size: number, fields: readonly PooledField[]): tf.Tensor3D {
  const backend = sharedBackend();
  return backend === null
    ? composedPoolRows(rows, size, fields)
    : onTape([rows], () => pooled(rows, size, fields, backend));
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedPoolRows(rows: tf.Tensor2D, size: number, fields: readonly PooledField[]): tf.Tensor3D {
  const dim = rows.shape[1];
  const parts = fields.map(({ width, places, weights }) => {
    const factors = Float32Array.from(places, (place, i) =>
      place === 0 ? 0 : (weights?.[Math.floor(i / width)] ?? 1),
    );
    const gathered = tf.reshape(tf.gather(rows, tf.tensor1d(places, 'int32')), [size, width, dim]);
    return tf.sum<tf.Tensor3D>(tf.mul(gathered, tf.tensor3d(factors, [size, width, 1])), 1, true);
  });
  return tf.concat(parts, 1);
}

/** `poolRows` beside the tape. */
export function pooled(
  rows: tf.Tensor2D,
  size: number,
  fields: readonly PooledField[],
  backend: SharedBackend,
): Differentiable<tf.Tensor3D> {
  const { kernels, address, tensor, values } = backend;
  const [numRows, dim] = rows.shape;
  const stride = fields.length * dim;
  const inputs = uploadFields(fields, backend);
  const value = tensor<tf.Rank.R3>([size, fields.length, dim]);
  const [from, out] = [address(rows), address(value)];
  each(({ width }, f, { places, weights }) =>
    kernels.poolRows(size, width, dim, from, places, weights, out + f * dim * 4, stride),
  );
  return {
    value,
    gradients(dy) {
      const gradient = tensor<tf.Rank.R2>([numRows, dim]);
      values(gradient).fill(0);
      const [of, to] = [address(dy), address(gradient)];
      each(({ width }, f, { places, weights }) =>
        kernels.scatterRows(size, width, dim, of + f * dim * 4, stride, places, weights, to),
      );
      return [gradient];
    },
  };

  /** Visits the fields with the addresses of their places and weights, 0 for none. */
  function each(
    visit: (field: PooledField, index: number, at: { readonly places: number; readonly weights: number }) => void,
  ): void {
    let at = inputs;
    for (const [f, field] of fields.entries()) {
      const weights = field.weights === null ? 0 : at + field.places.length * 4;
      visit(field, f, { places: at, weights });
      at += wordsOf(field) * 4;
    }
  }
}

/** Places and weights of all fields one after the other, four bytes each, of whichever type; the address of the first. */
function uploadFields(
  fields: readonly PooledField[],
  { hold, floats: floatsAt, integers: integersAt }: SharedBackend,
): number {
  const words = fields.reduce((sum, field) => sum + wordsOf(field), 0);
  const start = hold(words);
  const [floats, integers] = [floatsAt(start, words), integersAt(start, words)];
  let at = 0;
  for (const { places, weights } of fields) {
    integers.set(places, at);
    at += places.length;
    if (weights === null) continue;
    floats.set(weights, at);
    at += weights.length;
  }
  return start;
}

function wordsOf({ places, weights }: PooledField): number {
  return places.length + (weights?.length ?? 0);
}
