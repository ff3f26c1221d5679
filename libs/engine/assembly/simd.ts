/** a·b + c; one instruction in the relaxed build, two in the baseline build. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Sum of the four lanes, pairwise. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** Σ x y over rows of so many bytes: vectors first, then the numbers that fill none. */
// @ts-ignore: decorator
@inline
export function dot(bytes: usize, x: usize, y: usize): f32 {
  const vectorBytes = bytes & ~15;
  let lanes = f32x4.splat(0);
  let i: usize = 0;
  for (; i < vectorBytes; i += 16) lanes = fma(v128.load(x + i), v128.load(y + i), lanes);
  let sum = sumLanes(lanes);
  for (; i < bytes; i += 4) sum += load<f32>(x + i) * load<f32>(y + i);
  return sum;
}

/** Floats of `storeExpConstants`, rounded up to whole vectors. */
export const EXP_CONSTANTS: i32 = 12;

/**
 * Puts the constants of `exp2` into memory: a constant vector inside a loop is built anew at every use, one that was loaded before the
 * loop stays in a register.
 */
export function storeExpConstants(to: usize): void {
  store<f32>(to, 12582912.0); // 1.5 · 2^23: adding it rounds to a whole number
  store<f32>(to, -126.0, 4);
  store<f32>(to, 1.540353e-4, 8);
  store<f32>(to, 1.3333558e-3, 12);
  store<f32>(to, 9.6181291e-3, 16);
  store<f32>(to, 5.5504109e-2, 20);
  store<f32>(to, 2.4022651e-1, 24);
  store<f32>(to, 6.9314718e-1, 28);
  store<f32>(to, 1.0, 32);
}

/**
 * 2^x per lane for x ≤ 127, relative error below 3e-7; below −126 it is 2^−126, NaN stays NaN. The arguments after x are the constants
 * in their order.
 */
// @ts-ignore: decorator
@inline
export function exp2(x: v128, k: v128, low: v128, c6: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128, c0: v128): v128 {
  const t = f32x4.pmax(x, low);
  const rounded = f32x4.add(t, k);
  const f = f32x4.sub(t, f32x4.sub(rounded, k));
  let p = fma(f, c6, c5);
  p = fma(p, f, c4);
  p = fma(p, f, c3);
  p = fma(p, f, c2);
  p = fma(p, f, c1);
  p = fma(p, f, c0);
  return i32x4.add(p, i32x4.shl(rounded, 23));
}
