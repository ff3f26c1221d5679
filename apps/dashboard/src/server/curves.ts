import type { CurvePoint } from '@towerbench/tracking';
import type { BandPoint } from '../contract/payloads.js';

/** More points than a chart has pixels say nothing more. */
const MAX_POINTS = 500;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Neighbours put together, equally many in each bucket, so that there are at most `maxBuckets`. */
function buckets<T>(points: readonly T[], maxBuckets: number): readonly (readonly [T, ...T[]])[] {
  const width = Math.ceil(points.length / maxBuckets);
  const result: [T, ...T[]][] = [];
  for (let start = 0; start < points.length; start += width) {
    result.push(points.slice(start, start + width) as [T, ...T[]]);
  }
  return result;
}

/** Averages neighbouring points until at most `maxPoints` are left; a point keeps the last step and time that it stands for. */
export function thin(points: readonly CurvePoint[], maxPoints: number = MAX_POINTS): readonly CurvePoint[] {
  if (points.length <= maxPoints) return points;
  return buckets(points, maxPoints).map((bucket) => {
    const { step, time } = bucket.at(-1) ?? bucket[0];
    return { step, time, value: mean(bucket.map(({ value }) => value)) };
  });
}

/**
 * The band of several seeds' curves: at every step that any of them has, mean, least and greatest value and how many seeds have one.
 * Values that are not finite are left out. A long band is thinned after the seeds were put together, because seeds at work have curves of different
 * lengths: a point is then the mean of its steps' means, the extremes of all of them, and the fewest seeds of any.
 */
export function band(curves: readonly (readonly CurvePoint[])[], maxPoints: number = MAX_POINTS): readonly BandPoint[] {
  const valuesByStep = new Map<number, number[]>();
  for (const { step, value } of curves.flat()) {
    if (!Number.isFinite(value)) continue;
    const values = valuesByStep.get(step);
    if (values) values.push(value);
    else valuesByStep.set(step, [value]);
  }
  const points = [...valuesByStep]
    .sort(([a], [b]) => a - b)
    .map(([step, values]) => ({
      step,
      mean: mean(values),
      min: Math.min(...values),
      max: Math.max(...values),
      n: values.length,
    }));
  if (points.length <= maxPoints) return points;
  return buckets(points, maxPoints).map((bucket) => ({
    step: (bucket.at(-1) ?? bucket[0]).step,
    mean: mean(bucket.map((point) => point.mean)),
    min: Math.min(...bucket.map(({ min }) => min)),
    max: Math.max(...bucket.map(({ max }) => max)),
    n: Math.min(...bucket.map(({ n }) => n)),
  }));
}
