import { belowLowest, exactScores, fillTile, highest, Scan, TILE_ROWS } from './catalogue-scan';

/** Writes the float32 scores of those listed candidates that the present block of the scan has; the others stay as they are. */
export function listedScores(scan: Scan, offsets: usize, items: usize, scores: usize): void {
  for (let query = 0; query < scan.rows; query++) {
    const end = load<i32>(offsets + (<usize>query << 2), 4);
    for (let at = load<i32>(offsets + (<usize>query << 2)); at < end; at++) {
      const column = load<i32>(items + (<usize>at << 2)) - scan.first;
      if (<u32>column >= <u32>scan.count) continue;
      store<f32>(scores + (<usize>at << 2), f32x4.extract_lane(exactScores(scan, query, i32x4.splat(column)), 0));
    }
  }
}

/**
 * Adds to every target how many candidates of the present block score more than it and how many as much; `scores` are those of the
 * targets. Returns how many comparisons had a NaN.
 */
export function countAhead(scan: Scan, offsets: usize, scores: usize, greater: usize, equal: usize): i32 {
  let numNaN = 0;
  for (let r0 = 0; r0 < scan.rows; r0 += TILE_ROWS) {
    fillTile(scan, r0);
    const rows = min(TILE_ROWS, scan.rows - r0);
    for (let r = 0; r < rows; r++) {
      const query = r0 + r, row = scan.tile + ((<usize>r * scan.capacity) << 2);
      const end = load<i32>(offsets + (<usize>query << 2), 4);
      for (let at = load<i32>(offsets + (<usize>query << 2)); at < end; at++) {
        const score = load<f32>(scores + (<usize>at << 2)), place = <usize>at << 2;
        const near = countFurther(scan, row, belowLowest(scan, query, score), highest(scan, query, score), greater + place);
        numNaN += countNear(scan, query, near, score, greater + place, equal + place);
      }
    }
  }
  return numNaN;
}

/** Adds how many columns of a row have a number above `high`; chooses those above `low` up to `high`, and returns how many these are. */
function countFurther(scan: Scan, row: usize, low: i32, high: i32, greater: usize): i32 {
  const lows = i32x4.splat(low), highs = i32x4.splat(high), width = (scan.count + 7) & ~7;
  let counts = i32x4.splat(0), to = scan.chosen;
  for (let j = 0; j < width; j += 8) {
    const x = v128.load(row), y = v128.load(row, 16);
    const isFurther = i32x4.gt_s(x, highs), isFurtherToo = i32x4.gt_s(y, highs);
    counts = i32x4.sub(counts, i32x4.add(isFurther, isFurtherToo));
    const isNear = v128.andnot(i32x4.gt_s(x, lows), isFurther), isNearToo = v128.andnot(i32x4.gt_s(y, lows), isFurtherToo);
    if (v128.any_true(v128.or(isNear, isNearToo))) {
      let mask = i32x4.bitmask(isNear) | (i32x4.bitmask(isNearToo) << 4);
      while (mask) {
        store<i32>(to, j + ctz(mask));
        to += 4;
        mask &= mask - 1;
      }
    }
    row += 32;
  }
  store<i32>(greater, load<i32>(greater) + sumOfCounts(counts));
  return <i32>((to - scan.chosen) >> 2);
}

/** Compares the chosen columns by their float32 scores; returns how many comparisons had a NaN. */
function countNear(scan: Scan, query: i32, numChosen: i32, score: f32, greater: usize, equal: usize): i32 {
  const target = f32x4.splat(score), chosen = scan.chosen;
  let numGreater = 0, numEqual = 0, numLess = 0;
  v128.store(chosen + (<usize>numChosen << 2), i32x4.splat(0)); // fills up the last four
  for (let i = 0; i < numChosen; i += 4) {
    const scores = exactScores(scan, query, v128.load(chosen + (<usize>i << 2)));
    const valid = (1 << min(4, numChosen - i)) - 1;
    numGreater += popcnt(i32x4.bitmask(f32x4.gt(scores, target)) & valid);
    numEqual += popcnt(i32x4.bitmask(f32x4.eq(scores, target)) & valid);
    numLess += popcnt(i32x4.bitmask(f32x4.lt(scores, target)) & valid);
  }
  store<i32>(greater, load<i32>(greater) + numGreater);
  store<i32>(equal, load<i32>(equal) + numEqual);
  return numChosen - numGreater - numEqual - numLess;
}

/**
 * Of some columns of a row of scores: how many scores are greater than theirs, and how many equal, itself included. NaN, which compares with
 * nothing, stands where there is no candidate. Returns how many scores are numbers.
 *
 * @param count of scores, a multiple of 4
 */
export function countAheadInRow(count: i32, row: usize, numTargets: i32, targets: usize, greater: usize, equal: usize): i32 {
  const end = row + (<usize>count << 2);
  for (let t: usize = 0; t < <usize>numTargets << 2; t += 4) {
    const score = v128.load32_splat(row + (<usize>load<i32>(targets + t) << 2));
    let greaters = i32x4.splat(0), equals = greaters;
    for (let at = row; at < end; at += 16) {
      const others = v128.load(at);
      greaters = i32x4.sub(greaters, f32x4.gt(others, score));
      equals = i32x4.sub(equals, f32x4.eq(others, score));
    }
    store<i32>(greater + t, sumOfCounts(greaters));
    store<i32>(equal + t, sumOfCounts(equals));
  }
  let numbers = i32x4.splat(0);
  for (let at = row; at < end; at += 16) {
    const scores = v128.load(at);
    numbers = i32x4.sub(numbers, f32x4.eq(scores, scores));
  }
  return sumOfCounts(numbers);
}

// @ts-ignore: decorator
@inline
function sumOfCounts(counts: v128): i32 {
  return i32x4.extract_lane(counts, 0) + i32x4.extract_lane(counts, 1) + i32x4.extract_lane(counts, 2) + i32x4.extract_lane(counts, 3);
}
