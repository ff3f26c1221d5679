import normalCdf from '@stdlib/stats-base-dists-normal-cdf';
import normalQuantile from '@stdlib/stats-base-dists-normal-quantile';
import { xoshiro128 } from '../random.js';
import { mean } from './summary.js';

/** How a bootstrap interval is made. */
export interface BootstrapOptions {
  /** `bca` corrects the percentiles for bias and skew; `percentile` takes them as they are. */
  readonly method?: 'bca' | 'percentile';
  readonly level?: number;
  /** The end of a 95 % interval varies over seeds by about 1/12 of a standard error at 1,000 resamples, by 1/37 at 10,000. */
  readonly resamples?: number;
  readonly seed?: number;
}

/** Enough for the two digits of an interval that are read. */
const RESAMPLES = 1000;
/** Sums in another order differ by rounding; what is so near is a tie. */
const ROUNDING = 1e-12;

/**
 * Bootstrap interval of the mean of each column, the rows drawn with replacement and once for all columns: what the columns share, such as
 * users, is resampled together.
 *
 * percentile: the (1 ± level) / 2 quantiles of the means of the resamples, interpolated linearly.
 * BCa: the quantiles Φ(z₀ + (z₀ + z) / (1 − a (z₀ + z))), z₀ = Φ⁻¹(share of means below the observed one, ties counted half),
 *   a = Σ (xᵢ − x̄)³ / (6 (Σ (xᵢ − x̄)²)^1.5), which is the jackknife's acceleration where the statistic is a mean.
 *
 * @returns per column its interval; null for fewer than two rows
 * @throws {RangeError} when the columns are not equally long, or a value is not finite
 * @source Efron 1987, "Better Bootstrap Confidence Intervals", doi:10.1080/01621459.1987.10478410
 * @numerics Row ⌊u · n / 2³²⌋ of u of xoshiro128**: no row is likelier than another by more than n / 2³².
 */
export function bootstrapMeans(
  columns: readonly ArrayLike<number>[],
  { method = 'bca', level = 0.95, resamples = RESAMPLES, seed = 0 }: BootstrapOptions = {},
): readonly (readonly [number, number] | null)[] {
  const n = columns[0]?.length ?? 0;
  const values = columns.map((column) => Float64Array.from(column));
  for (const [k, column] of values.entries()) {
    if (column.length !== n) throw new RangeError(`bootstrapMeans: column ${k} has ${column.length} rows, column 0 has ${n}`); // prettier-ignore
    const bad = column.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new RangeError(`bootstrapMeans: row ${bad} of column ${k} is ${column[bad]}; rows must be finite`); // prettier-ignore
  }
  if (n < 2) return values.map(() => null);
  const means = values.map(() => new Float64Array(resamples));
  const next = xoshiro128(seed);
  const times = new Float64Array(n); // how often a row is in the resample
  for (let resample = 0; resample < resamples; resample++) {
    times.fill(0);
    for (let draw = 0; draw < n; draw++) times[Math.floor((next() * n) / 2 ** 32)]!++;
    for (const [k, column] of values.entries()) {
      means[k]![resample] = dot(times, column) / n;
    }
  }
  return values.map((column, k) => {
    const sorted = (means[k] as Float64Array).sort();
    const [low, high] = [(1 - level) / 2, (1 + level) / 2].map((p) =>
      quantile(sorted, method === 'percentile' ? p : correctedLevel(p, column, sorted)),
    );
    return [low as number, high as number];
  });
}

/** In four sums at once, which do not wait for each other. */
function dot(a: Float64Array, b: Float64Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 3 < a.length; k += 4) {
    s0 += (a[k] as number) * (b[k] as number);
    s1 += (a[k + 1] as number) * (b[k + 1] as number);
    s2 += (a[k + 2] as number) * (b[k + 2] as number);
    s3 += (a[k + 3] as number) * (b[k + 3] as number);
  }
  for (; k < a.length; k++) s0 += (a[k] as number) * (b[k] as number);
  return s0 + s1 + (s2 + s3);
}

/** The percentile that BCa takes in place of p. */
function correctedLevel(p: number, values: Float64Array, means: Float64Array): number {
  const observed = mean(values);
  let squares = 0;
  let cubes = 0;
  let size = 0;
  for (const value of values) {
    squares += (value - observed) ** 2;
    cubes += (value - observed) ** 3;
    size += Math.abs(value);
  }
  if (squares === 0) return p; // all resamples are the same
  const near = (ROUNDING * size) / values.length;
  let below = 0;
  for (const each of means) below += each < observed - near ? 1 : each <= observed + near ? 0.5 : 0;
  const bias = normalQuantile(below / means.length, 0, 1);
  const acceleration = cubes / (6 * squares ** 1.5);
  const z = bias + normalQuantile(p, 0, 1);
  return normalCdf(bias + z / (1 - acceleration * z), 0, 1);
}

/** Of sorted values, with linear interpolation between neighbours: place p · (B − 1). */
function quantile(sorted: Float64Array, p: number): number {
  const place = p * (sorted.length - 1);
  const below = Math.floor(place);
  const [at, above] = [sorted[below] as number, sorted[Math.min(below + 1, sorted.length - 1)] as number];
  return at + (place - below) * (above - at);
}
