// Activations of a matrix in panels that are not part of the product (see panels.ts), and their gradients.
import { sigmoid4, storeElementaryConstants, tanh4 } from './elementary';

/** What `which` means: the leaky ReLU with the slope LEAK below zero, tanh; anything else is the sigmoid. */
const LEAKY_RELU: i32 = 0, TANH: i32 = 1;
const LEAK: f32 = 0.01;

/** x = activation(x), in place. scratch: that of the elementary functions. */
export function activatePanels(rows: i32, columns: i32, which: i32, x: usize, ps: usize, scratch: usize): void {
  storeElementaryConstants(scratch);
  const leak = f32x4.splat(LEAK), zero = f32x4.splat(0), bytes = <usize>((rows + 7) & ~7) << 5;
  for (let j = 0; j < columns; j += 8, x += ps) {
    if (which == LEAKY_RELU) {
      for (let i: usize = 0; i < bytes; i += 16) {
        const v = v128.load(x + i);
        v128.store(x + i, v128.bitselect(f32x4.mul(v, leak), v, f32x4.lt(v, zero)));
      }
    } else if (which == TANH) {
      for (let i: usize = 0; i < bytes; i += 16) v128.store(x + i, tanh4(v128.load(x + i), scratch));
    } else {
      for (let i: usize = 0; i < bytes; i += 16) v128.store(x + i, sigmoid4(v128.load(x + i), scratch));
    }
  }
}

/** dy = dy · activation'(·), in place, from the activation's value y; both in panels with one stride. */
export function activatePanelsGradient(rows: i32, columns: i32, which: i32, dy: usize, y: usize, ps: usize): void {
  const leak = f32x4.splat(LEAK), zero = f32x4.splat(0), one = f32x4.splat(1), bytes = <usize>((rows + 7) & ~7) << 5;
  for (let j = 0; j < columns; j += 8, dy += ps, y += ps) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const d = v128.load(dy + i), v = v128.load(y + i);
      let change: v128;
      if (which == LEAKY_RELU) change = v128.bitselect(leak, one, f32x4.lt(v, zero));
      else if (which == TANH) change = f32x4.sub(one, f32x4.mul(v, v));
      else change = f32x4.mul(v, f32x4.sub(one, v));
      v128.store(dy + i, f32x4.mul(d, change));
    }
  }
}
