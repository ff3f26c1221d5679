// Dynamic routing of a query's behaviours to its capsules, one query after the other, so that its behaviours stay in the cache.
import { elementaryScratch, exp4, storeElementaryConstants } from './elementary';
import { dot, fma } from './simd';

/** Floats of a capsule's weights over `length` behaviours: whole vectors. */
export function routeLanes(length: i32): i32 {
  return (length + 3) & ~3;
}

/** Floats of scratch that `route` takes. */
export function routeScratch(length: i32, capsules: i32): i32 {
  return elementaryScratch() + capsules * routeLanes(length);
}

/**
 * `iterations` times, from b = `logits`:  w_tk = softmax_k(b_tk),  z_k = Σ_t w_tk u_tk,  c_k = squash(z_k),  b_tk += ⟨c_k, u_tk⟩
 * @shape u [batch, length, own, dim], `own` 1 where all capsules share the behaviours, else as many as there are capsules; logits [batch,
 *   length, capsules]; weights [batch, capsules, routeLanes(length)]; z and c [batch, capsules, dim]: those of the last iteration
 */
export function route(
  batch: i32, length: i32, dim: i32, capsules: i32, own: i32, iterations: i32,
  u: usize, logits: usize, weights: usize, z: usize, c: usize, scratch: usize,
): void {
  storeElementaryConstants(scratch);
  const b = scratch + (<usize>elementaryScratch() << 2);
  const lanes = routeLanes(length), row = <usize>lanes << 2, width = <usize>dim << 2;
  const step = <usize>own * width, apart: usize = own == 1 ? 0 : width;
  for (let q = 0; q < batch; q++) {
    for (let k: usize = 0; k < <usize>capsules; k++) {
      for (let t: usize = 0; t < <usize>lanes; t++)
        store<f32>(b + k * row + (t << 2), t < <usize>length ? load<f32>(logits + ((t * capsules + k) << 2)) : 0);
    }
    for (let i = 1; ; i++) {
      softmaxOverCapsules(lanes, capsules, b, weights, scratch);
      for (let k: usize = 0; k < <usize>capsules; k++) {
        weightedSum(length, dim, u + k * apart, step, weights + k * row, z + k * width);
        squash(width, z + k * width, c + k * width);
      }
      if (i >= iterations) break;
      for (let k: usize = 0; k < <usize>capsules; k++) {
        let from = u + k * apart;
        for (let t: usize = 0; t < <usize>length; t++, from += step) {
          const at = b + k * row + (t << 2);
          store<f32>(at, load<f32>(at) + dot(width, c + k * width, from));
        }
      }
    }
    u += <usize>length * step;
    logits += (<usize>length * capsules) << 2;
    weights += <usize>capsules * row;
    z += <usize>capsules * width;
    c += <usize>capsules * width;
  }
}

/** The gradient of u with the weights held: du_tk = w_tk dz_k, of shared behaviours the sum over k. scratch: capsules · dim floats. */
export function routeGradient(
  batch: i32, length: i32, dim: i32, capsules: i32, own: i32,
  weights: usize, z: usize, dc: usize, du: usize, scratch: usize,
): void {
  const row = <usize>routeLanes(length) << 2, width = <usize>dim << 2, vectors = width & ~15;
  for (let q = 0; q < batch; q++) {
    for (let k: usize = 0; k < <usize>capsules; k++) squashGradient(width, z + k * width, dc + k * width, scratch + k * width);
    for (let t: usize = 0; t < <usize>length; t++) {
      for (let k: usize = 0; k < <usize>capsules; k++) {
        const w = load<f32>(weights + k * row + (t << 2)), splat = f32x4.splat(w), dz = scratch + k * width;
        let d: usize = 0;
        if (own == 1 && k > 0) {
          for (; d < vectors; d += 16) v128.store(du + d, fma(splat, v128.load(dz + d), v128.load(du + d)));
          for (; d < width; d += 4) store<f32>(du + d, w * load<f32>(dz + d) + load<f32>(du + d));
        } else {
          for (; d < vectors; d += 16) v128.store(du + d, f32x4.mul(splat, v128.load(dz + d)));
          for (; d < width; d += 4) store<f32>(du + d, w * load<f32>(dz + d));
        }
        if (own != 1) du += width;
      }
      if (own == 1) du += width;
    }
    weights += <usize>capsules * row;
    z += <usize>capsules * width;
    dc += <usize>capsules * width;
  }
}

/** Four behaviours at a time. @shape b, w [capsules, lanes] */
// @ts-ignore: decorator
@inline
function softmaxOverCapsules(lanes: i32, capsules: i32, b: usize, w: usize, constants: usize): void {
  const row = <usize>lanes << 2, end = <usize>capsules * row;
  for (let t: usize = 0; t < row; t += 16) {
    let top = v128.load(b + t);
    for (let k = row; k < end; k += row) top = f32x4.max(top, v128.load(b + k + t));
    let sum = f32x4.splat(0);
    for (let k: usize = 0; k < end; k += row) {
      const power = exp4(f32x4.sub(v128.load(b + k + t), top), constants);
      sum = f32x4.add(sum, power);
      v128.store(w + k + t, power);
    }
    for (let k: usize = 0; k < end; k += row) v128.store(w + k + t, f32x4.div(v128.load(w + k + t), sum));
  }
}

/** z = Σ_t w_t u_t, `step` bytes between the behaviours. */
// @ts-ignore: decorator
@inline
function weightedSum(length: i32, dim: i32, u: usize, step: usize, w: usize, z: usize): void {
  const width = <usize>dim << 2, end = w + (<usize>length << 2);
  let d: usize = 0;
  for (; d + 64 <= width; d += 64) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let at = w, from = u + d; at < end; at += 4, from += step) {
      const weight = v128.load32_splat(at);
      s0 = fma(weight, v128.load(from), s0);
      s1 = fma(weight, v128.load(from, 16), s1);
      s2 = fma(weight, v128.load(from, 32), s2);
      s3 = fma(weight, v128.load(from, 48), s3);
    }
    v128.store(z + d, s0);
    v128.store(z + d, s1, 16);
    v128.store(z + d, s2, 32);
    v128.store(z + d, s3, 48);
  }
  for (; d < width; d += 4) {
    let sum: f32 = 0;
    for (let at = w, from = u + d; at < end; at += 4, from += step) sum += load<f32>(at) * load<f32>(from);
    store<f32>(z + d, sum);
  }
}

/** c = n / ((1 + n) √(n + 1e-9)) · z, n = ‖z‖² */
// @ts-ignore: decorator
@inline
function squash(width: usize, z: usize, c: usize): void {
  const n = dot(width, z, z);
  const factor: f32 = n / ((1 + n) * sqrt<f32>(n + <f32>1e-9));
  for (let d: usize = 0; d < width; d += 4) store<f32>(c + d, factor * load<f32>(z + d));
}

/** dz = f dc + 2 f′ ⟨z, dc⟩ z, f the factor of `squash` and f′ its derivative by n. */
// @ts-ignore: decorator
@inline
function squashGradient(width: usize, z: usize, dc: usize, dz: usize): void {
  const n = dot(width, z, z), near: f32 = n + <f32>1e-9, root = sqrt<f32>(near);
  const factor: f32 = n / ((1 + n) * root);
  const slope: f32 = (1 / (1 + n) - n / (2 * near)) / ((1 + n) * root);
  const along: f32 = 2 * slope * dot(width, z, dc);
  for (let d: usize = 0; d < width; d += 4) store<f32>(dz + d, factor * load<f32>(dc + d) + along * load<f32>(z + d));
}
