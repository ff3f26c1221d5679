// One step of an optimizer on `count` weights; float32 throughout and without fused multiply-add, so every build gives the same bits.

/**
 * Adam: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← keep·w − stepSize · m / (√v · rootScale + ε).
 * The caller folds the bias corrections into `stepSize` and `rootScale`.
 */
export function adam(
  count: i32, weights: usize, mean: usize, square: usize, gradient: usize, beta1: f32, rest1: f32, beta2: f32, rest2: f32, stepSize: f32,
  rootScale: f32, epsilon: f32, keep: f32,
): void {
  const b1 = f32x4.splat(beta1), r1 = f32x4.splat(rest1), b2 = f32x4.splat(beta2), r2 = f32x4.splat(rest2);
  const size = f32x4.splat(stepSize), scale = f32x4.splat(rootScale), eps = f32x4.splat(epsilon), kept = f32x4.splat(keep);
  const end = <usize>count << 2, vectorEnd = end & ~15;
  let i: usize = 0;
  for (; i < vectorEnd; i += 16) {
    const g = v128.load(gradient + i);
    const m = f32x4.add(f32x4.mul(b1, v128.load(mean + i)), f32x4.mul(r1, g));
    const v = f32x4.add(f32x4.mul(b2, v128.load(square + i)), f32x4.mul(r2, f32x4.mul(g, g)));
    v128.store(mean + i, m);
    v128.store(square + i, v);
    const change = f32x4.div(f32x4.mul(size, m), f32x4.add(f32x4.mul(f32x4.sqrt(v), scale), eps));
    v128.store(weights + i, f32x4.sub(f32x4.mul(kept, v128.load(weights + i)), change));
  }
  for (; i < end; i += 4) {
    const g = load<f32>(gradient + i);
    const m: f32 = beta1 * load<f32>(mean + i) + rest1 * g;
    const v: f32 = beta2 * load<f32>(square + i) + rest2 * (g * g);
    store<f32>(mean + i, m);
    store<f32>(square + i, v);
    store<f32>(weights + i, keep * load<f32>(weights + i) - (stepSize * m) / (sqrt<f32>(v) * rootScale + epsilon));
  }
}

/** Adagrad: s ← s + g², w ← w − η g / (√s + ε). */
export function adagrad(count: i32, weights: usize, squares: usize, gradient: usize, learningRate: f32, epsilon: f32): void {
  const rate = f32x4.splat(learningRate), eps = f32x4.splat(epsilon);
  const end = <usize>count << 2, vectorEnd = end & ~15;
  let i: usize = 0;
  for (; i < vectorEnd; i += 16) {
    const g = v128.load(gradient + i);
    const s = f32x4.add(v128.load(squares + i), f32x4.mul(g, g));
    v128.store(squares + i, s);
    const change = f32x4.div(f32x4.mul(rate, g), f32x4.add(f32x4.sqrt(s), eps));
    v128.store(weights + i, f32x4.sub(v128.load(weights + i), change));
  }
  for (; i < end; i += 4) {
    const g = load<f32>(gradient + i);
    const s: f32 = load<f32>(squares + i) + g * g;
    store<f32>(squares + i, s);
    store<f32>(weights + i, load<f32>(weights + i) - (learningRate * g) / (sqrt<f32>(s) + epsilon));
  }
}

/** Gradient descent: b ← μb + g, w ← w − η b; `velocity` may be 0, then b is g. */
export function sgd(count: i32, weights: usize, velocity: usize, gradient: usize, learningRate: f32, momentum: f32): void {
  const rate = f32x4.splat(learningRate), kept = f32x4.splat(momentum);
  const end = <usize>count << 2, vectorEnd = end & ~15;
  let i: usize = 0;
  for (; i < vectorEnd; i += 16) {
    let b = v128.load(gradient + i);
    if (velocity) {
      b = f32x4.add(f32x4.mul(kept, v128.load(velocity + i)), b);
      v128.store(velocity + i, b);
    }
    v128.store(weights + i, f32x4.sub(v128.load(weights + i), f32x4.mul(rate, b)));
  }
  for (; i < end; i += 4) {
    let b = load<f32>(gradient + i);
    if (velocity) {
      b = momentum * load<f32>(velocity + i) + b;
      store<f32>(velocity + i, b);
    }
    store<f32>(weights + i, load<f32>(weights + i) - learningRate * b);
  }
}
