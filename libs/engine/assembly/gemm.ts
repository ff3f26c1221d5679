// Packed single-precision matrix product. Lessons that shaped it, measured: a 4×8 register block is the widest that does not
// spill in both builds, and a basic block must end after each k-step (the never-taken `break`s below), because the compiler
// hoists all loads of a block to its top and then spills.
import { fma } from './simd';

/** Rows of A that stay in the second-level cache while the panels of B pass. */
const ROW_BLOCK: i32 = 128;
/** Contraction length of one pass. */
const DEPTH_BLOCK: i32 = 256;

/** Floats of scratch that `gemm` needs for a product of this shape. */
export function gemmScratch(m: i32, n: i32, k: i32): i32 {
  const depth = min(k, DEPTH_BLOCK);
  return ((m + 3) & ~3) * depth + ((n + 7) & ~7) * depth + 32;
}

/**
 * C[m, n] = A[m, k] B[k, n]; C row-major. `ars`, `acs`: floats between rows and columns of A, so a transposed A is the same
 * matrix with its strides swapped; `brs`, `bcs` likewise.
 */
export function gemm(m: i32, n: i32, k: i32, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, c: usize, scratch: usize): void {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    memory.fill(c, 0, (<usize>m * n) << 2);
    return;
  }
  const depth = min(k, DEPTH_BLOCK);
  const packedA = scratch;
  const packedB = packedA + ((<usize>((m + 3) & ~3) * depth) << 2);
  const tile = packedB + ((<usize>((n + 7) & ~7) * depth) << 2);
  for (let k0 = 0; k0 < k; k0 += DEPTH_BLOCK) {
    const kc = min(DEPTH_BLOCK, k - k0);
    packRows(m, kc, a + ((<usize>k0 * acs) << 2), ars, acs, packedA);
    packColumns(kc, n, b + ((<usize>k0 * brs) << 2), brs, bcs, packedB);
    multiplyPacked(m, n, kc, packedA, packedB, c, n, k0 > 0, tile);
  }
}

/** A as [m / 4][k][4], rows beyond m zero. */
export function packRows(m: i32, k: i32, a: usize, rs: i32, cs: i32, out: usize): void {
  const rowBytes = <usize>rs << 2, columnBytes = <usize>cs << 2;
  for (let i = 0; i < m; i += 4) {
    let p = a + <usize>i * rowBytes;
    if (i + 4 > m) {
      for (let j = 0; j < k; j++) {
        v128.store(out, f32x4.splat(0));
        for (let r = 0; r < m - i; r++) store<f32>(out + (<usize>r << 2), load<f32>(p + <usize>r * rowBytes));
        p += columnBytes;
        out += 16;
      }
    } else if (rs == 1) {
      for (let j = 0; j < k; j++) {
        v128.store(out, v128.load(p));
        p += columnBytes;
        out += 16;
      }
    } else {
      for (let j = 0; j < k; j++) {
        store<f32>(out, load<f32>(p));
        store<f32>(out, load<f32>(p + rowBytes), 4);
        store<f32>(out, load<f32>(p + 2 * rowBytes), 8);
        store<f32>(out, load<f32>(p + 3 * rowBytes), 12);
        p += columnBytes;
        out += 16;
      }
    }
  }
}

/** B as [n / 8][k][8], columns beyond n zero. */
export function packColumns(k: i32, n: i32, b: usize, rs: i32, cs: i32, out: usize): void {
  const rowBytes = <usize>rs << 2, columnBytes = <usize>cs << 2;
  for (let j = 0; j < n; j += 8) {
    let p = b + <usize>j * columnBytes;
    const full = j + 8 <= n;
    for (let i = 0; i < k; i++) {
      if (full && cs == 1) {
        v128.store(out, v128.load(p));
        v128.store(out, v128.load(p, 16), 16);
      } else if (full) {
        let q = p;
        for (let c: usize = 0; c < 32; c += 4) {
          store<f32>(out + c, load<f32>(q));
          q += columnBytes;
        }
      } else {
        v128.store(out, f32x4.splat(0));
        v128.store(out, f32x4.splat(0), 16);
        for (let c = 0; c < n - j; c++) store<f32>(out + (<usize>c << 2), load<f32>(p + <usize>c * columnBytes));
      }
      p += rowBytes;
      out += 32;
    }
  }
}

/** C (+)= A B from packed operands; `ldc` floats between rows of C; `tile`: scratch of 32 floats. */
export function multiplyPacked(m: i32, n: i32, k: i32, packedA: usize, packedB: usize, c: usize, ldc: i32, add: bool, tile: usize): void {
  for (let m0 = 0; m0 < m; m0 += ROW_BLOCK) {
    const m1 = min(m0 + ROW_BLOCK, m);
    for (let j = 0; j < n; j += 8) {
      const pb = packedB + ((<usize>j * k) << 2);
      for (let i = m0; i < m1; i += 4) {
        const pa = packedA + ((<usize>i * k) << 2);
        const at = c + ((<usize>i * ldc + <usize>j) << 2);
        if (i + 4 <= m && j + 8 <= n) {
          block(k, pa, pb, at, <usize>ldc << 2, add);
        } else {
          block(k, pa, pb, tile, 32, false);
          for (let r = 0; r < min(4, m - i); r++) {
            for (let s = 0; s < min(8, n - j); s++) {
              const to = at + ((<usize>r * ldc + <usize>s) << 2);
              const value = load<f32>(tile + (<usize>(r * 8 + s) << 2));
              store<f32>(to, add ? load<f32>(to) + value : value);
            }
          }
        }
      }
    }
  }
}

/** One 4×8 block of C over k steps; `row`: bytes between rows of C. */
// @ts-ignore: decorator
@inline
function block(k: i32, a: usize, b: usize, c: usize, row: usize, add: bool): void {
  let x: v128 = f32x4.splat(0), b0 = x, b1 = x;
  let c00 = x, c01 = x, c10 = x, c11 = x, c20 = x, c21 = x, c30 = x, c31 = x;
  const c1 = c + row, c2 = c1 + row, c3 = c2 + row;
  if (add) {
    c00 = v128.load(c); c01 = v128.load(c, 16);
    c10 = v128.load(c1); c11 = v128.load(c1, 16);
    c20 = v128.load(c2); c21 = v128.load(c2, 16);
    c30 = v128.load(c3); c31 = v128.load(c3, 16);
  }
  let n = k >> 2;
  if (n > 0) do {
    b0 = v128.load(b); b1 = v128.load(b, 16);
    x = v128.load32_splat(a); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    if (n == -1) break;
    b0 = v128.load(b, 32); b1 = v128.load(b, 48);
    x = v128.load32_splat(a, 16); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 20); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 24); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 28); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    if (n == -2) break;
    b0 = v128.load(b, 64); b1 = v128.load(b, 80);
    x = v128.load32_splat(a, 32); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 36); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 40); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 44); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    if (n == -3) break;
    b0 = v128.load(b, 96); b1 = v128.load(b, 112);
    x = v128.load32_splat(a, 48); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 52); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 56); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 60); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    a += 64; b += 128; n--;
  } while (n > 0);
  for (n = k & 3; n > 0; n--) {
    b0 = v128.load(b); b1 = v128.load(b, 16);
    x = v128.load32_splat(a); c00 = fma(x, b0, c00); c01 = fma(x, b1, c01);
    x = v128.load32_splat(a, 4); c10 = fma(x, b0, c10); c11 = fma(x, b1, c11);
    x = v128.load32_splat(a, 8); c20 = fma(x, b0, c20); c21 = fma(x, b1, c21);
    x = v128.load32_splat(a, 12); c30 = fma(x, b0, c30); c31 = fma(x, b1, c31);
    a += 16; b += 32;
  }
  v128.store(c, c00); v128.store(c, c01, 16);
  v128.store(c1, c10); v128.store(c1, c11, 16);
  v128.store(c2, c20); v128.store(c2, c21, 16);
  v128.store(c3, c30); v128.store(c3, c31, 16);
}
