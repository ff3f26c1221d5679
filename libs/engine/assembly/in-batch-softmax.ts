import { ADD, multiply, multiplyTransposed, panelFloats, panelStride, toPanels, fromPanels } from './panels';
import { exp2, EXP_CONSTANTS, fma, storeExpConstants, sumLanes } from './simd';

// The module shares another's memory and may carry no tables, so the logarithm is the caller's.
// @ts-ignore: decorator
@external('env', 'log')
declare function log(x: f64): f64;

/** Query rows whose scores exist at one time. */
const TILE: i32 = 32;
/** Columns that pass through the first-level cache together. */
const CHUNK: i32 = 256;
const LOG2_E: f32 = 1.4426950408889634;
const LN_2: f64 = 0.6931471805599453;
/** An item's repetitions may be so much of a row's sum before what is left is summed anew instead of being a difference. */
const DOMINANT: f32 = 1 - 1.0 / 64;

/** Floats of scratch for `inBatchSoftmax`. */
export function inBatchSoftmaxScratch(queries: i32, candidates: i32, dim: i32): i32 {
  return (
    2 * panelFloats(queries, dim) + 2 * panelFloats(candidates, dim) + panelFloats(dim, candidates) +
    panelFloats(TILE, candidates) + 2 * panelFloats(TILE, dim) + TILE * 8 + ((candidates + 7) & ~7) + EXP_CONSTANTS + 64
  );
}

/**
 * Softmax cross-entropy over the candidates of a batch, and its gradients, where equal queries and equal candidates stand once.
 *   z_aj = ⟨u_a, v_j⟩ / τ − c_j,   pair b = (a, p):  L_b = log D_b − z_ap
 *   D_b = Σ_j m_j e^{z_aj} − (m_p − o_p) e^{z_ap};   L = mean_b w_b L_b
 * m_j: how often candidate j stands among the choices; o_j: how often it counts for the pairs whose positive it is. With
 * W_a = Σ_{b of a} w_b / D_b the gradient is a dense product, m_j e^{z_aj} W_a, and one correction per pair, so a pair costs its vectors
 * only. Scores exist for TILE queries at a time.
 *
 * pairOffsets [queries + 1], pairCandidates [pairs]: the candidates of each query's pairs; pairWeights [pairs], or 0 for w = 1.
 * multiplicity [candidates]; own [candidates], or 0 for o = m. hidden: the candidates that each query does not see, those of query a from
 * hiddenOffsets[a] to hiddenOffsets[a + 1], none of them of its pairs; hiddenOffsets is 0 where all see all.
 * Writes dU [queries, dim], dV [candidates, dim] for the mean over pairs; returns the mean in nats.
 */
export function inBatchSoftmax(
  queries: i32, candidates: i32, dim: i32, pairs: i32, tau: f32, u: usize, v: usize, correction: usize, multiplicity: usize, own: usize,
  pairOffsets: usize, pairCandidates: usize, pairWeights: usize, hiddenOffsets: usize, hidden: usize, du: usize, dv: usize, scratch: usize,
): f64 {
  const ups = <usize>panelStride(queries), vps = <usize>panelStride(candidates), tps = <usize>panelStride(dim), sps = <usize>panelStride(TILE);
  const bias = (scratch + 63) & ~63; // per candidate: (ln m − c) · log2 e
  const constants = bias + (<usize>((candidates + 7) & ~7) << 2);
  const tops = constants + (EXP_CONSTANTS << 2); // per row of the tile, in all four lanes
  const sums = tops + ((<usize>TILE * 4) << 2);
  const uPanels = sums + ((<usize>TILE * 4) << 2);
  const duPanels = uPanels + (<usize>panelFloats(queries, dim) << 2);
  const vPanels = duPanels + (<usize>panelFloats(queries, dim) << 2);
  const dvPanels = vPanels + (<usize>panelFloats(candidates, dim) << 2);
  const vTransposed = dvPanels + (<usize>panelFloats(candidates, dim) << 2);
  const scores = vTransposed + (<usize>panelFloats(dim, candidates) << 2);
  const weighted = scores + (<usize>panelFloats(TILE, candidates) << 2); // Σ_j e_aj v_j
  const scaled = weighted + (<usize>panelFloats(TILE, dim) << 2); // u_a W_a / (pairs · τ)
  const panels = <usize>((dim + 7) >> 3);

  storeExpConstants(constants);
  toPanels(queries, dim, u, dim, 1, uPanels, ups);
  toPanels(candidates, dim, v, dim, 1, vPanels, vps);
  toPanels(dim, candidates, v, 1, dim, vTransposed, tps);
  memory.fill(dvPanels, 0, panels * vps);
  for (let j: usize = 0; j < <usize>((candidates + 7) & ~7); j++) {
    let b = -Infinity as f32; // columns that only fill the last panel count nothing
    if (j < <usize>candidates) {
      b = <f32>(log(<f64>load<f32>(multiplicity + (j << 2))) / LN_2);
      if (correction) b -= load<f32>(correction + (j << 2)) * LOG2_E;
    }
    store<f32>(bias + (j << 2), b);
  }

  const inverse: f32 = 1 / tau, scale: f32 = inverse * LOG2_E;
  const gradient: f32 = <f32>(1.0 / (<f64>pairs * <f64>tau));
  let loss: f64 = 0;
  for (let a0 = 0; a0 < queries; a0 += TILE) {
    const rows = min(TILE, (queries - a0 + 7) & ~7);
    const tile = uPanels + (<usize>a0 << 5);
    for (let r: usize = 0; r < <usize>rows; r++) {
      v128.store(tops + (r << 4), f32x4.splat(-Infinity));
      v128.store(sums + (r << 4), f32x4.splat(0));
    }
    memory.fill(weighted, 0, panels * sps);
    for (let j = 0; j < candidates; j += CHUNK) {
      const width = min(CHUNK, candidates - j), first = <usize>(j >> 3);
      const e = scores + first * sps;
      multiply(rows, width, dim, tile, ups, vTransposed + first * tps, tps, e, sps, 0, 0);
      if (hiddenOffsets) hide(min(rows, queries - a0), j, width, scores, sps, hiddenOffsets + (<usize>a0 << 2), hidden);
      scaleRows(rows, width, e, sps, scale, bias + (<usize>j << 2), tops);
    }
    for (let r: usize = 0; r < <usize>rows; r++) {
      const lanes = v128.load(tops + (r << 4));
      const x = f32x4.max(lanes, i32x4.shuffle(lanes, lanes, 2, 3, 0, 1));
      v128.store(tops + (r << 4), f32x4.max(x, i32x4.shuffle(x, x, 1, 0, 3, 2)));
    }
    for (let j = 0; j < candidates; j += CHUNK) {
      const width = min(CHUNK, candidates - j), first = <usize>(j >> 3);
      const e = scores + first * sps;
      exponentials(rows, width, e, sps, tops, sums, constants);
      multiply(rows, dim, width, e, sps, vPanels + (<usize>j << 5), vps, weighted, sps, ADD, 0);
    }
    memory.fill(scaled, 0, panels * sps);
    for (let r = 0; r < min(rows, queries - a0); r++) {
      const a = <usize>(a0 + r);
      const sum = sumLanes(v128.load(sums + (<usize>r << 4)));
      const top = <f64>load<f32>(tops + (<usize>r << 4)) * LN_2;
      const row = uPanels + (a << 5), rowGradient = duPanels + (a << 5);
      for (let k: usize = 0; k < panels; k++) {
        v128.store(rowGradient + k * ups, f32x4.splat(0));
        v128.store(rowGradient + k * ups, f32x4.splat(0), 16);
      }
      const first = load<i32>(pairOffsets + (a << 2)), last = load<i32>(pairOffsets + ((a + 1) << 2));
      const rowScores = scores + (<usize>r << 5);
      const dominant = own ? dominantCandidate(first, last, pairCandidates, multiplicity, own, rowScores, sps, sum) : -1;
      let rest: f32 = 0; // the sum of a pair with the dominant candidate
      if (dominant >= 0) {
        rest = sumWithout(candidates, rowScores, sps, dominant) + load<f32>(scoreAt(rowScores, sps, dominant)) * ownShare(dominant, multiplicity, own);
        thin(dominant, first, last, pairCandidates, pairWeights, multiplicity, own, rowScores, sps, sum, rest);
        for (let k: usize = 0; k < panels; k++) weighRow(candidates, rowScores, sps, vPanels + k * vps, weighted + k * sps + (<usize>r << 5));
      }
      let reciprocals: f64 = 0;
      for (let b = first; b < last; b++) {
        const p = load<i32>(pairCandidates + (<usize>b << 2));
        const repeated: f32 = own && p != dominant ? repetitions(p, multiplicity, own, rowScores, sps) : 0;
        const denominator: f32 = p == dominant ? rest : sum - repeated;
        const share = weightOf(b, pairWeights);
        reciprocals += <f64>share / <f64>denominator;
        const weight = f32x4.splat(-gradient * share * (1 + repeated / denominator));
        const candidate = vPanels + (<usize>p << 5), candidateGradient = dvPanels + (<usize>p << 5);
        let dot = f32x4.splat(0);
        for (let k: usize = 0; k < panels; k++) {
          const x0 = v128.load(row + k * ups), x1 = v128.load(row + k * ups, 16);
          const y0 = v128.load(candidate + k * vps), y1 = v128.load(candidate + k * vps, 16);
          dot = fma(x0, y0, fma(x1, y1, dot));
          const dx = rowGradient + k * ups, dy = candidateGradient + k * vps;
          v128.store(dx, fma(y0, weight, v128.load(dx)));
          v128.store(dx, fma(y1, weight, v128.load(dx, 16)), 16);
          v128.store(dy, fma(x0, weight, v128.load(dy)));
          v128.store(dy, fma(x1, weight, v128.load(dy, 16)), 16);
        }
        let z = sumLanes(dot) * inverse;
        if (correction) z -= load<f32>(correction + (<usize>p << 2));
        loss += <f64>share * (log(<f64>denominator) + top - <f64>z);
      }
      const weight = f32x4.splat(<f32>(reciprocals * <f64>gradient));
      for (let k: usize = 0; k < panels; k++) {
        const x = row + k * ups, w = weighted + k * sps + (<usize>r << 5), s = scaled + k * sps + (<usize>r << 5), dx = rowGradient + k * ups;
        v128.store(s, f32x4.mul(v128.load(x), weight));
        v128.store(s, f32x4.mul(v128.load(x, 16), weight), 16);
        v128.store(dx, fma(v128.load(w), weight, v128.load(dx)));
        v128.store(dx, fma(v128.load(w, 16), weight, v128.load(dx, 16)), 16);
      }
    }
    multiplyTransposed(rows, dim, candidates, scores, sps, scaled, sps, dvPanels, vps, true);
  }
  fromPanels(queries, dim, duPanels, ups, du, dim);
  fromPanels(candidates, dim, dvPanels, vps, dv, dim);
  return loss / <f64>pairs;
}

/** −∞ in the columns from `from` on that the rows do not see. */
function hide(rows: i32, from: i32, width: i32, x: usize, ps: usize, offsets: usize, hidden: usize): void {
  for (let r = 0; r < rows; r++) {
    const last = load<i32>(offsets + (<usize>(r + 1) << 2));
    for (let at = load<i32>(offsets + (<usize>r << 2)); at < last; at++) {
      const column = load<i32>(hidden + (<usize>at << 2));
      if (column >= from && column < from + width) store<f32>(scoreAt(x + (<usize>r << 5), ps, column), -Infinity as f32);
    }
  }
}

/** x = x · scale + bias of the column, in place; `tops` takes the largest per lane of each row. */
function scaleRows(rows: i32, columns: i32, x: usize, ps: usize, scale: f32, bias: usize, tops: usize): void {
  const factor = f32x4.splat(scale);
  for (let j = 0; j < columns; j += 8) {
    const b0 = v128.load(bias), b1 = v128.load(bias, 16);
    let p = x;
    for (let t = tops, end = tops + (<usize>rows << 4); t < end; t += 16) {
      const x0 = fma(v128.load(p), factor, b0), x1 = fma(v128.load(p, 16), factor, b1);
      v128.store(p, x0);
      v128.store(p, x1, 16);
      v128.store(t, f32x4.pmax(v128.load(t), f32x4.pmax(x0, x1)));
      p += 32;
    }
    x += ps;
    bias += 32;
  }
}

/** x = 2^(x − top of the row), in place; `sums` adds them up per lane. */
function exponentials(rows: i32, columns: i32, x: usize, ps: usize, tops: usize, sums: usize, constants: usize): void {
  const k = v128.load32_splat(constants), low = v128.load32_splat(constants, 4);
  const c6 = v128.load32_splat(constants, 8), c5 = v128.load32_splat(constants, 12), c4 = v128.load32_splat(constants, 16);
  const c3 = v128.load32_splat(constants, 20), c2 = v128.load32_splat(constants, 24), c1 = v128.load32_splat(constants, 28);
  const c0 = v128.load32_splat(constants, 32);
  const apart = sums - tops;
  for (let j = 0; j < columns; j += 8) {
    let p = x;
    for (let t = tops, end = tops + (<usize>rows << 4); t < end; t += 16) {
      const top = v128.load(t);
      const x0 = exp2(f32x4.sub(v128.load(p), top), k, low, c6, c5, c4, c3, c2, c1, c0);
      v128.store(p, x0);
      const x1 = exp2(f32x4.sub(v128.load(p, 16), top), k, low, c6, c5, c4, c3, c2, c1, c0);
      v128.store(p, x1, 16);
      v128.store(t + apart, f32x4.add(v128.load(t + apart), f32x4.add(x0, x1)));
      p += 32;
    }
    x += ps;
  }
}

// Of one row of a tile: `row` is where its first column stands, `ps` the stride of the tile.

// @ts-ignore: decorator
@inline
function scoreAt(row: usize, ps: usize, column: i32): usize {
  return row + <usize>(column >> 3) * ps + ((column & 7) << 2);
}

// @ts-ignore: decorator
@inline
function weightOf(b: i32, pairWeights: usize): f32 {
  return pairWeights ? load<f32>(pairWeights + (<usize>b << 2)) : 1;
}

/** o_p / m_p: which part of a candidate's weight in a row counts for the pairs whose positive it is. */
// @ts-ignore: decorator
@inline
function ownShare(p: i32, multiplicity: usize, own: usize): f32 {
  return load<f32>(own + (<usize>p << 2)) / load<f32>(multiplicity + (<usize>p << 2));
}

/** What of a row's sum does not count for the pairs with candidate p: (m_p − o_p) e^{z_p}. */
// @ts-ignore: decorator
@inline
function repetitions(p: i32, multiplicity: usize, own: usize, row: usize, ps: usize): f32 {
  const copies = load<f32>(multiplicity + (<usize>p << 2));
  return load<f32>(scoreAt(row, ps, p)) * ((copies - load<f32>(own + (<usize>p << 2))) / copies);
}

/** The candidate of the row's pairs whose repetitions are nearly the whole sum; −1 when there is none. There is never a second. */
function dominantCandidate(
  first: i32, last: i32, pairCandidates: usize, multiplicity: usize, own: usize, row: usize, ps: usize, sum: f32,
): i32 {
  for (let b = first; b < last; b++) {
    const p = load<i32>(pairCandidates + (<usize>b << 2));
    if (repetitions(p, multiplicity, own, row, ps) > sum * DOMINANT) return p;
  }
  return -1;
}

/**
 * Takes from the dominant column what does not count, so that the row times W_a is its gradient without a correction: the pairs with the
 * dominant candidate, whose sum is `rest`, see o copies of it, the others see all.
 */
function thin(
  dominant: i32, first: i32, last: i32, pairCandidates: usize, pairWeights: usize, multiplicity: usize, own: usize, row: usize, ps: usize,
  sum: f32, rest: f32,
): void {
  let few: f64 = 0, others: f64 = 0;
  for (let b = first; b < last; b++) {
    const p = load<i32>(pairCandidates + (<usize>b << 2)), share = <f64>weightOf(b, pairWeights);
    if (p == dominant) few += share / <f64>rest;
    else others += share / <f64>(sum - repetitions(p, multiplicity, own, row, ps));
  }
  if (others + few == 0) return; // no pair of the row has weight
  const at = scoreAt(row, ps, dominant);
  store<f32>(at, <f32>((<f64>load<f32>(at) * (others + few * <f64>ownShare(dominant, multiplicity, own))) / (others + few)));
}

/** Sum of the row without one column. */
function sumWithout(columns: i32, row: usize, ps: usize, left: i32): f32 {
  let sum: f32 = 0;
  for (let j = 0; j < columns; j++) if (j != left) sum += load<f32>(scoreAt(row, ps, j));
  return sum;
}

/** out [8] = the row times a panel of 8 columns. */
function weighRow(columns: i32, row: usize, ps: usize, panel: usize, out: usize): void {
  let x = f32x4.splat(0), y = x;
  for (let j = 0; j < columns; j++, panel += 32) {
    const e = v128.load32_splat(scoreAt(row, ps, j));
    x = fma(e, v128.load(panel), x);
    y = fma(e, v128.load(panel, 16), y);
  }
  v128.store(out, x);
  v128.store(out, y, 16);
}
