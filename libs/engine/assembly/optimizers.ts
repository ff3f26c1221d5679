// One step of an optimizer. Every kernel updates `numRows` rows of `dim` weights: those whose numbers stand at `rows`, or, where
// `rows` is 0, all from the first on. The gradient of the i-th of them is the i-th row at `gradient`. Row number 0 of a list is padding and
// is left alone. Gradients are multiplied by `gradientScale` as they are read. Float32 throughout and without fused multiply-add, so that
// every build gives the same bits.

/** Bytes from the start of the table to the i-th row of the update; negative for padding. */
// @ts-ignore: decorator
@inline
function rowOffset(i: i32, rows: usize, bytes: usize): isize {
  if (!rows) return <isize>(<usize>i * bytes);
  const row = load<i32>(rows + (<usize>i << 2));
  return row == 0 ? -1 : <isize>(<usize>row * bytes);
}

/**
 * Adam: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← keep·w − stepSize · m / (√v · rootScale + ε).
 * The caller folds the bias corrections into `stepSize` and `rootScale`.
 */
export function adam(
  numRows: i32, dim: i32, rows: usize, weights: usize, mean: usize, square: usize, gradient: usize, beta1: f32, rest1: f32, beta2: f32,
  rest2: f32, stepSize: f32, rootScale: f32, epsilon: f32, keep: f32, gradientScale: f32,
): void {
  const b1 = f32x4.splat(beta1), r1 = f32x4.splat(rest1), b2 = f32x4.splat(beta2), r2 = f32x4.splat(rest2);
  const size = f32x4.splat(stepSize), scale = f32x4.splat(rootScale), eps = f32x4.splat(epsilon), kept = f32x4.splat(keep);
  const shrink = f32x4.splat(gradientScale);
  const bytes = <usize>dim << 2, vectorBytes = bytes & ~15;
  for (let i = 0; i < numRows; i++, gradient += bytes) {
    const offset = rowOffset(i, rows, bytes);
    if (offset < 0) continue;
    const w = weights + offset, m = mean + offset, v = square + offset;
    let k: usize = 0;
    for (; k < vectorBytes; k += 16) {
      const g = f32x4.mul(shrink, v128.load(gradient + k));
      const m1 = f32x4.add(f32x4.mul(b1, v128.load(m + k)), f32x4.mul(r1, g));
      const v1 = f32x4.add(f32x4.mul(b2, v128.load(v + k)), f32x4.mul(r2, f32x4.mul(g, g)));
      v128.store(m + k, m1);
      v128.store(v + k, v1);
      const change = f32x4.div(f32x4.mul(size, m1), f32x4.add(f32x4.mul(f32x4.sqrt(v1), scale), eps));
      v128.store(w + k, f32x4.sub(f32x4.mul(kept, v128.load(w + k)), change));
    }
    for (; k < bytes; k += 4) {
      const g: f32 = gradientScale * load<f32>(gradient + k);
      const m1: f32 = beta1 * load<f32>(m + k) + rest1 * g;
      const v1: f32 = beta2 * load<f32>(v + k) + rest2 * (g * g);
      store<f32>(m + k, m1);
      store<f32>(v + k, v1);
      store<f32>(w + k, keep * load<f32>(w + k) - (stepSize * m1) / (sqrt<f32>(v1) * rootScale + epsilon));
    }
  }
}

/** Adagrad: s ← s + g², w ← w − η g / (√s + ε). */
export function adagrad(
  numRows: i32, dim: i32, rows: usize, weights: usize, squares: usize, gradient: usize, learningRate: f32, epsilon: f32,
  gradientScale: f32,
): void {
  const rate = f32x4.splat(learningRate), eps = f32x4.splat(epsilon), shrink = f32x4.splat(gradientScale);
  const bytes = <usize>dim << 2, vectorBytes = bytes & ~15;
  for (let i = 0; i < numRows; i++, gradient += bytes) {
    const offset = rowOffset(i, rows, bytes);
    if (offset < 0) continue;
    const w = weights + offset, s = squares + offset;
    let k: usize = 0;
    for (; k < vectorBytes; k += 16) {
      const g = f32x4.mul(shrink, v128.load(gradient + k));
      const s1 = f32x4.add(v128.load(s + k), f32x4.mul(g, g));
      v128.store(s + k, s1);
      const change = f32x4.div(f32x4.mul(rate, g), f32x4.add(f32x4.sqrt(s1), eps));
      v128.store(w + k, f32x4.sub(v128.load(w + k), change));
    }
    for (; k < bytes; k += 4) {
      const g: f32 = gradientScale * load<f32>(gradient + k);
      const s1: f32 = load<f32>(s + k) + g * g;
      store<f32>(s + k, s1);
      store<f32>(w + k, load<f32>(w + k) - (learningRate * g) / (sqrt<f32>(s1) + epsilon));
    }
  }
}

/** Gradient descent: b ← μb + g, w ← w − η b; `velocity` may be 0, then b is g. */
export function sgd(
  numRows: i32, dim: i32, rows: usize, weights: usize, velocity: usize, gradient: usize, learningRate: f32, momentum: f32,
  gradientScale: f32,
): void {
  const rate = f32x4.splat(learningRate), kept = f32x4.splat(momentum), shrink = f32x4.splat(gradientScale);
  const bytes = <usize>dim << 2, vectorBytes = bytes & ~15;
  for (let i = 0; i < numRows; i++, gradient += bytes) {
    const offset = rowOffset(i, rows, bytes);
    if (offset < 0) continue;
    const w = weights + offset, v = velocity + offset;
    let k: usize = 0;
    for (; k < vectorBytes; k += 16) {
      let b = f32x4.mul(shrink, v128.load(gradient + k));
      if (velocity) {
        b = f32x4.add(f32x4.mul(kept, v128.load(v + k)), b);
        v128.store(v + k, b);
      }
      v128.store(w + k, f32x4.sub(v128.load(w + k), f32x4.mul(rate, b)));
    }
    for (; k < bytes; k += 4) {
      let b: f32 = gradientScale * load<f32>(gradient + k);
      if (velocity) {
        b = momentum * load<f32>(v + k) + b;
        store<f32>(v + k, b);
      }
      store<f32>(w + k, load<f32>(w + k) - learningRate * b);
    }
  }
}

/** Σ x² in float64, in which the square of a float32 is exact. */
export function sumOfSquares(count: i32, x: usize): f64 {
  let low = f64x2.splat(0), high = low;
  const end = x + (<usize>count << 2), vectorEnd = x + (<usize>(count & ~3) << 2);
  for (; x < vectorEnd; x += 16) {
    const lanes = v128.load(x);
    const a = f64x2.promote_low_f32x4(lanes), b = f64x2.promote_low_f32x4(i32x4.shuffle(lanes, lanes, 2, 3, 0, 1));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; x < end; x += 4) {
    const value = <f64>load<f32>(x);
    sum += value * value;
  }
  return sum;
}
