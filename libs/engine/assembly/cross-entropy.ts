// Losses of scores: value and gradient in one pass, means summed in float64.
import { exp4, exponentials, loadRest, log4, sigmoid4, storeElementaryConstants, storeRest } from './elementary';

// The module shares another's memory and may carry no tables, so the logarithm is the caller's.
// @ts-ignore: decorator
@external('env', 'log')
declare function log(x: f64): f64;

/**
 * Softmax cross-entropy where the first choice of each row is right: z = s / τ − correction, L = −mean log softmax(z)[0].
 * correction [rows, choices], 0 for none; ∞ leaves a choice out. Writes ∂L/∂s [rows, choices]; returns the mean in nats.
 */
export function firstChoiceSoftmax(
  rows: i32, choices: i32, tau: f32, scores: usize, correction: usize, gradient: usize, scratch: usize,
): f64 {
  const inverse: f32 = 1 / tau, bytes = <usize>choices << 2;
  let loss: f64 = 0;
  for (let r = 0, g = gradient; r < rows; r++, g += bytes) {
    let top = -Infinity as f32;
    for (let i: usize = 0; i < bytes; i += 4) {
      let z: f32 = load<f32>(scores + i) * inverse;
      if (correction) z -= load<f32>(correction + i);
      top = max(top, z);
      store<f32>(g + i, z);
    }
    loss += <f64>top - <f64>load<f32>(g);
    for (let i: usize = 0; i < bytes; i += 4) store<f32>(g + i, load<f32>(g + i) - top);
    scores += bytes;
    if (correction) correction += bytes;
  }
  exponentials(rows * choices, gradient, gradient, scratch);
  const scale: f64 = 1 / (<f64>rows * <f64>tau);
  for (let r = 0, g = gradient; r < rows; r++, g += bytes) {
    let others: f64 = 0;
    for (let i: usize = 4; i < bytes; i += 4) others += <f64>load<f32>(g + i);
    const sum = others + <f64>load<f32>(g);
    loss += log(sum);
    const factor = scale / sum;
    store<f32>(g, <f32>(-others * factor)); // p − 1 without the difference
    for (let i: usize = 4; i < bytes; i += 4) store<f32>(g + i, <f32>(<f64>load<f32>(g + i) * factor));
  }
  return loss / <f64>rows;
}

/**
 * Binary cross-entropy from logits: L = mean(softplus(s) − y s). Writes ∂L/∂s = (sigmoid(s) − y) / count; returns the mean in nats.
 */
export function sigmoidCrossEntropy(count: i32, logits: usize, labels: usize, gradient: usize, scratch: usize): f64 {
  storeElementaryConstants(scratch);
  const scale = f32x4.splat(1 / <f32>count), rest = count & 3;
  let sum = f64x2.splat(0);
  let i: usize = 0;
  for (; i < <usize>(count & ~3) << 2; i += 16) {
    const s = v128.load(logits + i), y = v128.load(labels + i);
    const term = binaryTerm(s, y, scratch);
    sum = f64x2.add(sum, f64x2.add(f64x2.promote_low_f32x4(term), f64x2.promote_low_f32x4(i32x4.shuffle(term, term, 2, 3, 0, 1))));
    v128.store(gradient + i, f32x4.mul(f32x4.sub(sigmoid4(s, scratch), y), scale));
  }
  let loss = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  if (rest) {
    const s = loadRest(logits + i, rest, 0), y = loadRest(labels + i, rest, 0), term = binaryTerm(s, y, scratch);
    loss += <f64>f32x4.extract_lane(term, 0);
    if (rest > 1) loss += <f64>f32x4.extract_lane(term, 1);
    if (rest > 2) loss += <f64>f32x4.extract_lane(term, 2);
    storeRest(gradient + i, f32x4.mul(f32x4.sub(sigmoid4(s, scratch), y), scale), rest);
  }
  return loss / <f64>count;
}

/** softplus(s) − y s = max(s, 0) − y s + ln(1 + e^−|s|) per lane. */
// @ts-ignore: decorator
@inline
function binaryTerm(s: v128, y: v128, constants: usize): v128 {
  const one = f32x4.splat(1), e = exp4(f32x4.neg(f32x4.abs(s)), constants), u = f32x4.add(one, e);
  // What is lost when 1 + e is rounded is made good to first order.
  const tail = f32x4.add(log4(u, constants), f32x4.div(f32x4.sub(e, f32x4.sub(u, one)), u));
  return f32x4.add(f32x4.sub(f32x4.max(s, f32x4.splat(0)), f32x4.mul(y, s)), tail);
}
