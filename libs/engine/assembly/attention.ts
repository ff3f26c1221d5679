// Attention of several heads over few steps, one example after the other: products this small would take longer to arrange than to compute.
import { softmaxRows } from './row-norms';
import { dot, fma } from './simd';

/** The score where a step may not be read; its exponential is 0. */
const ABSENT: f32 = -1e9;

/**
 * y_t = Σ_{s ≤ t} w_ts v_s,  w_t = softmax_s(⟨q_t, k_s⟩ / √width) over the entries among steps up to t; 0 where there is none
 * @shape x [steps, batch, 3 (q, k, v), heads, width]; mask [batch, steps], 0 or 1; weights [batch, heads, steps, steps]; y [steps, batch,
 *   heads, width]; scratch: elementaryScratch() floats
 */
export function causalAttention(
  batch: i32, steps: i32, heads: i32, width: i32, x: usize, mask: usize, weights: usize, y: usize, scratch: usize,
): void {
  const bytes = <usize>width << 2, units = <usize>heads * bytes;
  const step = <usize>batch * units; // of y; three times as much of x
  const scale: f32 = <f32>1 / sqrt<f32>(<f32>width);
  let w = weights;
  for (let b = 0; b < batch; b++) {
    const isThere = mask + ((<usize>b * <usize>steps) << 2);
    for (let head: usize = 0; head < units; head += bytes) {
      const q = x + <usize>b * 3 * units + head, k = q + units;
      for (let t: usize = 0; t < <usize>steps; t++) {
        for (let s: usize = 0; s < <usize>steps; s++, w += 4) {
          const isRead = s <= t && load<f32>(isThere + (s << 2)) != 0;
          store<f32>(w, isRead ? scale * dot(bytes, q + t * 3 * step, k + s * 3 * step) : ABSENT);
        }
      }
    }
  }
  softmaxRows(batch * heads * steps, steps, weights, weights, scratch);
  w = weights;
  memory.fill(y, 0, <usize>steps * step);
  for (let b = 0; b < batch; b++) {
    const isThere = mask + ((<usize>b * <usize>steps) << 2);
    for (let head: usize = 0; head < units; head += bytes) {
      const v = x + <usize>b * 3 * units + 2 * units + head, out = y + <usize>b * units + head;
      for (let t: usize = 0; t < <usize>steps; t++) {
        for (let s: usize = 0; s < <usize>steps; s++, w += 4) {
          if (s <= t && load<f32>(isThere + (s << 2)) != 0) addTimes(bytes, load<f32>(w), v + s * 3 * step, out + t * step);
          else store<f32>(w, 0); // also where nothing at all is read, and the softmax was even
        }
      }
    }
  }
}

/** The gradient of x. scratch: floats for the steps */
export function causalAttentionGradient(
  batch: i32, steps: i32, heads: i32, width: i32, x: usize, weights: usize, dy: usize, dx: usize, scratch: usize,
): void {
  const bytes = <usize>width << 2, units = <usize>heads * bytes;
  const step = <usize>batch * units;
  const scale: f32 = <f32>1 / sqrt<f32>(<f32>width);
  memory.fill(dx, 0, 3 * <usize>steps * step);
  for (let b = 0; b < batch; b++) {
    for (let head: usize = 0; head < units; head += bytes) {
      const at = <usize>b * 3 * units + head, from = dy + <usize>b * units + head;
      for (let t: usize = 0; t < <usize>steps; t++, weights += <usize>steps << 2) {
        const given = from + t * step, q = at + t * 3 * step;
        let sum: f32 = 0;
        for (let s: usize = 0; s <= t; s++) {
          const d = dot(bytes, given, x + at + s * 3 * step + 2 * units);
          store<f32>(scratch + (s << 2), d);
          sum += load<f32>(weights + (s << 2)) * d;
        }
        for (let s: usize = 0; s <= t; s++) {
          const w = load<f32>(weights + (s << 2)), k = at + s * 3 * step + units;
          const d = scale * w * (load<f32>(scratch + (s << 2)) - sum);
          addTimes(bytes, d, x + k, dx + q);
          addTimes(bytes, d, x + q, dx + k);
          addTimes(bytes, w, given, dx + k + units);
        }
      }
    }
  }
}

/** to += factor · from, rows of so many bytes. */
// @ts-ignore: decorator
@inline
function addTimes(bytes: usize, factor: f32, from: usize, to: usize): void {
  const vectorBytes = bytes & ~15, lanes = f32x4.splat(factor);
  let i: usize = 0;
  for (; i < vectorBytes; i += 16) v128.store(to + i, fma(lanes, v128.load(from + i), v128.load(to + i)));
  for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(to + i) + factor * load<f32>(from + i));
}
