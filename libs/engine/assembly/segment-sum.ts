/**
 * out[ids[r], :] += x[r, :] for every row r of x [rows, width]; out [segments, width] is zeroed first.
 * Ids outside [0, segments) are left out, as the reference backend does. Rows are added in their order, so the sum is repeatable.
 */
export function segmentSum(rows: i32, width: i32, segments: i32, x: usize, ids: usize, out: usize): void {
  const bytes = <usize>width << 2;
  const vectorBytes = bytes & ~15;
  memory.fill(out, 0, <usize>segments * bytes);
  for (let r = 0; r < rows; r++) {
    const id = load<i32>(ids + (<usize>r << 2));
    if (<u32>id >= <u32>segments) continue;
    const from = x + <usize>r * bytes;
    const to = out + <usize>id * bytes;
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)));
    for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(to + i) + load<f32>(from + i));
  }
}
