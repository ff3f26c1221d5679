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
  const op = tf.customGrad((...args) => {
    const save = args[1] as unknown as (tensors: tf.Tensor[]) => void;
    const places = fields.map((field) => tf.tensor1d(field.places, 'int32'));
    const weights = fields.flatMap((field) => (field.weights === null ? [] : [tf.tensor1d(field.weights)]));
    const value = tensor<tf.Rank.R3>([size, fields.length, dim]);
    each(places, weights, ({ width }, f, at) =>
      kernels.poolRows(
        size,
        width,
        dim,
        address(args[0] as tf.Tensor),
        at.places,
        at.weights,
        address(value) + f * dim * 4,
        stride,
      ),
    );
    save([...places, ...weights]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const gradient = tf.zeros([numRows, dim]);
        each(saved.slice(0, fields.length), saved.slice(fields.length), ({ width }, f, at) =>
          kernels.scatterRows(
            size,
            width,
            dim,
            address(dy) + f * dim * 4,
            stride,
            at.places,
            at.weights,
            address(gradient),
          ),
        );
        return gradient;
      },
    };
  });
  return op(rows);

  function each(
    places: readonly tf.Tensor[],
    weights: readonly tf.Tensor[],
    visit: (field: PooledField, index: number, at: { readonly places: number; readonly weights: number }) => void,
  ): void {
    let weighted = 0;
    for (const [f, field] of fields.entries()) {
      const at = field.weights === null ? 0 : address(weights[weighted++] as tf.Tensor);
      visit(field, f, { places: address(places[f] as tf.Tensor), weights: at });
    }
  }
}
