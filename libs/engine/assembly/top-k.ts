import { belowLowest, exactScores, fillTile, Scan, TILE_ROWS } from './catalogue-scan';

/** Columns that are looked at before the chosen ones are scored, when there are at least `ENOUGH` or the block ends. */
const STEP: i32 = 64;
const ENOUGH: usize = 16;
/** Per query: number of keys, whether the k best of them are known, the worst score of these; then the keys. */
const HEADER: usize = 16;

// A key is a score and an id in one whole number that is the greater the better: the bits of the score, turned so that they rise with
// it, above the complement of the id. So keys are distinct, equal scores are ordered by id, and 0 is no key.

/** Keys that a query can hold: the k best, and as many that came later. */
// @ts-ignore: decorator
@inline
function keyCapacity(k: i32): i32 {
  return k + max(k, 64);
}

// @ts-ignore: decorator
@inline
function scoreOf(key: u64): f32 {
  const high = <i32>(key >> 32);
  return reinterpret<f32>(high ^ ((~high >> 31) | i32.MIN_VALUE));
}

/** Floats of memory for the best k of so many queries. */
export function topKFloats(rows: i32, k: i32): i32 {
  return ((rows + 1) * keyCapacity(k) + rows * <i32>(HEADER >> 3)) << 1;
}

/** Begins with nothing found. */
export function openTopK(rows: i32, k: i32, state: usize): void {
  const bytes = HEADER + (<usize>keyCapacity(k) << 3);
  for (let r: usize = 0; r < <usize>rows; r++) memory.fill(state + r * bytes, 0, HEADER);
}

/**
 * Takes in the present block of the scan: whatever scores higher than the k best so far. Later ids lose ties, so an equal score is not
 * enough. NaN never is.
 */
export function topKBlock(scan: Scan, k: i32, state: usize): void {
  const capacity = keyCapacity(k), stateBytes = HEADER + (<usize>capacity << 3);
  const spare = state + <usize>scan.rows * stateBytes;
  const chosen = scan.chosen, width = (scan.count + 7) & ~7, first = i32x4.splat(scan.first);
  for (let r0 = 0; r0 < scan.rows; r0 += TILE_ROWS) {
    fillTile(scan, r0);
    const rows = min(TILE_ROWS, scan.rows - r0);
    for (let r = 0; r < rows; r++) {
      const query = r0 + r;
      const own = state + <usize>query * stateBytes, keys = own + HEADER;
      const row = scan.tile + ((<usize>r * scan.capacity) << 2);
      let numKeys = load<i32>(own), isFull = load<i32>(own, 4) != 0, worst = load<f32>(own, 8);
      let limit = isFull ? belowLowest(scan, query, worst) : i32.MIN_VALUE;
      let numChosen: usize = 0;
      for (let j0 = 0; j0 < width; j0 += STEP) {
        numChosen = choose(row, j0, min(j0 + STEP, width), limit, chosen, numChosen);
        if (numChosen < ENOUGH && j0 + STEP < width) continue;
        v128.store(chosen + (numChosen << 2), i32x4.splat(0)); // fills up the last four
        for (let i: usize = 0; i < numChosen; i += 4) {
          const columns = v128.load(chosen + (i << 2));
          const scores = exactScores(scan, query, columns);
          const isBetter = isFull ? f32x4.gt(scores, f32x4.splat(worst)) : f32x4.eq(scores, scores);
          const kept = i32x4.bitmask(isBetter) & ((1 << <i32>min(4, numChosen - i)) - 1);
          numKeys = append(scores, i32x4.add(columns, first), kept, keys, numKeys);
          if (numKeys > capacity - 4) {
            worst = scoreOf(selectBest(k, numKeys, keys, spare));
            numKeys = k;
            isFull = true;
            limit = belowLowest(scan, query, worst);
          }
        }
        numChosen = 0;
      }
      store<i32>(own, numKeys);
      store<i32>(own, i32(isFull), 4);
      store<f32>(own, worst, 8);
    }
  }
}

/** Appends the columns from j0 to j1 whose number is greater than `limit`; returns how many there are then. */
// @ts-ignore: decorator
@inline
function choose(row: usize, j0: i32, j1: i32, limit: i32, chosen: usize, numChosen: usize): usize {
  const limits = i32x4.splat(limit);
  let mask: u64 = 0;
  for (let j = j0; j < j1; j += 8) {
    const at = row + (<usize>j << 2);
    const bits = i32x4.bitmask(i32x4.gt_s(v128.load(at), limits)) | (i32x4.bitmask(i32x4.gt_s(v128.load(at, 16), limits)) << 4);
    mask |= <u64>bits << (j - j0);
  }
  while (mask) {
    store<i32>(chosen + (numChosen << 2), j0 + <i32>ctz(mask));
    numChosen++;
    mask &= mask - 1;
  }
  return numChosen;
}

/** Appends the keys of those of four whose bit is set; writes all four, so 4 places have to be free. Returns how many there are then. */
// @ts-ignore: decorator
@inline
function append(scores: v128, ids: v128, kept: i32, keys: usize, numKeys: i32): i32 {
  const high = v128.xor(scores, v128.or(i32x4.shr_s(scores, 31), i32x4.splat(i32.MIN_VALUE)));
  const low = v128.not(ids);
  const two = v128.shuffle<i32>(low, high, 0, 4, 1, 5), next = v128.shuffle<i32>(low, high, 2, 6, 3, 7);
  let to = keys + (<usize>numKeys << 3);
  v128.store64_lane(to, two, 0);
  to += (kept & 1) << 3;
  v128.store64_lane(to, two, 1);
  to += (kept & 2) << 2;
  v128.store64_lane(to, next, 0);
  to += (kept & 4) << 1;
  v128.store64_lane(to, next, 1);
  to += kept & 8;
  return <i32>((to - keys) >> 3);
}

/**
 * Brings the k greatest of more than k keys to the front and returns the least of them. Quickselect whose partition has no branch that
 * depends on the data: each key is written to both ends of `spare`, and one end moves on.
 */
function selectBest(k: i32, numKeys: i32, keys: usize, spare: usize): u64 {
  const boundary = keys + (<usize>k << 3);
  let low = keys, high = keys + (<usize>numKeys << 3); // the boundary is between them
  while (low < boundary && boundary < high) {
    const x = load<u64>(low), y = load<u64>(low + (((high - low) >> 4) << 3)), z = load<u64>(high - 8);
    if (high - low == 16) {
      store<u64>(low, max(x, z));
      store<u64>(low, min(x, z), 8);
      break;
    }
    const pivot = max(min(x, y), min(max(x, y), z)); // the middle one, so neither side stays empty
    let left = spare, right = spare + (high - low) - 8;
    for (let at = low; at < high; at += 8) {
      const key = load<u64>(at), isGreater = <usize>(key > pivot) << 3;
      store<u64>(left, key);
      store<u64>(right, key);
      left += isGreater;
      right -= 8 - isGreater;
    }
    memory.copy(low, spare, high - low);
    const middle = low + (left - spare);
    if (middle >= boundary) high = middle;
    else low = middle;
  }
  let least = u64.MAX_VALUE;
  for (let at = keys; at < boundary; at += 8) least = min(least, load<u64>(at));
  return least;
}

/** The k best of each query in falling order, as ids and scores; −1 and −∞ where there are fewer. */
export function closeTopK(rows: i32, k: i32, state: usize, items: usize, scores: usize): void {
  const capacity = keyCapacity(k), stateBytes = HEADER + (<usize>capacity << 3), spare = state + <usize>rows * stateBytes;
  for (let r = 0; r < rows; r++) {
    const own = state + <usize>r * stateBytes, keys = own + HEADER;
    let numKeys = load<i32>(own);
    if (numKeys > k) {
      selectBest(k, numKeys, keys, spare);
      numKeys = k;
    }
    const sorted = sortFalling(numKeys, keys, spare);
    for (let i = 0; i < k; i++) {
      const key: u64 = i < numKeys ? load<u64>(sorted + (<usize>i << 3)) : 0;
      store<i32>(items, ~<i32>key);
      store<f32>(scores, key ? scoreOf(key) : -Infinity);
      items += 4;
      scores += 4;
    }
  }
}

/**
 * Merge sort between two arrays with room for the next power of two; returns the one that ends sorted. Two runs of one length are merged
 * from both ends at once, so neither end has to look whether a run is used up.
 */
function sortFalling(numKeys: i32, from: usize, to: usize): usize {
  let end: usize = 8;
  while (end < <usize>numKeys << 3) end <<= 1;
  for (let at = <usize>numKeys << 3; at < end; at += 8) store<u64>(from + at, 0);
  for (let run: usize = 8; run < end; run <<= 1) {
    for (let at: usize = 0; at < end; at += 2 * run) {
      let a = from + at, b = a + run, lastA = b - 8, lastB = b + run - 8;
      let front = to + at, back = front + 2 * run - 8;
      for (let i: usize = 0; i < run; i += 8) {
        const x = load<u64>(a), y = load<u64>(b), fromA = <usize>(x > y) << 3;
        store<u64>(front, max(x, y));
        front += 8;
        a += fromA;
        b += 8 - fromA;
        const v = load<u64>(lastA), w = load<u64>(lastB), leastIsV = <usize>(v <= w) << 3;
        store<u64>(back, min(v, w));
        back -= 8;
        lastA -= leastIsV;
        lastB -= 8 - leastIsV;
      }
    }
    const held = from;
    from = to;
    to = held;
  }
  return from;
}
