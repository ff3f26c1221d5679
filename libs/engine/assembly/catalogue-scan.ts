// Inner products of many queries with a block of candidates, first in 16-bit whole numbers, which go twice as fast as float32:
//   I = ⟨round(α q), round(β c)⟩ ≈ αβ·s,  α = LENGTH / ‖q‖ per query, β = LENGTH / max ‖c‖ per block
// Rounding moves a vector by at most ½√dim (and .002√dim from the product with α), so by Cauchy and Schwarz the error of I stays within
// .502√dim · (2·LENGTH + .502√dim); the float32 score itself differs from ⟨q, c⟩ by at most dim·2⁻²⁴·‖q‖·‖c‖. `bound` is the sum of both,
// so I decides every comparison of scores that is further apart, and the few others are scored in float32. Nothing is approximate.
// Where the bound does not hold (vectors that are not finite, or hardly longer than the rounding of float32) everything is scored in float32.
import { fma, sumLanes } from './simd';

/** Length of the longest vector after scaling; no sum of products of two such vectors reaches 2³¹. */
const LENGTH: f64 = 30000;
/** Squares of shorter vectors lose digits. */
const SHORTEST: f32 = 1e-12;
/** Queries whose whole numbers exist at one time. */
export const TILE_ROWS: i32 = 16;

/** A block of queries and the block of candidates that they meet now. Vectors are row-major. */
@unmanaged
export class Scan {
  rows: i32;
  dim: i32;
  /** Candidates that a block can hold. */
  capacity: i32;
  /** Id of the first candidate of the present block, and how many it has. */
  first: i32;
  count: i32;
  bound: f64;
  /** β; 0 where the bound does not hold. */
  candidateScale: f64;
  queries: usize;
  candidates: usize;
  /** α per query; 0 where the bound does not hold. */
  queryScales: usize;
  /** Whole numbers as [rows / 4][dim / 2][4][2] and [capacity / 8][dim / 2][8][2]. */
  packedQueries: usize;
  packedCandidates: usize;
  /** [TILE_ROWS, capacity] of I. */
  tile: usize;
  /** Columns that wait to be scored. */
  chosen: usize;
  /** Excluded items per query, in rising order; 0 for none. */
  excludedOffsets: usize;
  excludedItems: usize;
  /** Per query, the first of its excluded items that no block has reached yet. */
  cursors: usize;
}

const HEADER: usize = 80;

/** Floats of memory for a scan with blocks of `capacity` candidates, a multiple of 8. */
export function scanFloats(rows: i32, dim: i32, capacity: i32): i32 {
  const pairs = (dim + 1) >> 1, rows4 = (rows + 3) & ~3;
  return <i32>(HEADER >> 2) + rows4 * 2 + rows4 * pairs + capacity * pairs + TILE_ROWS * capacity + capacity + 4;
}

/** Begins a scan in `scan`, which has `scanFloats` of memory. */
export function openScan(
  scan: Scan, rows: i32, dim: i32, capacity: i32, queries: usize, excludedOffsets: usize, excludedItems: usize,
): void {
  const pairs = <usize>((dim + 1) >> 1), rows4 = <usize>((rows + 3) & ~3);
  const root = sqrt(<f64>dim), length = LENGTH * (1 + <f64>dim / 16777216.0); // the length is computed in float32
  scan.rows = rows;
  scan.dim = dim;
  scan.capacity = capacity;
  scan.bound = 0.502 * root * (2 * length + 0.502 * root) + (<f64>dim * 1.1 / 16777216.0) * length * length + 1;
  scan.queries = queries;
  scan.queryScales = changetype<usize>(scan) + HEADER;
  scan.cursors = scan.queryScales + (rows4 << 2);
  scan.packedQueries = scan.cursors + (rows4 << 2);
  scan.packedCandidates = scan.packedQueries + ((rows4 * pairs) << 2);
  scan.tile = scan.packedCandidates + ((<usize>capacity * pairs) << 2);
  scan.chosen = scan.tile + ((<usize>TILE_ROWS * capacity) << 2);
  scan.excludedOffsets = excludedOffsets;
  scan.excludedItems = excludedItems;
  memory.fill(scan.packedQueries, 0, (rows4 * pairs) << 2);
  for (let r: usize = 0; r < <usize>rows; r++) {
    const query = queries + ((r * dim) << 2);
    const scale = scaleOf(sqrt(squaredNorm(dim, query)));
    if (scale > 0) roundVector(dim, query, scale, scan.packedQueries + (((r & ~3) * pairs + (r & 3)) << 2), 16);
    store<f32>(scan.queryScales + (r << 2), scale);
    store<i32>(scan.cursors + (r << 2), excludedOffsets ? load<i32>(excludedOffsets + (r << 2)) : 0);
  }
}

/** Makes `count` candidates, with ids from `first` on, the present block. Blocks come in rising order. */
export function scanBlock(scan: Scan, first: i32, count: i32, candidates: usize): void {
  const dim = scan.dim, pairs = <usize>((dim + 1) >> 1);
  scan.first = first;
  scan.count = count;
  scan.candidates = candidates;
  let longest: f32 = 0;
  for (let c: usize = 0; c < <usize>count; c++) {
    longest = max(longest, sqrt(squaredNorm(dim, candidates + ((c * dim) << 2))));
  }
  const scale = scaleOf(longest);
  scan.candidateScale = scale;
  if (scale == 0) return;
  for (let c: usize = 0; c < <usize>count; c++) {
    roundVector(dim, candidates + ((c * dim) << 2), scale, scan.packedCandidates + (((c & ~7) * pairs + (c & 7)) << 2), 32);
  }
}

/** What brings a vector to LENGTH; 0 where its length is infinite, NaN or too small. */
function scaleOf(norm: f32): f32 {
  return norm > SHORTEST ? <f32>(LENGTH / norm) : 0;
}

function squaredNorm(dim: i32, x: usize): f32 {
  let sums = f32x4.splat(0);
  let k = dim >> 2;
  for (; k > 0; k--) {
    const v = v128.load(x);
    sums = f32x4.add(sums, f32x4.mul(v, v));
    x += 16;
  }
  let sum = sumLanes(sums);
  for (k = dim & 3; k > 0; k--) {
    const v = load<f32>(x);
    sum += v * v;
    x += 4;
  }
  return sum;
}

/** round(scale · x) in pairs of 16-bit numbers, `stride` bytes from pair to pair; an odd last one is paired with 0. */
function roundVector(dim: i32, x: usize, scale: f32, out: usize, stride: usize): void {
  // Adding 1.5·2²³ rounds to a whole number and leaves it in the low bits.
  const factor = f32x4.splat(scale), shift = f32x4.splat(12582912.0), bits = i32x4.splat(0x4b400000);
  let k = dim >> 3;
  for (; k > 0; k--) {
    const low = i32x4.sub(f32x4.add(f32x4.mul(v128.load(x), factor), shift), bits);
    const high = i32x4.sub(f32x4.add(f32x4.mul(v128.load(x, 16), factor), shift), bits);
    const pairs = i16x8.narrow_i32x4_s(low, high);
    v128.store32_lane(out, pairs, 0);
    v128.store32_lane(out + stride, pairs, 1);
    v128.store32_lane(out + 2 * stride, pairs, 2);
    v128.store32_lane(out + 3 * stride, pairs, 3);
    x += 32;
    out += 4 * stride;
  }
  for (k = dim & 7; k > 0; k -= 2) {
    store<i16>(out, <i16>nearest(load<f32>(x) * scale));
    store<i16>(out, k > 1 ? <i16>nearest(load<f32>(x, 4) * scale) : 0, 2);
    x += 8;
    out += stride;
  }
}

/**
 * Fills the tile with I of queries r0 ... r0 + TILE_ROWS and the present block. Excluded candidates, and the columns that fill up the last
 * eight, get the smallest number there is, which is greater than none.
 */
export function fillTile(scan: Scan, r0: i32): void {
  const pairs = (scan.dim + 1) >> 1, rowBytes = <usize>scan.capacity << 2, tile = scan.tile;
  const rows = min(TILE_ROWS, scan.rows - r0), width = (scan.count + 7) & ~7;
  const queries = scan.packedQueries + (<usize>(r0 * pairs) << 2);
  if (scan.candidateScale > 0) {
    for (let j = 0; j < width; j += 8) {
      const candidates = scan.packedCandidates + (<usize>(j * pairs) << 2);
      for (let i = 0; i < rows; i += 4) {
        multiplyBlock(pairs, queries + (<usize>(i * pairs) << 2), candidates, tile + <usize>i * rowBytes + (<usize>j << 2), rowBytes);
      }
    }
  } else {
    memory.fill(tile, 0, rowBytes * rows);
  }
  for (let r = 0; r < rows; r++) {
    const row = tile + <usize>r * rowBytes;
    for (let j = scan.count; j < width; j++) store<i32>(row + (<usize>j << 2), i32.MIN_VALUE);
    if (scan.excludedOffsets) exclude(scan, r0 + r, row);
  }
}

function exclude(scan: Scan, query: i32, row: usize): void {
  const cursor = scan.cursors + (<usize>query << 2);
  const end = load<i32>(scan.excludedOffsets + (<usize>query << 2), 4);
  let at = load<i32>(cursor);
  while (at < end) {
    const column = load<i32>(scan.excludedItems + (<usize>at << 2)) - scan.first;
    if (column >= scan.count) break;
    store<i32>(row + (<usize>column << 2), i32.MIN_VALUE);
    at++;
  }
  store<i32>(cursor, at);
}

/** Sums of products of 4 queries and 8 candidates; ends its basic blocks as in panels.ts. `row`: bytes between rows of `out`. */
// @ts-ignore: decorator
@inline
function multiplyBlock(pairs: i32, a: usize, b: usize, out: usize, row: usize): void {
  let x: v128 = i32x4.splat(0), b0 = x, b1 = x;
  let c00 = x, c01 = x, c10 = x, c11 = x, c20 = x, c21 = x, c30 = x, c31 = x;
  let n = pairs >> 1;
  if (n > 0) do {
    b0 = v128.load(b); b1 = v128.load(b, 16);
    x = v128.load32_splat(a); c00 = add2(x, b0, c00); c01 = add2(x, b1, c01);
    x = v128.load32_splat(a, 4); c10 = add2(x, b0, c10); c11 = add2(x, b1, c11);
    x = v128.load32_splat(a, 8); c20 = add2(x, b0, c20); c21 = add2(x, b1, c21);
    x = v128.load32_splat(a, 12); c30 = add2(x, b0, c30); c31 = add2(x, b1, c31);
    if (n == -1) break;
    b0 = v128.load(b, 32); b1 = v128.load(b, 48);
    x = v128.load32_splat(a, 16); c00 = add2(x, b0, c00); c01 = add2(x, b1, c01);
    x = v128.load32_splat(a, 20); c10 = add2(x, b0, c10); c11 = add2(x, b1, c11);
    x = v128.load32_splat(a, 24); c20 = add2(x, b0, c20); c21 = add2(x, b1, c21);
    x = v128.load32_splat(a, 28); c30 = add2(x, b0, c30); c31 = add2(x, b1, c31);
    if (n == -2) break;
    a += 32; b += 64; n--;
  } while (n > 0);
  if (pairs & 1) {
    b0 = v128.load(b); b1 = v128.load(b, 16);
    x = v128.load32_splat(a); c00 = add2(x, b0, c00); c01 = add2(x, b1, c01);
    x = v128.load32_splat(a, 4); c10 = add2(x, b0, c10); c11 = add2(x, b1, c11);
    x = v128.load32_splat(a, 8); c20 = add2(x, b0, c20); c21 = add2(x, b1, c21);
    x = v128.load32_splat(a, 12); c30 = add2(x, b0, c30); c31 = add2(x, b1, c31);
  }
  v128.store(out, c00); v128.store(out, c01, 16);
  out += row; v128.store(out, c10); v128.store(out, c11, 16);
  out += row; v128.store(out, c20); v128.store(out, c21, 16);
  out += row; v128.store(out, c30); v128.store(out, c31, 16);
}

/** c + the products of two pairs, in each of four lanes. */
// @ts-ignore: decorator
@inline
function add2(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(i32x4.dot_i16x8_s(a, b), c);
}

/** The largest I that a score up to `score` can have (conversion saturates); none is greater where the bound does not hold. */
// @ts-ignore: decorator
@inline
export function highest(scan: Scan, query: i32, score: f32): i32 {
  const factor = <f64>load<f32>(scan.queryScales + (<usize>query << 2)) * scan.candidateScale;
  return factor > 0 ? <i32>floor(factor * score + scan.bound) : i32.MAX_VALUE;
}

/** The smallest I that a score from `score` on can have, less one (conversion saturates); all pass where the bound does not hold. */
// @ts-ignore: decorator
@inline
export function belowLowest(scan: Scan, query: i32, score: f32): i32 {
  const factor = <f64>load<f32>(scan.queryScales + (<usize>query << 2)) * scan.candidateScale;
  return factor > 0 ? <i32>(ceil(factor * score - scan.bound) - 1) : i32.MIN_VALUE;
}

/**
 * Float32 scores of four candidates of the present block, one a lane: products added in the order of the dimensions, as `fma` does, so that
 * a pair of vectors has one score wherever it stands. −0 becomes 0.
 */
// @ts-ignore: decorator
@inline
export function exactScores(scan: Scan, query: i32, columns: v128): v128 {
  const rowBytes = <usize>scan.dim << 2, base = scan.candidates;
  return innerProducts(
    scan.dim,
    scan.queries + <usize>query * rowBytes,
    base + <usize>i32x4.extract_lane(columns, 0) * rowBytes,
    base + <usize>i32x4.extract_lane(columns, 1) * rowBytes,
    base + <usize>i32x4.extract_lane(columns, 2) * rowBytes,
    base + <usize>i32x4.extract_lane(columns, 3) * rowBytes,
  );
}

function innerProducts(dim: i32, q: usize, c0: usize, c1: usize, c2: usize, c3: usize): v128 {
  let sums: v128 = f32x4.splat(0);
  let k = dim >> 2;
  for (; k > 0; k--) {
    const x0 = v128.load(c0), x1 = v128.load(c1), x2 = v128.load(c2), x3 = v128.load(c3);
    const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
    sums = fma(v128.load32_splat(q), v128.shuffle<i64>(low01, low23, 0, 2), sums);
    sums = fma(v128.load32_splat(q, 4), v128.shuffle<i64>(low01, low23, 1, 3), sums);
    sums = fma(v128.load32_splat(q, 8), v128.shuffle<i64>(high01, high23, 0, 2), sums);
    sums = fma(v128.load32_splat(q, 12), v128.shuffle<i64>(high01, high23, 1, 3), sums);
    q += 16;
    c0 += 16;
    c1 += 16;
    c2 += 16;
    c3 += 16;
  }
  for (k = dim & 3; k > 0; k--) {
    sums = fma(v128.load32_splat(q), f32x4(load<f32>(c0), load<f32>(c1), load<f32>(c2), load<f32>(c3)), sums);
    q += 4;
    c0 += 4;
    c1 += 4;
    c2 += 4;
    c3 += 4;
  }
  return f32x4.add(sums, f32x4.splat(0));
}
