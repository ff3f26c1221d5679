import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

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
  return backend === null ? composedPoolRows(rows, size, fields) : fused(rows, size, fields, backend);
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

function fused(rows: tf.Tensor2D, size: number, fields: readonly PooledField[], backend: SharedBackend): tf.Tensor3D {
  const { kernels, address, tensor } = backend;
  const [numRows, dim] = rows.shape;
  const stride = fields.length * dim;
  const op = tf.customGrad<tf.Tensor3D>((...args) => {
    const inputs = uploadFields(fields, backend);
    const value = tensor<tf.Rank.R3>([size, fields.length, dim]);
    each(inputs, ({ width }, f, { places, weights }) =>
      kernels.poolRows(
        size,
        width,
        dim,
        address(args[0] as tf.Tensor),
        places,
        weights,
        address(value) + f * dim * 4,
        stride,
      ),
    );
    return {
      value,
      gradFunc: (dy: tf.Tensor) => {
        const gradient = tensor<tf.Rank.R2>([numRows, dim]);
        backend.values(gradient).fill(0);
        each(inputs, ({ width }, f, { places, weights }) =>
          kernels.scatterRows(size, width, dim, address(dy) + f * dim * 4, stride, places, weights, address(gradient)),
        );
        return gradient;
      },
    };
  });
  return op(rows);

  /** Visits the fields with the addresses of their places and weights, 0 for none. */
  function each(
    start: number,
    visit: (field: PooledField, index: number, at: { readonly places: number; readonly weights: number }) => void,
  ): void {
    let at = start;
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
