import normal from '@stdlib/stats-base-dists-normal';
import studentT from '@stdlib/stats-base-dists-t';
import { mean, sampleStd, tInterval } from './summary.js';

/** A paired comparison: mean of a − b, its 95 % t interval, and the two-sided p value of the paired t test. */
export interface PairedDifference {
  readonly difference: number;
  /** null for fewer than two pairs. */
  readonly ci95: readonly [number, number] | null;
  /** null for fewer than two pairs, and where all differences are 0. */
  readonly p: number | null;
}

/**
 * Paired t test of a − b.
 *   t = d̄ / (s_d / √n),  p = 2 · P(T_{n−1} ≥ |t|);  p is 0 when all differences are equal and not 0
 *
 * @throws {RangeError} when a and b are not equally long, or empty
 */
export function pairedT(a: ArrayLike<number>, b: ArrayLike<number>): PairedDifference {
  const differences = pairedDifferences('pairedT', a, b);
  const difference = mean(differences);
  const std = sampleStd(differences);
  const ci95 = tInterval(differences);
  if (std === null) return { difference, ci95, p: null };
  if (std === 0) return { difference, ci95, p: difference === 0 ? null : 0 };
  const t = difference / (std / Math.sqrt(differences.length));
  return { difference, ci95, p: 2 * studentT.cdf(-Math.abs(t), differences.length - 1) };
}

/**
 * Wilcoxon signed-rank test of a − b, two-sided, by the normal approximation without continuity correction.
 *
 * Users whose value is NaN on both sides have none (their AUC, when they have seen all but the positives): they are left out, as the
 * mean over users leaves them out. NaN on one side alone means that the two were not measured alike.
 *
 * |d| is ranked with the zeros, which then drop out (Pratt); equal |d| share the mean of their ranks. With Z zeros and ties of sizes t_k
 * among the others
 *   mean = (n(n + 1) − Z(Z + 1)) / 4
 *   variance = (n(n + 1)(2n + 1) − Z(Z + 1)(2Z + 1)) / 24 − Σ (t_k³ − t_k) / 48
 *
 * @returns p; null when every difference is 0 or there is none
 * @throws {RangeError} when a and b are not equally long, or have NaN at different users; it says at how many
 * @source Pratt 1959, doi:10.1080/01621459.1959.10501526
 */
export function wilcoxonSignedRank(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  if (a.length === 0 && b.length === 0) return null;
  const all = pairedDifferences('wilcoxonSignedRank', a, b);
  const differences = all.filter((difference) => !Number.isNaN(difference));
  const n = differences.length;
  const isBare = (k: number): boolean => Number.isNaN(a[k]) && Number.isNaN(b[k]);
  const halves = [...all.keys()].filter((k) => Number.isNaN(all[k]) && !isBare(k)).length;
  if (halves > 0) {
    throw new RangeError(
      `wilcoxonSignedRank: ${halves} of ${all.length} users have a value on one side only; both must be measured alike`,
    );
  }
  // the sign is kept in an order by magnitude: positions sorted by |d|
  const magnitude = differences.map(Math.abs);
  const order = Uint32Array.from({ length: n }, (_, k) => k).sort(
    (x, y) => (magnitude[x] as number) - (magnitude[y] as number),
  );
  let zeros = 0;
  while (zeros < n && magnitude[order[zeros] as number] === 0) zeros++;
  if (zeros === n) return null;
  let positive = 0;
  let ties = 0;
  for (let from = zeros; from < n;) {
    const value = magnitude[order[from] as number];
    let to = from + 1;
    while (to < n && magnitude[order[to] as number] === value) to++;
    const rank = (from + 1 + to) / 2; // mean of from + 1 ... to
    for (let k = from; k < to; k++) if ((differences[order[k] as number] as number) > 0) positive += rank;
    const size = to - from;
    ties += size ** 3 - size;
    from = to;
  }
  const expected = (n * (n + 1) - zeros * (zeros + 1)) / 4;
  const variance = (n * (n + 1) * (2 * n + 1) - zeros * (zeros + 1) * (2 * zeros + 1)) / 24 - ties / 48;
  return 2 * normal.cdf(-Math.abs(positive - expected) / Math.sqrt(variance), 0, 1);
}

/**
 * Holm's step-down correction: with p ascending, p̃_(k) = max_{j ≤ k} min(1, (m − j + 1) · p_(j)), in the order given.
 *
 * @source Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure"
 */
export function holm(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((x, y) => (pValues[x] as number) - (pValues[y] as number));
  const corrected = new Array<number>(pValues.length);
  let highest = 0;
  for (const [place, k] of order.entries()) {
    highest = Math.max(highest, Math.min(1, (pValues.length - place) * (pValues[k] as number)));
    corrected[k] = highest;
  }
  return corrected;
}

function pairedDifferences(caller: string, a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(`${caller}: a has ${a.length} values, b has ${b.length}; they must be equally many, and some`);
  }
  return Float64Array.from(a, (value, k) => value - (b[k] as number));
}
