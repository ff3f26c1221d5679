import studentT from '@stdlib/stats-base-dists-t';

/** Arithmetic mean; NaN for no values. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k] as number;
  return sum / values.length;
}

/** Sample standard deviation √(Σ (x − x̄)² / (n − 1)); null for fewer than two values. */
export function sampleStd(values: ArrayLike<number>): number | null {
  if (values.length < 2) return null;
  const center = mean(values);
  let squares = 0;
  for (let k = 0; k < values.length; k++) squares += ((values[k] as number) - center) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/** t interval of the mean, x̄ ± t_{(1+level)/2, n−1} · s / √n; null for fewer than two values. */
export function tInterval(values: ArrayLike<number>, level = 0.95): readonly [number, number] | null {
  const std = sampleStd(values);
  if (std === null) return null;
  const half = (studentT.quantile((1 + level) / 2, values.length - 1) * std) / Math.sqrt(values.length);
  const center = mean(values);
  return [center - half, center + half];
}

/**
 * Seeds that show a paired difference: the least n ≥ 2 with
 *   √n · difference / std ≥ t_{1−level/2, n−1} + t_{power, n−1}
 *
 * @param std standard deviation over seeds, of the differences where they are known
 */
export function seedsToDetect(inputs: {
  readonly std: number;
  readonly difference: number;
  readonly level?: number;
  readonly power?: number;
}): number {
  const { std, difference, level = 0.05, power = 0.8 } = inputs;
  if (!(difference > 0) || !(std >= 0))
    throw new RangeError(`seedsToDetect: difference ${difference} must be above 0, std ${std} not below`);
  const enough = (n: number): boolean =>
    Math.sqrt(n) * difference >= std * (studentT.quantile(1 - level / 2, n - 1) + studentT.quantile(power, n - 1));
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
