// Matrix product of operands in any strides: both become panels, see `panels.ts`, and C is written where it belongs, but for its
// columns beyond a multiple of 8 and its rows beyond one of 4, which come through panels too.
import { ADD, fromPanels, multiplyInto, panelFloats, panelStride, toPanels } from './panels';

/** Contraction length of one pass, so that a panel of B stays in the first-level cache. */
const DEPTH_BLOCK: i32 = 256;

/** Floats of scratch that `gemm` needs for a product of this shape. */
export function gemmScratch(m: i32, n: i32, k: i32): i32 {
  return panelFloats(m, k) + panelFloats(k, n) + panelFloats(m, 8) + panelFloats(4, n);
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
  const aps = <usize>panelStride(m), bps = <usize>panelStride(k), bottomStride = <usize>panelStride(4);
  const aPanels = scratch;
  const bPanels = aPanels + ((<usize>panelFloats(m, k)) << 2);
  const right = bPanels + ((<usize>panelFloats(k, n)) << 2);
  const bottom = right + aps;
  toPanels(m, k, a, ars, acs, aPanels, aps);
  toPanels(k, n, b, brs, bcs, bPanels, bps);
  const wholeRows = m & ~3, wholeColumns = n & ~7, crs = <usize>n << 2;
  for (let k0 = 0; k0 < k; k0 += DEPTH_BLOCK) {
    const depth = min(DEPTH_BLOCK, k - k0), mode = k0 > 0 ? ADD : 0;
    const pa = aPanels + <usize>(k0 >> 3) * aps, pb = bPanels + (<usize>k0 << 5);
    multiplyInto(wholeRows, wholeColumns, depth, pa, aps, pb, bps, c, 32, crs, mode, 0);
    if (wholeColumns < n) multiplyInto((m + 3) & ~3, 8, depth, pa, aps, pb + <usize>(wholeColumns >> 3) * bps, bps, right, aps, 32, mode, 0);
    if (wholeRows < m) multiplyInto(4, wholeColumns, depth, pa + (<usize>wholeRows << 5), aps, pb, bps, bottom, bottomStride, 32, mode, 0);
  }
  if (wholeColumns < n) fromPanels(m, n - wholeColumns, right, aps, c + (<usize>wholeColumns << 2), n);
  if (wholeRows < m) fromPanels(m - wholeRows, wholeColumns, bottom, bottomStride, c + <usize>wholeRows * crs, n);
}
