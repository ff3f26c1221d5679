import studentTQuantile from '@stdlib/stats-base-dists-t-quantile';

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
  return tIntervalOf({ mean: mean(values), std: sampleStd(values), n: values.length }, level);
}

/** The same from what is known of the values; null where the deviation is. */
export function tIntervalOf(
  { mean: center, std, n }: { readonly mean: number; readonly std: number | null; readonly n: number },
  level = 0.95,
): readonly [number, number] | null {
  if (std === null) return null;
  const half = (studentTQuantile((1 + level) / 2, n - 1) * std) / Math.sqrt(n);
  return [center - half, center + half];
}
