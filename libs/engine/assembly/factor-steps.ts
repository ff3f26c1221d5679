// Matrix factorisation by gradient descent of one example at a time. A vector is a row of `bytes` bytes, a multiple of 16, filled up with
// zeros, which every step leaves zero; biases stand apart. What a step takes away in decay is rounded with what it adds, not by itself.
import { sigmoid4, storeElementaryConstants } from './elementary';
import { dot, fma } from './simd';

// @ts-ignore: decorator
@inline
function indexed(base: usize, index: usize, at: usize): usize {
  return base + (<usize>load<i32>(index + at) << 2);
}

// @ts-ignore: decorator
@inline
function row(base: usize, index: usize, at: usize, bytes: usize): usize {
  return base + <usize>load<i32>(index + at) * bytes;
}

// @ts-ignore: decorator
@inline
function move(bias: usize, step: f32, decay: f32): void {
  const value = load<f32>(bias);
  store<f32>(bias, value + (step - decay * value));
}

// @ts-ignore: decorator
@inline
function sigmoid(x: f32, constants: usize): f32 {
  return f32x4.extract_lane(sigmoid4(f32x4.splat(x), constants), 0);
}

/**
 * Steps down softplus((1 − 2y) s) + λ/2 (squares), s = b + b_u + b_i + ⟨p_u, q_i⟩, one example after another.
 *   user, item [count], labels [count] 0 or 1; users, items rows of `bytes`; userBias, itemBias, bias [1]
 * Writes the score of each example before its step to scores [count].
 */
export function logisticSteps(
  count: i32, bytes: usize, rate: f32, decay: f32, user: usize, item: usize, labels: usize, users: usize, items: usize, userBias: usize,
  itemBias: usize, bias: usize, scores: usize, scratch: usize,
): void {
  storeElementaryConstants(scratch);
  const decays = f32x4.splat(-decay);
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 4) {
    const p = row(users, user, at, bytes), q = row(items, item, at, bytes);
    const ofUser = indexed(userBias, user, at), ofItem = indexed(itemBias, item, at);
    const score = load<f32>(bias) + (load<f32>(ofUser) + load<f32>(ofItem) + dot(bytes, p, q));
    store<f32>(scores + at, score);
    const step = rate * (load<f32>(labels + at) - sigmoid(score, scratch));
    const steps = f32x4.splat(step);
    for (let i: usize = 0; i < bytes; i += 16) {
      const x = v128.load(p + i), y = v128.load(q + i);
      v128.store(p + i, f32x4.add(x, fma(steps, y, f32x4.mul(decays, x))));
      v128.store(q + i, f32x4.add(y, fma(steps, x, f32x4.mul(decays, y))));
    }
    move(ofUser, step, decay);
    move(ofItem, step, decay);
    move(bias, step, decay);
  }
}

/**
 * Steps down softplus(−m) + λ/2 (squares), m = b_i − b_j + ⟨p_u, q_i − q_j⟩, one example after another; i and j may be one item.
 *   user, positive, negative [count]; users, items rows of `bytes`; itemBias
 * Writes the margin m of each example before its step to margins [count].
 */
export function pairwiseSteps(
  count: i32, bytes: usize, rate: f32, decay: f32, user: usize, positive: usize, negative: usize, users: usize, items: usize,
  itemBias: usize, margins: usize, scratch: usize,
): void {
  storeElementaryConstants(scratch);
  const decays = f32x4.splat(-decay);
  for (let at: usize = 0, end = <usize>count << 2; at < end; at += 4) {
    const p = row(users, user, at, bytes), qi = row(items, positive, at, bytes), qj = row(items, negative, at, bytes);
    const ofPositive = indexed(itemBias, positive, at), ofNegative = indexed(itemBias, negative, at);
    let lanes = f32x4.splat(0);
    for (let k: usize = 0; k < bytes; k += 16) lanes = fma(v128.load(p + k), f32x4.sub(v128.load(qi + k), v128.load(qj + k)), lanes);
    const pairs = f32x4.add(lanes, i32x4.shuffle(lanes, lanes, 2, 3, 0, 1));
    const margin = load<f32>(ofPositive) - load<f32>(ofNegative) + (f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1));
    store<f32>(margins + at, margin);
    const step = rate * sigmoid(-margin, scratch);
    const steps = f32x4.splat(step), back = f32x4.splat(-step);
    for (let k: usize = 0; k < bytes; k += 16) {
      const x = v128.load(p + k), better = v128.load(qi + k), worse = v128.load(qj + k);
      v128.store(p + k, f32x4.add(x, fma(steps, f32x4.sub(better, worse), f32x4.mul(decays, x))));
      v128.store(qi + k, f32x4.add(better, fma(steps, x, f32x4.mul(decays, better))));
      v128.store(qj + k, f32x4.add(v128.load(qj + k), fma(back, x, f32x4.mul(decays, worse))));
    }
    const better = load<f32>(ofPositive), worse = load<f32>(ofNegative);
    store<f32>(ofPositive, better + (step - decay * better));
    store<f32>(ofNegative, load<f32>(ofNegative) - (step + decay * worse));
  }
}
