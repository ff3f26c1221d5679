import { scoped, tf } from '@towerbench/engine';

/** Columns that are swept at once. */
const WIDTH = 128;
/** Rows of the rest that are changed at once. */
const STRIP = 512;

/**
 * Turns a symmetric positive definite matrix A into −A⁻¹ in its place: the sweep operator, many columns at once. With K the columns that
 * are swept and O all others:
 *   A_OO ← A_OO − A_OK A_KK⁻¹ A_KO,  A_OK ← A_OK A_KK⁻¹,  A_KK ← −A_KK⁻¹
 * Only the lower triangle is read and written. Reports after every set of columns; takes size³ multiplications and additions.
 *
 * @shape matrix [size, size], row-major
 * @numerics A_KK is inverted in float64. Products are gemms of the engine in float32, as the matrix is.
 */
export function* negativeInverse(matrix: Float32Array, size: number): Iterable<void> {
  for (let from = 0; from < size; from += WIDTH) {
    const to = Math.min(from + WIDTH, size);
    const width = to - from;
    const inverse = inverseOfBlock(matrix, { size, from, to }); // A_KK⁻¹, [width, width]
    const columns = new Float32Array(size * width); // A_OK, zeros at K
    visitOthers(size, { from, to }, (i, k, at) => (columns[i * width + k] = matrix[at] as number));
    const swept = timesTransposed(columns, inverse, width); // A_OK A_KK⁻¹, [size, width]
    for (let top = 0; top < size; top += STRIP) {
      const bottom = Math.min(top + STRIP, size);
      const strip = columns.subarray(top * width, bottom * width);
      const change = timesTransposed(strip, swept.subarray(0, bottom * width), width); // [bottom − top, bottom]
      for (let i = top; i < bottom; i++) {
        for (let j = 0; j <= i; j++) matrix[i * size + j]! -= change[(i - top) * bottom + j] as number;
      }
    }
    visitOthers(size, { from, to }, (i, k, at) => (matrix[at] = swept[i * width + k] as number));
    for (let k = 0; k < width; k++) {
      for (let l = 0; l <= k; l++) matrix[(from + k) * size + from + l] = -(inverse[k * width + l] as number);
    }
    yield;
  }
}

/** Visits A_OK where the lower triangle has it: its row, its column from 0 on, and the place in the matrix. */
function visitOthers(
  size: number,
  { from, to }: { readonly from: number; readonly to: number },
  visit: (row: number, column: number, at: number) => void,
): void {
  for (let k = from; k < to; k++) {
    for (let i = 0; i < from; i++) visit(i, k - from, k * size + i);
    for (let i = to; i < size; i++) visit(i, k - from, i * size + k);
  }
}

/** @shape a [n, inner], b [m, inner] -> a bᵀ [n, m] */
function timesTransposed(a: Float32Array, b: Float32Array, inner: number): Float32Array {
  return scoped(() => {
    const product = tf.matMul(
      tf.tensor2d(a, [a.length / inner, inner]),
      tf.tensor2d(b, [b.length / inner, inner]),
      false,
      true,
    );
    return product.dataSync<'float32'>().slice();
  });
}

/** Inverse of a diagonal block, by Gauss-Jordan without pivots, which a positive definite matrix does not need. */
function inverseOfBlock(
  matrix: Float32Array,
  { size, from, to }: { readonly size: number; readonly from: number; readonly to: number },
): Float32Array {
  const width = to - from;
  const block = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      block[i * width + j] = block[j * width + i] = matrix[(from + i) * size + from + j] as number;
    }
  }
  for (let pivot = 0; pivot < width; pivot++) {
    const scale = 1 / (block[pivot * width + pivot] as number);
    block[pivot * width + pivot] = 1;
    for (let j = 0; j < width; j++) block[pivot * width + j]! *= scale;
    for (let i = 0; i < width; i++) {
      if (i === pivot) continue;
      const factor = block[i * width + pivot] as number;
      block[i * width + pivot] = 0;
      for (let j = 0; j < width; j++) block[i * width + j]! -= factor * (block[pivot * width + j] as number);
    }
  }
  return Float32Array.from(block);
}
