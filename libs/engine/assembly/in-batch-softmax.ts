import { multiplyPacked, packColumns, packRows } from './gemm';
import { expNonPositive, sumLanes } from './simd';

/** Rows of the score matrix that exist at one time. */
const TILE: i32 = 32;

/** Floats of scratch for `inBatchSoftmax`. */
export function inBatchSoftmaxScratch(batch: i32, dim: i32): i32 {
  const b = (batch + 7) & ~7, d = (dim + 7) & ~7;
  return b * d * 2 + TILE * b * 2 + TILE * d * 2 + 64;
}

/**
 * In-batch softmax cross-entropy and its gradients, in tiles of rows that never hold the whole score matrix.
 *   s_ij = ⟨u_i, v_j⟩ / τ − c_j;  L = mean_i (log Σ_j e^{s_ij} − s_ii);  G = (softmax − I) / (batch · τ);  dU = G V,  dV = Gᵀ U
 * Columns j ≠ i with the item of row i are left out when `items` is not 0. `correction` may be 0 (none).
 * Per row, `rowSums` gets Σ_j e^{s_ij − top_i} and `rowGaps` top_i − s_ii, so the row's loss is log(rowSums) + rowGaps; the caller
 * takes the logarithm, because a module that shares another's memory cannot carry the tables of one.
 */
export function inBatchSoftmax(
  batch: i32, dim: i32, tau: f32, u: usize, v: usize, correction: usize, items: usize,
  du: usize, dv: usize, rowSums: usize, rowGaps: usize, scratch: usize,
): void {
  const b = <usize>((batch + 7) & ~7), d = <usize>((dim + 7) & ~7);
  const packedVT = scratch, // V transposed as the right operand of U Vᵀ
    packedV = packedVT + ((b * d) << 2), // V as the right operand of G V
    scores = packedV + ((b * d) << 2), // [TILE, batch]
    packedScores = scores + ((<usize>TILE * b) << 2),
    packedU = packedScores + ((<usize>TILE * b) << 2),
    tile = packedU + ((<usize>TILE * d * 2) << 2);
  packColumns(dim, batch, v, 1, dim, packedVT);
  packColumns(batch, dim, v, dim, 1, packedV);
  memory.fill(dv, 0, (<usize>batch * dim) << 2);
  const rowBytes = <usize>batch << 2;
  const inverse: f32 = 1 / tau;
  const scale: f32 = <f32>(1.0 / (<f64>batch * <f64>tau));
  for (let r0 = 0; r0 < batch; r0 += TILE) {
    const rows = min(TILE, batch - r0);
    const tileU = u + ((<usize>r0 * dim) << 2);
    packRows(rows, dim, tileU, dim, 1, packedU);
    multiplyPacked(rows, batch, dim, packedU, packedVT, scores, batch, false, tile);
    for (let r = 0; r < rows; r++) {
      softmaxRow(batch, r0 + r, inverse, scale, scores + <usize>r * rowBytes, correction, items, rowSums, rowGaps);
    }
    packRows(rows, batch, scores, batch, 1, packedScores);
    multiplyPacked(rows, dim, batch, packedScores, packedV, du + ((<usize>r0 * dim) << 2), dim, false, tile);
    packRows(batch, rows, scores, 1, batch, packedScores);
    packColumns(rows, dim, tileU, dim, 1, packedU);
    multiplyPacked(batch, dim, rows, packedScores, packedU, dv, dim, true, tile);
  }
}

/** Turns one row of ⟨u, v⟩ into its row of G in place. */
function softmaxRow(
  batch: i32, row: i32, inverse: f32, scale: f32, s: usize, correction: usize, items: usize, rowSums: usize, rowGaps: usize,
): void {
  const end = <usize>batch << 2, vectorEnd = end & ~15, own = <usize>row << 2;
  const item = items ? load<i32>(items + own) : 0;
  let top: f32 = -Infinity;
  for (let j: usize = 0; j < end; j += 4) {
    let x = load<f32>(s + j) * inverse;
    if (correction) x -= load<f32>(correction + j);
    if (items && j != own && load<i32>(items + j) == item) x = -Infinity;
    store<f32>(s + j, x);
    top = max(top, x);
  }
  const target = load<f32>(s + own);
  const topLanes = f32x4.splat(top);
  let sums = f32x4.splat(0);
  let j: usize = 0;
  for (; j < vectorEnd; j += 16) {
    const e = expNonPositive(f32x4.sub(v128.load(s + j), topLanes));
    v128.store(s + j, e);
    sums = f32x4.add(sums, e);
  }
  let sum = sumLanes(sums);
  for (; j < end; j += 4) {
    const e = f32x4.extract_lane(expNonPositive(f32x4.splat(load<f32>(s + j) - top)), 0);
    store<f32>(s + j, e);
    sum += e;
  }
  const factor = f32x4.splat(scale / sum);
  for (j = 0; j < vectorEnd; j += 16) v128.store(s + j, f32x4.mul(v128.load(s + j), factor));
  for (; j < end; j += 4) store<f32>(s + j, load<f32>(s + j) * f32x4.extract_lane(factor, 0));
  store<f32>(s + own, load<f32>(s + own) - scale);
  store<f32>(rowSums + own, sum);
  store<f32>(rowGaps + own, top - target);
}
