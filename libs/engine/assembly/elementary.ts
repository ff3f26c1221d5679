// Elementary functions on arrays of float32. The stated errors are against float64, in units of the last place of the exact result; they
// hold for every number, subnormal ones included, in both builds.
import { fma } from './simd';

/** Floats of scratch that the functions of this file take. */
export function elementaryScratch(): i32 {
  return 32;
}

/** Puts the constants into memory: a constant vector inside a loop is built anew at every use, this one is a load. */
export function storeElementaryConstants(to: usize): void {
  store<f32>(to, 1.0);
  // exp: x = n ln 2 + r, |r| ≤ ln 2 / 2; ln 2 in two parts, of which n times the first is exact
  store<f32>(to, -104, 4); // below, e^x is 0
  store<f32>(to, 89, 8); // above, it is ∞
  store<f32>(to, 1.4426950408889634, 12);
  store<f32>(to, 12582912.0, 16); // 1.5 · 2^23: adding it rounds to a whole number
  store<f32>(to, -0.693359375, 20);
  store<f32>(to, 2.12194440e-4, 24);
  store<f32>(to, 1.9875691500e-4, 28);
  store<f32>(to, 1.3981999507e-3, 32);
  store<f32>(to, 8.3334519073e-3, 36);
  store<f32>(to, 4.1665795894e-2, 40);
  store<f32>(to, 1.6666665459e-1, 44);
  store<f32>(to, 0.5, 48);
  // log: x = 2^n (1 + f), √½ ≤ 1 + f < √2
  store<f32>(to, 7.0376836292e-2, 52);
  store<f32>(to, -1.1514610310e-1, 56);
  store<f32>(to, 1.1676998740e-1, 60);
  store<f32>(to, -1.2420140846e-1, 64);
  store<f32>(to, 1.4249322787e-1, 68);
  store<f32>(to, -1.6668057665e-1, 72);
  store<f32>(to, 2.0000714765e-1, 76);
  store<f32>(to, -2.4999993993e-1, 80);
  store<f32>(to, 3.3333331174e-1, 84);
  // tanh near 0, a polynomial of x²
  store<f32>(to, -5.70498872745e-3, 88);
  store<f32>(to, 2.06390887954e-2, 92);
  store<f32>(to, -5.37397155531e-2, 96);
  store<f32>(to, 1.33314422036e-1, 100);
  store<f32>(to, -3.33332819422e-1, 104);
  store<f32>(to, 0.625, 108);
  store<f32>(to, 1.17549435e-38, 112); // the smallest normal number
  store<i32>(to, 0x3f3504f3, 116); // the bits of √½
}

// @ts-ignore: decorator
@inline
function at(constants: usize, index: usize): v128 {
  return v128.load32_splat(constants + (index << 2));
}

/** The first `count` < 4 floats at p, the other lanes `fill`. */
// @ts-ignore: decorator
@inline
export function loadRest(p: usize, count: i32, fill: f32): v128 {
  let v = f32x4.replace_lane(f32x4.splat(fill), 0, load<f32>(p));
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(p, 4));
  return count > 2 ? f32x4.replace_lane(v, 2, load<f32>(p, 8)) : v;
}

/** The first `count` < 4 lanes to p. */
// @ts-ignore: decorator
@inline
export function storeRest(p: usize, v: v128, count: i32): void {
  store<f32>(p, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(p, f32x4.extract_lane(v, 1), 4);
  if (count > 2) store<f32>(p, f32x4.extract_lane(v, 2), 8);
}

/** e^x per lane, `c` the constants; as `exponentials`. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128, c: usize): v128 {
  const t = f32x4.pmin(f32x4.pmax(x, at(c, 1)), at(c, 2)); // NaN stays
  const rounded = fma(t, at(c, 3), at(c, 4));
  const n = f32x4.sub(rounded, at(c, 4));
  const r = fma(n, at(c, 6), fma(n, at(c, 5), t));
  let p = fma(r, at(c, 7), at(c, 8));
  p = fma(p, r, at(c, 9));
  p = fma(p, r, at(c, 10));
  p = fma(p, r, at(c, 11));
  p = fma(p, r, at(c, 12));
  p = f32x4.add(fma(p, f32x4.mul(r, r), r), at(c, 0));
  // 2^n in two factors, so that neither leaves the normal numbers; only the last product rounds.
  const power = i32x4.sub(rounded, at(c, 4)), half = i32x4.shr_s(power, 1);
  const low = i32x4.add(i32x4.shl(half, 23), at(c, 0)), high = i32x4.add(i32x4.shl(i32x4.sub(power, half), 23), at(c, 0));
  return f32x4.mul(f32x4.mul(p, low), high);
}

/** ln x per lane, `c` the constants; as `logarithms`. */
// @ts-ignore: decorator
@inline
export function log4(x: v128, c: usize): v128 {
  const tiny = f32x4.lt(x, at(c, 28));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(16777216)), x, tiny); // by 2^24
  const offset = i32x4.sub(scaled, at(c, 29));
  const n = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_s(offset, 23), v128.and(tiny, i32x4.splat(24))));
  const f = f32x4.sub(i32x4.add(v128.and(offset, i32x4.splat(0x7fffff)), at(c, 29)), at(c, 0));
  let p = fma(f, at(c, 13), at(c, 14));
  p = fma(p, f, at(c, 15));
  p = fma(p, f, at(c, 16));
  p = fma(p, f, at(c, 17));
  p = fma(p, f, at(c, 18));
  p = fma(p, f, at(c, 19));
  p = fma(p, f, at(c, 20));
  p = fma(p, f, at(c, 21));
  const squared = f32x4.mul(f, f);
  p = f32x4.sub(f32x4.mul(f32x4.mul(p, f), squared), f32x4.mul(n, at(c, 6)));
  p = f32x4.sub(p, f32x4.mul(squared, at(c, 12)));
  const finite = f32x4.sub(f32x4.add(f, p), f32x4.mul(n, at(c, 5)));
  const result = v128.bitselect(finite, x, f32x4.lt(x, f32x4.splat(Infinity))); // ∞ and NaN are their own
  const zero = f32x4.splat(0);
  // All bits set are a NaN.
  return v128.or(v128.bitselect(f32x4.splat(-Infinity), result, f32x4.eq(x, zero)), f32x4.lt(x, zero));
}

/** tanh x per lane, `c` the constants; as `hyperbolicTangents`. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128, c: usize): v128 {
  const size = f32x4.abs(x), z = f32x4.mul(x, x); // the sign of x comes last, so that −0 keeps it
  let p = fma(z, at(c, 22), at(c, 23));
  p = fma(p, z, at(c, 24));
  p = fma(p, z, at(c, 25));
  p = fma(p, z, at(c, 26));
  const near = fma(f32x4.mul(p, z), size, size);
  const e = exp4(f32x4.add(size, size), c); // tanh |x| = 1 − 2 / (e^2|x| + 1)
  const far = f32x4.sub(at(c, 0), f32x4.div(f32x4.splat(2), f32x4.add(e, at(c, 0))));
  return v128.or(v128.bitselect(near, far, f32x4.lt(size, at(c, 27))), v128.and(x, i32x4.splat(0x80000000)));
}

/** 1 / (1 + e^−x) per lane, `c` the constants; error below 2.5 units. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128, c: usize): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(x)), c);
  const numerator = v128.bitselect(e, at(c, 0), f32x4.lt(x, f32x4.splat(0)));
  return f32x4.div(numerator, f32x4.add(at(c, 0), e));
}

/** y = e^x, `count` floats; x and y may be one. Error below 1.1 units. */
export function exponentials(count: i32, x: usize, y: usize, scratch: usize): void {
  storeElementaryConstants(scratch);
  const end = x + (<usize>(count & ~3) << 2), apart = y - x, rest = count & 3;
  for (; x < end; x += 16) v128.store(x + apart, exp4(v128.load(x), scratch));
  if (rest) storeRest(x + apart, exp4(loadRest(x, rest, 0), scratch), rest);
}

/** y = ln x. Error below 1 unit; −∞ for 0, NaN for what is negative. */
export function logarithms(count: i32, x: usize, y: usize, scratch: usize): void {
  storeElementaryConstants(scratch);
  const end = x + (<usize>(count & ~3) << 2), apart = y - x, rest = count & 3;
  for (; x < end; x += 16) v128.store(x + apart, log4(v128.load(x), scratch));
  if (rest) storeRest(x + apart, log4(loadRest(x, rest, 1), scratch), rest);
}

/** y = tanh x. Error below 1.5 units. */
export function hyperbolicTangents(count: i32, x: usize, y: usize, scratch: usize): void {
  storeElementaryConstants(scratch);
  const end = x + (<usize>(count & ~3) << 2), apart = y - x, rest = count & 3;
  for (; x < end; x += 16) v128.store(x + apart, tanh4(v128.load(x), scratch));
  if (rest) storeRest(x + apart, tanh4(loadRest(x, rest, 0), scratch), rest);
}
