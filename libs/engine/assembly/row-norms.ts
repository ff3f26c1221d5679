// What needs a sum over its own row first: log-softmax and layer normalisation. Everything is row-major.
import { exp4, loadRest, storeElementaryConstants, storeRest } from './elementary';
import { fma, sumLanes } from './simd';

// The module shares another's memory and may carry no tables, so the logarithm is the caller's.
// @ts-ignore: decorator
@external('env', 'log')
declare function log(x: f64): f64;

/** y = x − top − ln Σ e^(x − top) per row, top its maximum. scratch: that of the elementary functions. */
export function logSoftmaxRows(rows: i32, dim: i32, x: usize, y: usize, scratch: usize): void {
  storeElementaryConstants(scratch);
  const bytes = <usize>dim << 2;
  for (let r = 0; r < rows; r++, x += bytes, y += bytes) {
    const top = largest(dim, x);
    const sum = <f32>log(<f64>sumOfExponentials(dim, x, top, scratch));
    const tops = f32x4.splat(top), sums = f32x4.splat(sum);
    let i: usize = 0;
    for (; i < (bytes & ~15); i += 16) v128.store(y + i, f32x4.sub(f32x4.sub(v128.load(x + i), tops), sums));
    for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(x + i) - top - sum);
  }
}

/** y = e^(x − top) / Σ e^(x − top) per row, top its maximum. scratch: that of the elementary functions. */
export function softmaxRows(rows: i32, dim: i32, x: usize, y: usize, scratch: usize): void {
  storeElementaryConstants(scratch);
  const bytes = <usize>dim << 2, rest = dim & 3;
  for (let r = 0; r < rows; r++, x += bytes, y += bytes) {
    const tops = f32x4.splat(largest(dim, x));
    let lanes = f32x4.splat(0);
    let i: usize = 0;
    for (; i < (bytes & ~15); i += 16) {
      const power = exp4(f32x4.sub(v128.load(x + i), tops), scratch);
      lanes = f32x4.add(lanes, power);
      v128.store(y + i, power);
    }
    if (rest) {
      const power = exp4(f32x4.sub(loadRest(x + i, rest, -Infinity), tops), scratch);
      lanes = f32x4.add(lanes, power);
      storeRest(y + i, power, rest);
    }
    const sum = sumLanes(lanes), sums = f32x4.splat(sum);
    for (i = 0; i < (bytes & ~15); i += 16) v128.store(y + i, f32x4.div(v128.load(y + i), sums));
    for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(y + i) / sum);
  }
}

/** dx = dy − e^y Σ dy per row. */
export function logSoftmaxRowsGradient(rows: i32, dim: i32, y: usize, dy: usize, dx: usize, scratch: usize): void {
  storeElementaryConstants(scratch);
  const bytes = <usize>dim << 2, rest = dim & 3;
  for (let r = 0; r < rows; r++, y += bytes, dy += bytes, dx += bytes) {
    const minus: f32 = -sumOf(dim, dy), lanes = f32x4.splat(minus);
    let i: usize = 0;
    for (; i < (bytes & ~15); i += 16) v128.store(dx + i, fma(exp4(v128.load(y + i), scratch), lanes, v128.load(dy + i)));
    if (rest) storeRest(dx + i, fma(exp4(loadRest(y + i, rest, 0), scratch), lanes, loadRest(dy + i, rest, 0)), rest);
  }
}

/** The maximum of a row; NaN when it holds one. */
// @ts-ignore: decorator
@inline
function largest(dim: i32, x: usize): f32 {
  let lanes = f32x4.splat(-Infinity);
  const end = x + (<usize>(dim & ~3) << 2), rest = dim & 3;
  for (; x < end; x += 16) lanes = f32x4.max(lanes, v128.load(x));
  if (rest) lanes = f32x4.max(lanes, loadRest(x, rest, -Infinity));
  return max(
    max(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1)), max(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)),
  );
}

/** Σ e^(x − top) of a row. */
// @ts-ignore: decorator
@inline
function sumOfExponentials(dim: i32, x: usize, top: f32, constants: usize): f32 {
  const tops = f32x4.splat(top);
  const end = x + (<usize>(dim & ~3) << 2), rest = dim & 3;
  let sum = f32x4.splat(0);
  for (; x < end; x += 16) sum = f32x4.add(sum, exp4(f32x4.sub(v128.load(x), tops), constants));
  // Lanes that only fill the vector count nothing; beside a maximum of −∞ they are NaN, but then all of the row is.
  return sumLanes(rest ? f32x4.add(sum, exp4(f32x4.sub(loadRest(x, rest, -Infinity), tops), constants)) : sum);
}

// @ts-ignore: decorator
@inline
function sumOf(dim: i32, x: usize): f32 {
  let sum = f32x4.splat(0);
  const end = x + (<usize>(dim & ~3) << 2), rest = dim & 3;
  for (; x < end; x += 16) sum = f32x4.add(sum, v128.load(x));
  return sumLanes(rest ? f32x4.add(sum, loadRest(x, rest, 0)) : sum);
}

/**
 * y = (x − μ) / √(σ² + ε) · γ + β per row, σ² the mean of (x − μ)². `means` and `inverses` [rows] take μ and 1 / √(σ² + ε).
 */
export function layerNormRows(
  rows: i32, dim: i32, x: usize, gamma: usize, beta: usize, epsilon: f32, y: usize, means: usize, inverses: usize,
): void {
  const bytes = <usize>dim << 2, rest = dim & 3;
  for (let r: usize = 0; r < <usize>rows; r++, x += bytes, y += bytes) {
    const mean: f32 = sumOf(dim, x) / <f32>dim, lanes = f32x4.splat(mean);
    let squares = f32x4.splat(0);
    let i: usize = 0;
    for (; i < (bytes & ~15); i += 16) {
      const centred = f32x4.sub(v128.load(x + i), lanes);
      squares = fma(centred, centred, squares);
    }
    if (rest) {
      const centred = f32x4.sub(loadRest(x + i, rest, mean), lanes);
      squares = fma(centred, centred, squares);
    }
    const inverse: f32 = 1 / sqrt<f32>(sumLanes(squares) / <f32>dim + epsilon), factor = f32x4.splat(inverse);
    store<f32>(means + (r << 2), mean);
    store<f32>(inverses + (r << 2), inverse);
    for (i = 0; i < (bytes & ~15); i += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + i), lanes), factor);
      v128.store(y + i, fma(normal, v128.load(gamma + i), v128.load(beta + i)));
    }
    for (; i < bytes; i += 4) store<f32>(y + i, (load<f32>(x + i) - mean) * inverse * load<f32>(gamma + i) + load<f32>(beta + i));
  }
}

/**
 * With n = (x − μ) / √(σ² + ε) and g = dy · γ: dx = (g − mean g − n · mean(g n)) / √(σ² + ε) per row. Adds Σ dy n to dGamma and Σ dy
 * to dBeta.
 */
export function layerNormRowsGradient(
  rows: i32, dim: i32, x: usize, gamma: usize, means: usize, inverses: usize, dy: usize, dx: usize, dGamma: usize, dBeta: usize,
): void {
  const bytes = <usize>dim << 2;
  for (let r: usize = 0; r < <usize>rows; r++, x += bytes, dy += bytes, dx += bytes) {
    const mean = load<f32>(means + (r << 2)), inverse = load<f32>(inverses + (r << 2));
    const lanes = f32x4.splat(mean), factor = f32x4.splat(inverse);
    let sums = f32x4.splat(0), products = sums;
    let sum: f32 = 0, product: f32 = 0;
    let i: usize = 0;
    for (; i < (bytes & ~15); i += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + i), lanes), factor), d = v128.load(dy + i);
      v128.store(dGamma + i, fma(d, normal, v128.load(dGamma + i)));
      v128.store(dBeta + i, f32x4.add(d, v128.load(dBeta + i)));
      const g = f32x4.mul(d, v128.load(gamma + i));
      sums = f32x4.add(sums, g);
      products = fma(g, normal, products);
    }
    for (; i < bytes; i += 4) {
      const normal: f32 = (load<f32>(x + i) - mean) * inverse, d = load<f32>(dy + i);
      store<f32>(dGamma + i, d * normal + load<f32>(dGamma + i));
      store<f32>(dBeta + i, d + load<f32>(dBeta + i));
      const g: f32 = d * load<f32>(gamma + i);
      sum += g;
      product += g * normal;
    }
    const meanGradient: f32 = (sumLanes(sums) + sum) / <f32>dim, along: f32 = (sumLanes(products) + product) / <f32>dim;
    const shift = f32x4.splat(meanGradient), slope = f32x4.splat(-along);
    for (i = 0; i < (bytes & ~15); i += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + i), lanes), factor);
      const g = f32x4.sub(f32x4.mul(v128.load(dy + i), v128.load(gamma + i)), shift);
      v128.store(dx + i, f32x4.mul(factor, fma(normal, slope, g)));
    }
    for (; i < bytes; i += 4) {
      const normal: f32 = (load<f32>(x + i) - mean) * inverse;
      store<f32>(dx + i, inverse * (load<f32>(dy + i) * load<f32>(gamma + i) - meanGradient - normal * along));
    }
  }
}
