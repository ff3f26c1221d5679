// Matrices in panels: R×C float32 stored as ⌈C/8⌉ panels of 8 columns, a panel's rows one after the other, 32 bytes each. Columns
// beyond C are zero, and so are rows beyond R up to a multiple of 8. Both operands of A B and of Aᵀ B then stream through
// memory in order, so a product needs no packing; what is read by rows and by columns alike is converted once.
//
// `ps` is the number of bytes between two panels: 32 × rows at least, and not a multiple of 4096, where the panels of a matrix would
// share the sets of the cache.
//
// Lessons that shaped the inner loops, measured: a 4×8 register block is the largest that does not spill in both builds. A basic block
// must end after each two rows (the never-taken `break`s), because the compiler of Node 20 hoists all loads of a block to its top, and
// loads in a bunch keep the arithmetic waiting. A splatting load adds its offset to the base of the memory by an instruction of its own,
// so `p` moves on instead: the few offsets then stay in registers.
import { fma } from './simd';

/** Rows of A that stay in the first-level cache while the panels of B pass. */
const ROW_BLOCK: i32 = 32;
/** Rows that one pass of Aᵀ B contracts over. */
const DEPTH_BLOCK: i32 = 256;

/** What a product does besides. */
export const ADD: i32 = 1; // C += A B
export const BIAS: i32 = 2; // aux: one number per column, added
export const RELU: i32 = 4; // max(·, 0) at the end
export const MASK: i32 = 8; // aux: panels of C's shape; zero where aux ≤ 0

/** Bytes between the panels of a matrix of `rows` rows. */
export function panelStride(rows: i32): i32 {
  return (((rows + 7) & ~7) + 16) << 5;
}

/** Floats that a matrix in panels takes. */
export function panelFloats(rows: i32, columns: i32): i32 {
  return ((columns + 7) >> 3) * (panelStride(rows) >> 2);
}

/** x [rows, columns], `rs` and `cs` floats between its rows and columns, into panels. */
export function toPanels(rows: i32, columns: i32, x: usize, rs: i32, cs: i32, out: usize, ps: usize): void {
  const rowBytes = <usize>rs << 2, columnBytes = <usize>cs << 2;
  const copied = cs == 1 ? rows & ~3 : 0;
  for (let r = 0; r < copied; r += 4) { // by rows: a matrix whose rows are a power of two apart would displace itself from the cache by panels
    let q = out + (<usize>r << 5);
    let p0 = x + <usize>r * rowBytes, p1 = p0 + rowBytes, p2 = p1 + rowBytes, p3 = p2 + rowBytes;
    for (let left = columns; left >= 8; left -= 8) {
      copy8(p0, q); copy8(p1, q + 32); copy8(p2, q + 64); copy8(p3, q + 96);
      p0 += 32; p1 += 32; p2 += 32; p3 += 32; q += ps;
    }
  }
  for (let j = 0; j < columns; j += 8) {
    const width = min(8, columns - j);
    const from = x + <usize>j * columnBytes;
    const panel = out + <usize>(j >> 3) * ps;
    let r = 0;
    if (width == 8) {
      r = copied;
      if (rs == 1) for (; r + 4 <= rows; r += 4) {
        const p = from + (<usize>r << 2), q = panel + (<usize>r << 5);
        transpose4(p, columnBytes, q, 32);
        transpose4(p + 4 * columnBytes, columnBytes, q + 16, 32);
      }
    }
    for (; r < rows; r++) {
      const q = panel + (<usize>r << 5);
      if (width < 8) zero8(q);
      for (let c = 0; c < width; c++) store<f32>(q + (<usize>c << 2), load<f32>(from + <usize>r * rowBytes + <usize>c * columnBytes));
    }
    for (; r & 7; r++) zero8(panel + (<usize>r << 5));
  }
}

/** Panels into out [rows, columns], row-major with `rs` floats between rows. */
export function fromPanels(rows: i32, columns: i32, panels: usize, ps: usize, out: usize, rs: i32): void {
  const rowBytes = <usize>rs << 2, whole = columns & ~7;
  for (let r = 0; r < rows; r++) {
    let p = panels + (<usize>r << 5), q = out + <usize>r * rowBytes;
    for (let left = columns; left >= 8; left -= 8) {
      copy8(p, q);
      p += ps;
      q += 32;
    }
    for (let c = 0; c < columns - whole; c++) store<f32>(q + (<usize>c << 2), load<f32>(p + (<usize>c << 2)));
  }
}

/** Copies eight floats. */
// @ts-ignore: decorator
@inline
function copy8(p: usize, q: usize): void {
  v128.store(q, v128.load(p));
  v128.store(q, v128.load(p, 16), 16);
}

/** Four columns of four floats, `from` bytes apart, become four rows, `to` bytes apart. */
// @ts-ignore: decorator
@inline
function transpose4(p: usize, from: usize, q: usize, to: usize): void {
  const a = v128.load(p), b = v128.load(p + from), c = v128.load(p + 2 * from), d = v128.load(p + 3 * from);
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const ef = i32x4.shuffle(a, b, 2, 6, 3, 7), gh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(q, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(q + to, i64x2.shuffle(ab, cd, 1, 3));
  v128.store(q + 2 * to, i64x2.shuffle(ef, gh, 0, 2));
  v128.store(q + 3 * to, i64x2.shuffle(ef, gh, 1, 3));
}

// @ts-ignore: decorator
@inline
function zero8(p: usize): void {
  v128.store(p, f32x4.splat(0));
  v128.store(p, f32x4.splat(0), 16);
}

/**
 * C [m, n] = A [m, k] B [k, n], all in panels; `mode`: ADD, BIAS, RELU, MASK together. Works on m and k rounded up to 8.
 */
export function multiply(m: i32, n: i32, k: i32, a: usize, aps: usize, b: usize, bps: usize, c: usize, cps: usize, mode: i32, aux: usize): void {
  multiplyInto((m + 7) & ~7, n, k, a, aps, b, bps, c, cps, 32, mode, aux);
}

/**
 * `multiply` for m a multiple of 4, with `crs` bytes between the rows of C and `cps` between its groups of 8 columns, so that C may also be
 * row-major.
 */
export function multiplyInto(
  m: i32, n: i32, k: i32, a: usize, aps: usize, b: usize, bps: usize, c: usize, cps: usize, crs: usize, mode: i32, aux: usize,
): void {
  const zero = f32x4.splat(0);
  const panels = <usize>((n + 7) >> 3), rows = <usize>m << 5, depth = (k + 7) & ~7;
  for (let m0: usize = 0; m0 < rows; m0 += ROW_BLOCK << 5) {
    const m1 = min(m0 + (ROW_BLOCK << 5), rows);
    for (let j: usize = 0; j < panels; j++) {
      for (let i = m0; i < m1; i += 128) {
        const c0 = c + j * cps + (i >> 5) * crs, c1 = c0 + crs, c2 = c1 + crs, c3 = c2 + crs;
        let p = a + i, q = b + j * bps;
        let x: v128 = zero, b0 = zero, b1 = zero;
        let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
        if (mode & ADD) {
          c00 = v128.load(c0); c01 = v128.load(c0, 16);
          c10 = v128.load(c1); c11 = v128.load(c1, 16);
          c20 = v128.load(c2); c21 = v128.load(c2, 16);
          c30 = v128.load(c3); c31 = v128.load(c3, 16);
        } else if (mode & BIAS) {
          c00 = v128.load(aux + (j << 5)); c01 = v128.load(aux + (j << 5), 16);
          c10 = c00; c11 = c01; c20 = c00; c21 = c01; c30 = c00; c31 = c01;
        }
        let left = depth;
        if (left > 0) do {
          b0 = v128.load(q); b1 = v128.load(q, 16);
          x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
          x = v128.load32_splat(p, 32); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
          if (left == -1) break;
          x = v128.load32_splat(p, 64); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
          x = v128.load32_splat(p, 96); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
          p += 4;
          if (left == -2) break;
          b0 = v128.load(q, 32); b1 = v128.load(q, 48);
          x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
          x = v128.load32_splat(p, 32); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
          if (left == -3) break;
          x = v128.load32_splat(p, 64); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
          x = v128.load32_splat(p, 96); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
          p += 4;
          if (left == -4) break;
          b0 = v128.load(q, 64); b1 = v128.load(q, 80);
          x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
          x = v128.load32_splat(p, 32); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
          if (left == -5) break;
          x = v128.load32_splat(p, 64); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
          x = v128.load32_splat(p, 96); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
          p += 4;
          if (left == -6) break;
          b0 = v128.load(q, 96); b1 = v128.load(q, 112);
          x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
          x = v128.load32_splat(p, 32); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
          if (left == -7) break;
          x = v128.load32_splat(p, 64); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
          x = v128.load32_splat(p, 96); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
          p += 4;
          if (left == -8) break;
          b0 = v128.load(q, 128); b1 = v128.load(q, 144);
          x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
          x = v128.load32_splat(p, 32); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
          if (left == -9) break;
          x = v128.load32_splat(p, 64); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
          x = v128.load32_splat(p, 96); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
          p += 4;
          if (left == -10) break;
          b0 = v128.load(q, 160); b1 = v128.load(q, 176);
          x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
          x = v128.load32_splat(p, 32); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
          if (left == -11) break;
          x = v128.load32_splat(p, 64); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
          x = v128.load32_splat(p, 96); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
          p += 4;
          if (left == -12) break;
          b0 = v128.load(q, 192); b1 = v128.load(q, 208);
          x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
          x = v128.load32_splat(p, 32); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
          if (left == -13) break;
          x = v128.load32_splat(p, 64); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
          x = v128.load32_splat(p, 96); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
          p += 4;
          if (left == -14) break;
          b0 = v128.load(q, 224); b1 = v128.load(q, 240);
          x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
          x = v128.load32_splat(p, 32); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
          if (left == -15) break;
          x = v128.load32_splat(p, 64); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
          x = v128.load32_splat(p, 96); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
          p += aps - 28; q += 256; left -= 8;
        } while (left > 0);
        if (mode & RELU) {
          c00 = f32x4.pmax(c00, zero); c01 = f32x4.pmax(c01, zero);
          c10 = f32x4.pmax(c10, zero); c11 = f32x4.pmax(c11, zero);
          c20 = f32x4.pmax(c20, zero); c21 = f32x4.pmax(c21, zero);
          c30 = f32x4.pmax(c30, zero); c31 = f32x4.pmax(c31, zero);
        }
        if (mode & MASK) {
          const mask = aux + j * cps + i;
          c00 = v128.andnot(c00, f32x4.le(v128.load(mask), zero)); c01 = v128.andnot(c01, f32x4.le(v128.load(mask, 16), zero));
          c10 = v128.andnot(c10, f32x4.le(v128.load(mask, 32), zero)); c11 = v128.andnot(c11, f32x4.le(v128.load(mask, 48), zero));
          c20 = v128.andnot(c20, f32x4.le(v128.load(mask, 64), zero)); c21 = v128.andnot(c21, f32x4.le(v128.load(mask, 80), zero));
          c30 = v128.andnot(c30, f32x4.le(v128.load(mask, 96), zero)); c31 = v128.andnot(c31, f32x4.le(v128.load(mask, 112), zero));
        }
        v128.store(c0, c00); v128.store(c0, c01, 16);
        v128.store(c1, c10); v128.store(c1, c11, 16);
        v128.store(c2, c20); v128.store(c2, c21, 16);
        v128.store(c3, c30); v128.store(c3, c31, 16);
      }
    }
  }
}

/**
 * C [k, n] (+)= Aᵀ B, A [m, k] and B [m, n], all in panels; contracts over m rounded up to 8, where A and B hold zeros. Rows of C up to a
 * multiple of 8 are written.
 */
export function multiplyTransposed(m: i32, n: i32, k: i32, a: usize, aps: usize, b: usize, bps: usize, c: usize, cps: usize, add: bool): void {
  const depth = (m + 7) & ~7, rows = <usize>((k + 7) & ~7), panels = <usize>((n + 7) >> 3);
  if (depth <= 64) { // C is long: A is read once, B stays in the first-level cache
    for (let i: usize = 0; i < rows; i += 4) {
      for (let j: usize = 0; j < panels; j++) transposedBlock(depth, a + (i >> 3) * aps + ((i & 7) << 2), b + j * bps, c + j * cps + (i << 5), add);
    }
    return;
  }
  for (let m0 = 0; m0 < depth; m0 += DEPTH_BLOCK) {
    const length = min(DEPTH_BLOCK, depth - m0), from = <usize>m0 << 5;
    for (let j: usize = 0; j < panels; j++) {
      for (let i: usize = 0; i < rows; i += 4) {
        transposedBlock(length, a + (i >> 3) * aps + ((i & 7) << 2) + from, b + j * bps + from, c + j * cps + (i << 5), add || m0 > 0);
      }
    }
  }
}

/** One 4×8 block of C over `depth` rows, a multiple of 8. */
// @ts-ignore: decorator
@inline
function transposedBlock(depth: i32, a: usize, b: usize, c: usize, add: bool): void {
  let p = a, q = b, left = depth;
  let x: v128 = f32x4.splat(0), b0 = x, b1 = x;
  let c00 = x, c01 = x, c10 = x, c11 = x, c20 = x, c21 = x, c30 = x, c31 = x;
  if (add) {
    c00 = v128.load(c); c01 = v128.load(c, 16);
    c10 = v128.load(c, 32); c11 = v128.load(c, 48);
    c20 = v128.load(c, 64); c21 = v128.load(c, 80);
    c30 = v128.load(c, 96); c31 = v128.load(c, 112);
  }
  if (left > 0) do {
    b0 = v128.load(q); b1 = v128.load(q, 16);
    x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(p, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    if (left == -1) break;
    x = v128.load32_splat(p, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(p, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    p += 32;
    if (left == -2) break;
    b0 = v128.load(q, 32); b1 = v128.load(q, 48);
    x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(p, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    if (left == -3) break;
    x = v128.load32_splat(p, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(p, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    p += 32;
    if (left == -4) break;
    b0 = v128.load(q, 64); b1 = v128.load(q, 80);
    x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(p, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    if (left == -5) break;
    x = v128.load32_splat(p, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(p, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    p += 32;
    if (left == -6) break;
    b0 = v128.load(q, 96); b1 = v128.load(q, 112);
    x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(p, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    if (left == -7) break;
    x = v128.load32_splat(p, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(p, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    p += 32;
    if (left == -8) break;
    b0 = v128.load(q, 128); b1 = v128.load(q, 144);
    x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(p, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    if (left == -9) break;
    x = v128.load32_splat(p, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(p, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    p += 32;
    if (left == -10) break;
    b0 = v128.load(q, 160); b1 = v128.load(q, 176);
    x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(p, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    if (left == -11) break;
    x = v128.load32_splat(p, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(p, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    p += 32;
    if (left == -12) break;
    b0 = v128.load(q, 192); b1 = v128.load(q, 208);
    x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(p, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    if (left == -13) break;
    x = v128.load32_splat(p, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(p, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    p += 32;
    if (left == -14) break;
    b0 = v128.load(q, 224); b1 = v128.load(q, 240);
    x = v128.load32_splat(p); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(p, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    if (left == -15) break;
    x = v128.load32_splat(p, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(p, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    p += 32; q += 256; left -= 8;
  } while (left > 0);
  v128.store(c, c00); v128.store(c, c01, 16);
  v128.store(c, c10, 32); v128.store(c, c11, 48);
  v128.store(c, c20, 64); v128.store(c, c21, 80);
  v128.store(c, c30, 96); v128.store(c, c31, 112);
}

/** out [columns] = sums over the rows of a matrix in panels whose rows beyond `rows` are zero; columns up to a multiple of 8 are written. */
export function columnSums(rows: i32, columns: i32, panels: usize, ps: usize, out: usize): void {
  const end = <usize>((rows + 7) & ~7) << 5;
  for (let j = 0; j < columns; j += 8) {
    let p = panels + <usize>(j >> 3) * ps;
    let a = f32x4.splat(0), b = a, c = a, d = a;
    for (const last = p + end; p < last; p += 64) {
      a = f32x4.add(a, v128.load(p));
      b = f32x4.add(b, v128.load(p, 16));
      c = f32x4.add(c, v128.load(p, 32));
      d = f32x4.add(d, v128.load(p, 48));
    }
    v128.store(out + (<usize>j << 2), f32x4.add(a, c));
    v128.store(out + (<usize>j << 2), f32x4.add(b, d), 16);
  }
}

/** x = 0 where aux ≤ 0; both in panels with one stride. */
export function maskPanels(rows: i32, columns: i32, x: usize, aux: usize, ps: usize): void {
  const zero = f32x4.splat(0), bytes = <usize>((rows + 7) & ~7) << 5;
  for (let j = 0; j < columns; j += 8, x += ps, aux += ps) {
    for (let i: usize = 0; i < bytes; i += 16) v128.store(x + i, v128.andnot(v128.load(x + i), f32x4.le(v128.load(aux + i), zero)));
  }
}
