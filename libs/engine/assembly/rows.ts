// Rows of embeddings and vectors: everything here is row-major and bound by memory, not arithmetic.
import { dot, fma } from './simd';

/**
 * out[b, :] = Σ_t rows[places[b, t], :], times weights[b] when there are weights; place 0 is padding and counts nothing. `stride`: floats
 * between rows of out.
 * @shape places [size, width] -> out [size, dim]
 */
export function poolRows(size: i32, width: i32, dim: i32, rows: usize, places: usize, weights: usize, out: usize, stride: i32): void {
  const bytes = <usize>dim << 2, vectorBytes = bytes & ~15;
  for (let b = 0; b < size; b++) {
    let isEmpty = true;
    let i: usize = 0;
    for (let t = 0; t < width; t++, places += 4) {
      const place = load<i32>(places);
      if (place == 0) continue;
      const from = rows + <usize>place * bytes;
      if (isEmpty) {
        copyRow(bytes, from, out);
        isEmpty = false;
      } else {
        for (i = 0; i < vectorBytes; i += 16) v128.store(out + i, f32x4.add(v128.load(out + i), v128.load(from + i)));
        for (; i < bytes; i += 4) store<f32>(out + i, load<f32>(out + i) + load<f32>(from + i));
      }
    }
    if (isEmpty) {
      memory.fill(out, 0, bytes);
    } else if (weights) {
      const w = load<f32>(weights + (<usize>b << 2)), lanes = f32x4.splat(w);
      for (i = 0; i < vectorBytes; i += 16) v128.store(out + i, f32x4.mul(v128.load(out + i), lanes));
      for (; i < bytes; i += 4) store<f32>(out + i, load<f32>(out + i) * w);
    }
    out += <usize>stride << 2;
  }
}

/** The gradient of `poolRows`: dRows[places[b, t], :] += weights[b] · dy[b, :]. */
export function scatterRows(size: i32, width: i32, dim: i32, dy: usize, stride: i32, places: usize, weights: usize, dRows: usize): void {
  const bytes = <usize>dim << 2, vectorBytes = bytes & ~15;
  let w: f32 = 1;
  for (let b = 0; b < size; b++) {
    if (weights) w = load<f32>(weights + (<usize>b << 2));
    const lanes = f32x4.splat(w);
    for (let t = 0; t < width; t++, places += 4) {
      const place = load<i32>(places);
      if (place == 0) continue;
      const to = dRows + <usize>place * bytes;
      let i: usize = 0;
      for (; i < vectorBytes; i += 16) v128.store(to + i, fma(v128.load(dy + i), lanes, v128.load(to + i)));
      for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(dy + i) * w + load<f32>(to + i));
    }
    dy += <usize>stride << 2;
  }
}

/** out[i, :] = from[rows[i], :] */
export function gatherRows(numRows: i32, dim: i32, rows: usize, from: usize, out: usize): void {
  const bytes = <usize>dim << 2;
  for (let i = 0; i < numRows; i++, out += bytes) copyRow(bytes, from + <usize>load<i32>(rows + (<usize>i << 2)) * bytes, out);
}

/** to[rows[i], :] = x[i, :]; zeros where `x` is 0. */
export function spreadRows(numRows: i32, dim: i32, rows: usize, x: usize, to: usize): void {
  const bytes = <usize>dim << 2;
  for (let i = 0; i < numRows; i++) {
    const row = to + <usize>load<i32>(rows + (<usize>i << 2)) * bytes;
    if (x) copyRow(bytes, x + <usize>i * bytes, row);
    else memory.fill(row, 0, bytes);
  }
}

/** to[r, :] = from[r, :] for rows of `width` floats that begin every so many floats. */
export function copyRows(numRows: i32, width: i32, from: usize, fromStride: i32, to: usize, toStride: i32): void {
  const bytes = <usize>width << 2;
  for (let r = 0; r < numRows; r++, from += <usize>fromStride << 2, to += <usize>toStride << 2) copyRow(bytes, from, to);
}

// @ts-ignore: decorator
@inline
function copyRow(bytes: usize, from: usize, to: usize): void {
  const vectorBytes = bytes & ~15;
  let i: usize = 0;
  for (; i < vectorBytes; i += 16) v128.store(to + i, v128.load(from + i));
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(from + i));
}

/** y = x · rsqrt(max(Σx², 1e-12)) per row; `inverse` [rows] takes the factor, negative where the 1e-12 was the larger. */
export function normalizeRows(rows: i32, dim: i32, x: usize, y: usize, inverse: usize): void {
  const bytes = <usize>dim << 2, vectorBytes = bytes & ~15;
  for (let r = 0; r < rows; r++) {
    const squares = dot(bytes, x, x);
    const factor: f32 = 1 / sqrt<f32>(max(squares, <f32>1e-12));
    store<f32>(inverse + (<usize>r << 2), squares < <f32>1e-12 ? -factor : factor);
    const lanes = f32x4.splat(factor);
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) v128.store(y + i, f32x4.mul(v128.load(x + i), lanes));
    for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(x + i) * factor);
    x += bytes;
    y += bytes;
  }
}

/** dx = (dy − y ⟨y, dy⟩) · factor per row; where 1e-12 took the place of the squares, dx = dy · factor. */
export function normalizeRowsGradient(rows: i32, dim: i32, y: usize, inverse: usize, dy: usize, dx: usize): void {
  const bytes = <usize>dim << 2, vectorBytes = bytes & ~15;
  for (let r = 0; r < rows; r++) {
    let factor = load<f32>(inverse + (<usize>r << 2));
    const along: f32 = factor < 0 ? 0 : dot(bytes, y, dy);
    factor = abs(factor);
    const lanes = f32x4.splat(factor), minus = f32x4.splat(-along);
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) v128.store(dx + i, f32x4.mul(lanes, fma(minus, v128.load(y + i), v128.load(dy + i))));
    for (; i < bytes; i += 4) store<f32>(dx + i, factor * (load<f32>(dy + i) - along * load<f32>(y + i)));
    y += bytes;
    dy += bytes;
    dx += bytes;
  }
}

/** out[b] = ⟨u[queryOf[b]], v[candidateOf[b]]⟩, `perQuery` candidates for each query of the batch in turn. */
export function pairScores(pairs: i32, perQuery: i32, dim: i32, u: usize, v: usize, queryOf: usize, candidateOf: usize, out: usize): void {
  const bytes = <usize>dim << 2;
  for (let b = 0; b < pairs; b++) {
    const x = u + <usize>load<i32>(queryOf + (<usize>(b / perQuery) << 2)) * bytes;
    const y = v + <usize>load<i32>(candidateOf + (<usize>b << 2)) * bytes;
    store<f32>(out + (<usize>b << 2), dot(bytes, x, y));
  }
}

/** The gradient of `pairScores`; adds to du and dv. */
export function pairScoresGradient(
  pairs: i32, perQuery: i32, dim: i32, u: usize, v: usize, queryOf: usize, candidateOf: usize, dy: usize, du: usize, dv: usize,
): void {
  const bytes = <usize>dim << 2, vectorBytes = bytes & ~15;
  for (let b = 0; b < pairs; b++) {
    const a = <usize>load<i32>(queryOf + (<usize>(b / perQuery) << 2)) * bytes;
    const p = <usize>load<i32>(candidateOf + (<usize>b << 2)) * bytes;
    const g = load<f32>(dy + (<usize>b << 2)), lanes = f32x4.splat(g);
    const x = u + a, y = v + p, dx = du + a, dz = dv + p;
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) {
      const before = v128.load(x + i);
      v128.store(dx + i, fma(v128.load(y + i), lanes, v128.load(dx + i)));
      v128.store(dz + i, fma(before, lanes, v128.load(dz + i)));
    }
    for (; i < bytes; i += 4) {
      store<f32>(dx + i, load<f32>(dx + i) + g * load<f32>(y + i));
      store<f32>(dz + i, load<f32>(dz + i) + g * load<f32>(x + i));
    }
  }
}

/** out[p, f, g, :] = left[leftOf[p], f, :] · right[rightOf[p], g, :], number by number. */
export function fieldProducts(
  pairs: i32, numLeft: i32, numRight: i32, dim: i32, left: usize, right: usize, leftOf: usize, rightOf: usize, out: usize,
): void {
  const bytes = <usize>dim << 2, vectorBytes = bytes & ~15;
  for (let p: usize = 0; p < <usize>pairs; p++) {
    let x = left + <usize>load<i32>(leftOf + (p << 2)) * numLeft * bytes;
    const others = right + <usize>load<i32>(rightOf + (p << 2)) * numRight * bytes;
    for (let f = 0; f < numLeft; f++, x += bytes) {
      let y = others;
      for (let g = 0; g < numRight; g++, y += bytes, out += bytes) {
        let i: usize = 0;
        for (; i < vectorBytes; i += 16) v128.store(out + i, f32x4.mul(v128.load(x + i), v128.load(y + i)));
        for (; i < bytes; i += 4) store<f32>(out + i, load<f32>(x + i) * load<f32>(y + i));
      }
    }
  }
}

/** The gradient of `fieldProducts`; adds to dLeft and dRight. */
export function fieldProductsGradient(
  pairs: i32, numLeft: i32, numRight: i32, dim: i32, left: usize, right: usize, leftOf: usize, rightOf: usize,
  dy: usize, dLeft: usize, dRight: usize,
): void {
  const bytes = <usize>dim << 2, vectorBytes = bytes & ~15;
  for (let p: usize = 0; p < <usize>pairs; p++) {
    const a = <usize>load<i32>(leftOf + (p << 2)) * numLeft * bytes, b = <usize>load<i32>(rightOf + (p << 2)) * numRight * bytes;
    for (let f: usize = 0; f < <usize>numLeft; f++) {
      const x = left + a + f * bytes, dx = dLeft + a + f * bytes;
      for (let g: usize = 0; g < <usize>numRight; g++, dy += bytes) {
        const y = right + b + g * bytes, dz = dRight + b + g * bytes;
        let i: usize = 0;
        for (; i < vectorBytes; i += 16) {
          const d = v128.load(dy + i);
          v128.store(dx + i, fma(d, v128.load(y + i), v128.load(dx + i)));
          v128.store(dz + i, fma(d, v128.load(x + i), v128.load(dz + i)));
        }
        for (; i < bytes; i += 4) {
          const d = load<f32>(dy + i);
          store<f32>(dx + i, load<f32>(dx + i) + d * load<f32>(y + i));
          store<f32>(dz + i, load<f32>(dz + i) + d * load<f32>(x + i));
        }
      }
    }
  }
}
