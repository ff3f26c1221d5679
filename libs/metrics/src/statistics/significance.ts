import normalCdf from '@stdlib/stats-base-dists-normal-cdf';
import studentTCdf from '@stdlib/stats-base-dists-t-cdf';
import { mean, sampleStd, tInterval } from './summary.js';

/** A paired comparison: mean of a − b, its 95 % t interval, and the two-sided p value of the paired t test. */
export interface PairedDifference {
  readonly difference: number;
  /** Of the differences (n − 1); null for fewer than two pairs. */
  readonly std: number | null;
  /** null for fewer than two pairs. */
  readonly ci95: readonly [number, number] | null;
  /** Cohen's d_z with Hedges' correction; null for fewer than three pairs, and where all differences are equal. */
  readonly effectSize: number | null;
  /** null for fewer than two pairs, and where all differences are 0. */
  readonly p: number | null;
}

/**
 * Paired t test of a − b.
 *   t = d̄ / (s_d / √n),  p = 2 · P(T_{n−1} ≥ |t|);  p is 0 when all differences are equal and not 0
 *   effect size = J(n − 1) · d̄ / s_d,  J(m) = Γ(m/2) / (√(m/2) Γ((m − 1)/2))
 *
 * @throws {RangeError} when a and b are not equally long, or empty
 * @source effect size: Hedges 1981, doi:10.3102/10769986006002107, for the differences of pairs
 */
export function pairedT(a: ArrayLike<number>, b: ArrayLike<number>): PairedDifference {
  const differences = pairedDifferences('pairedT', a, b);
  const n = differences.length;
  const difference = mean(differences);
  const std = sampleStd(differences);
  const ci95 = tInterval(differences);
  if (std === null || std === 0) {
    return { difference, std, ci95, effectSize: null, p: std === null || difference === 0 ? null : 0 };
  }
  const effectSize = n < 3 ? null : (hedgesCorrection(n - 1) * difference) / std;
  const t = difference / (std / Math.sqrt(n));
  return { difference, std, ci95, effectSize, p: 2 * studentTCdf(-Math.abs(t), n - 1) };
}

/** J(m) for m ≥ 2, from Γ(m/2) / Γ((m − 1)/2) = (m/2 − 1) / (Γ((m − 1)/2) / Γ((m − 2)/2)), which begins with 1/√π. */
function hedgesCorrection(degrees: number): number {
  let ratio = 1 / Math.sqrt(Math.PI);
  for (let m = 3; m <= degrees; m++) ratio = (m / 2 - 1) / ratio;
  return ratio / Math.sqrt(degrees / 2);
}

/** What the users of two rankings say: how many prefer which, by how much in ranks, and whether chance explains it. */
export interface SignedRank {
  /** Users with a value on both sides. */
  readonly n: number;
  /** Users for whom a is above b, below it, and equal. */
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  /** Matched-pairs rank-biserial correlation (R⁺ − R⁻) / (R⁺ + R⁻): 1 when a is above b for all who differ; null where nobody differs. */
  readonly rankBiserial: number | null;
  /** Two-sided; null where nobody differs. */
  readonly p: number | null;
}

/** Up to so many users the null distribution is counted out; 2^50 outcomes are whole numbers in float64. */
const MAX_EXACT_USERS = 50;

/**
 * Wilcoxon signed-rank test of a − b, two-sided.
 *
 * Users whose value is NaN on both sides have none (their AUC, when they have seen all but the positives): they are left out, as the
 * mean over users leaves them out. NaN on one side alone means that the two were not measured alike.
 *
 * |d| is ranked with the zeros, which then drop out (Pratt); equal |d| share the mean of their ranks. R⁺ is the sum of the ranks of d > 0.
 * Up to 50 users p = min(1, 2 · min(P(R⁺ ≤ r), P(R⁺ ≥ r))) over all 2^m equally likely signs of the m ranks that are there, ties and zeros
 * included. Above, R⁺ is taken for normal, without continuity correction: with Z zeros and ties of sizes t_k among the others
 *   mean = (n(n + 1) − Z(Z + 1)) / 4
 *   variance = (n(n + 1)(2n + 1) − Z(Z + 1)(2Z + 1)) / 24 − Σ (t_k³ − t_k) / 48
 *
 * @throws {RangeError} when a and b are not equally long, or have NaN at different users; it says at how many
 * @source Pratt 1959, doi:10.1080/01621459.1959.10501526; rank-biserial: Kerby 2014, doi:10.2466/11.IT.3.1
 * @deviation scipy's `wilcoxon` counts out at most 13 users where there are ties or zeros, and takes R⁺ for normal from 14 to 50.
 */
export function wilcoxonSignedRank(a: ArrayLike<number>, b: ArrayLike<number>): SignedRank {
  const all = a.length === 0 && b.length === 0 ? new Float64Array() : pairedDifferences('wilcoxonSignedRank', a, b);
  const differences = all.filter((difference) => !Number.isNaN(difference));
  const isBare = (k: number): boolean => Number.isNaN(a[k]) && Number.isNaN(b[k]);
  const halves = [...all.keys()].filter((k) => Number.isNaN(all[k]) && !isBare(k)).length;
  if (halves > 0) {
    throw new RangeError(
      `wilcoxonSignedRank: ${halves} of ${all.length} users have a value on one side only; both must be measured alike`,
    );
  }
  const n = differences.length;
  const { ranks, positive, wins, zeros, ties } = rankMagnitudes(differences);
  const counts = { n, wins, losses: n - zeros - wins, ties: zeros };
  if (zeros === n) return { ...counts, rankBiserial: null, p: null };
  const total = (n * (n + 1) - zeros * (zeros + 1)) / 2;
  const rankBiserial = (2 * positive - total) / total;
  if (n <= MAX_EXACT_USERS) return { ...counts, rankBiserial, p: exactP(ranks, positive) };
  const variance = (n * (n + 1) * (2 * n + 1) - zeros * (zeros + 1) * (2 * zeros + 1)) / 24 - ties / 48;
  return { ...counts, rankBiserial, p: 2 * normalCdf(-Math.abs(positive - total / 2) / Math.sqrt(variance), 0, 1) };
}

/** The ranks of |d|, of those that are not 0; `positive` is the sum of the ranks of d > 0, `ties` Σ (t³ − t) over groups of equal |d|. */
function rankMagnitudes(differences: Float64Array) {
  const n = differences.length;
  const magnitude = differences.map(Math.abs);
  // positions sorted by |d|, so that the signs can be looked up
  const order = Uint32Array.from({ length: n }, (_, k) => k).sort(
    (x, y) => (magnitude[x] as number) - (magnitude[y] as number),
  );
  let zeros = 0;
  while (zeros < n && magnitude[order[zeros] as number] === 0) zeros++;
  const ranks = new Float64Array(n - zeros);
  let positive = 0;
  let wins = 0;
  let ties = 0;
  for (let from = zeros; from < n;) {
    const value = magnitude[order[from] as number];
    let to = from + 1;
    while (to < n && magnitude[order[to] as number] === value) to++;
    const rank = (from + 1 + to) / 2; // mean of from + 1 ... to
    ranks.fill(rank, from - zeros, to - zeros);
    for (let k = from; k < to; k++) {
      if ((differences[order[k] as number] as number) <= 0) continue;
      positive += rank;
      wins++;
    }
    ties += (to - from) ** 3 - (to - from);
    from = to;
  }
  return { ranks, positive, wins, zeros, ties };
}

/** Two-sided p of R⁺ over all signs: ways[s] counts the subsets of the ranks, doubled to whole numbers, that sum to s. */
function exactP(ranks: Float64Array, positive: number): number {
  const doubled = Array.from(ranks, (rank) => 2 * rank);
  const most = doubled.reduce((sum, rank) => sum + rank, 0);
  const ways = new Float64Array(most + 1);
  ways[0] = 1;
  let reached = 0;
  for (const rank of doubled) {
    reached += rank;
    for (let sum = reached; sum >= rank; sum--) ways[sum]! += ways[sum - rank] as number;
  }
  // signs swapped, R⁺ is as likely as most − R⁺: the smaller tail is the one up to the smaller of the two
  const smaller = Math.min(2 * positive, most - 2 * positive);
  let tail = 0;
  for (let sum = 0; sum <= smaller; sum++) tail += ways[sum] as number;
  return Math.min(1, (2 * tail) / 2 ** doubled.length);
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
