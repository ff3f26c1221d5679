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

/**
 * e^x per lane for x ≤ 0, relative error below 3e-7; below −87 the result is 0.
 * 2^t with t = x·log2(e): t is rounded by adding 1.5·2^23, a degree-6 polynomial serves [−½, ½], the exponent is added as an integer.
 */
// @ts-ignore: decorator
@inline
export function expNonPositive(x: v128): v128 {
  const t = f32x4.max(f32x4.mul(x, f32x4.splat(1.4426950408889634)), f32x4.splat(-126));
  const rounded = f32x4.add(t, f32x4.splat(12582912.0));
  const f = f32x4.sub(t, f32x4.sub(rounded, f32x4.splat(12582912.0)));
  let p = fma(f, f32x4.splat(1.540353e-4), f32x4.splat(1.3333558e-3));
  p = fma(p, f, f32x4.splat(9.6181291e-3));
  p = fma(p, f, f32x4.splat(5.5504109e-2));
  p = fma(p, f, f32x4.splat(2.4022651e-1));
  p = fma(p, f, f32x4.splat(6.9314718e-1));
  p = fma(p, f, f32x4.splat(1.0));
  const value = i32x4.add(p, i32x4.shl(rounded, 23));
  return v128.and(value, f32x4.gt(x, f32x4.splat(-87)));
}
