import { tIntervalOf } from '@towerbench/metrics';
import type { CurvePoint, MeanPoint, RunRow, StoreReader } from '@towerbench/tracking';
import type { BandPoint, CurveLine, Curves, CurveView, CurveX } from '../contract/payloads.js';

/** A chart is about as many pixels wide. */
const NUM_BUCKETS = 1000;

type Line = Omit<CurveLine, 'name' | 'trial'>;
type StepSizes = Pick<RunRow, 'stepsPerEpoch' | 'batchSize'>;

const BY_STEP = { counts: 'step', unit: 1 } as const;
const NOT_RECORDED = 'has no batches, has not made a step yet, or was stored before this was recorded';

/** A line that is not drawn. */
const NOTHING = { points: [], smooth: null, numPoints: 0, notFinite: 0, notPositive: 0 } as const;

/** Which axes none of these runs has a place on. */
export function notOffered(runs: readonly (StepSizes & { readonly attempts: number })[]): Curves['notOffered'] {
  const begun = runs.filter(({ attempts }) => attempts > 0);
  const lacks = (size: keyof StepSizes): boolean => begun.length > 0 && begun.every((run) => run[size] === null);
  return {
    ...(lacks('stepsPerEpoch') && { epoch: `epoch: every run ${NOT_RECORDED}` }),
    ...(lacks('batchSize') && { examples: `examples: every run ${NOT_RECORDED}` }),
  };
}

/** How many steps, or milliseconds, a unit of the axis is; null where the runs have no place on it. */
function unitOf(
  x: CurveX,
  runs: readonly StepSizes[],
): { readonly counts: 'step' | 'time'; readonly unit: number } | null {
  if (x === 'time') return { counts: 'time', unit: 1000 };
  if (x === 'step') return BY_STEP;
  const [known] = runs.flatMap(({ stepsPerEpoch, batchSize }) => (x === 'epoch' ? stepsPerEpoch : batchSize) ?? []);
  if (known === undefined) return null;
  return { counts: 'step', unit: x === 'epoch' ? known : 1 / known };
}

/** The curve of one run: sampled by the store, so that a long one costs little. */
export function runLine(reader: StoreReader, run: RunRow, series: string, view: CurveView): Line {
  const axis = unitOf(view.x, [run]);
  const { counts, unit } = axis ?? BY_STEP;
  const origin = reader.curveOrigin(run.id) ?? 0;
  const xOf = ({ step, time }: { step: number; time: number }) => (counts === 'step' ? step : time - origin) / unit;
  const point = (at: CurvePoint): BandPoint => {
    const { step, value } = at;
    return { step, x: xOf(at), mean: value, low: value, high: value, n: 1 };
  };
  const sample = reader.sampleCurve(run.id, series, {
    x: counts,
    from: view.from === null ? null : view.from * unit,
    to: view.to === null ? null : view.to * unit,
    isLog: view.log.includes('x'),
    onlyPositive: view.log.includes('y'),
    numBuckets: NUM_BUCKETS,
  });
  const last = reader.lastMean([run.id], series);
  const end = last && point({ step: last.step, time: last.time + origin, value: last.mean });
  if (axis === null) return { ...NOTHING, isOffAxis: true, last: end };
  return {
    isOffAxis: false,
    points: sample.points.map(point),
    numPoints: sample.numPoints,
    notFinite: sample.notFinite,
    notPositive: view.log.includes('y') ? sample.notPositive : 0,
    smooth:
      view.smoothing === 0
        ? null
        : smoothed(
            reader.curve(run.id, series).map((at) => ({ step: at.step, x: xOf(at), mean: at.value })),
            view,
          ),
    last: end,
  };
}

/** The mean over seeds with its band, exact at every step; a long one in buckets. One that is not drawn only where it ends. */
export function meanLine(
  reader: StoreReader,
  runs: readonly RunRow[],
  series: string,
  { view, isDrawn }: { readonly view: CurveView; readonly isDrawn: boolean },
): Line {
  const ids = runs.map(({ id }) => id);
  const axis = unitOf(view.x, runs);
  const { counts, unit } = axis ?? BY_STEP;
  const halfWidth = halfWidths();
  const point = (at: MeanPoint): BandPoint => {
    const { step, mean, n, std } = at;
    const x = (counts === 'step' ? step : at.time) / unit;
    if (view.band !== 't' || std === null) return { step, x, mean, low: at.min, high: at.max, n };
    const half = halfWidth(n) * std;
    return { step, x, mean, low: mean - half, high: mean + half, n };
  };
  const last = reader.lastMean(ids, series);
  const end = last && point(last);
  if (!isDrawn || axis === null) return { ...NOTHING, isOffAxis: axis === null, last: end };
  const whole = reader.meanCurve(ids, series).map(point);
  const inside = whole.filter(({ x }) => isInside(x, view));
  const drawable = view.log.includes('y') ? inside.filter(({ mean }) => mean > 0) : inside;
  return {
    isOffAxis: false,
    points: inBuckets(drawable, view),
    numPoints: drawable.length,
    notFinite: reader.countNotFinite(ids, series),
    notPositive: inside.length - drawable.length,
    smooth: view.smoothing === 0 ? null : smoothed(whole, view),
    last: end,
  };
}

function isInside(x: number, { from, to, log }: CurveView): boolean {
  return x >= (from ?? -Infinity) && x <= (to ?? Infinity) && (x > 0 || !log.includes('x'));
}

/** Half of the t interval of a standard deviation of 1, computed once for each n. */
function halfWidths(): (n: number) => number {
  const known = new Map<number, number>();
  return (n) => {
    const half = known.get(n) ?? tIntervalOf({ mean: 0, std: 1, n })?.[1] ?? NaN;
    known.set(n, half);
    return half;
  };
}

/**
 * Exponential moving average without the bias of its start: mₖ = w·mₖ₋₁ + (1 − w)·yₖ, shown as mₖ / (1 − wᵏ), over all finite values from the first one on,
 * so that a window shows the same line as the whole.
 */
export function debiasedEma(values: readonly number[], weight: number): readonly number[] {
  let [sum, bias] = [0, 1];
  return values.map((value) => {
    if (Number.isFinite(value)) {
      sum = weight * sum + (1 - weight) * value;
      bias *= weight;
    }
    return sum / (1 - bias);
  });
}

function smoothed(points: readonly { step: number; x: number; mean: number }[], view: CurveView): CurveLine['smooth'] {
  const finite = points.filter(({ mean }) => Number.isFinite(mean));
  const averages = debiasedEma(
    finite.map(({ mean }) => mean),
    view.smoothing,
  );
  const line = finite
    .map(({ step, x }, k) => ({ step, x, mean: averages[k] ?? NaN }))
    .filter(({ x, mean }) => isInside(x, view) && (mean > 0 || !view.log.includes('y')));
  return inBuckets(line, view);
}

/** The smallest and the greatest mean of each bucket of the x axis, in order; a band is the widest of its bucket, n the fewest. */
export function inBuckets<T extends { readonly x: number; readonly mean: number }>(
  points: readonly T[],
  { log }: Pick<CurveView, 'log'>,
  numBuckets = NUM_BUCKETS,
): readonly T[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length <= 2 * numBuckets) return points;
  const scale = log.includes('x') ? Math.log : (x: number) => x;
  const [start, width] = [scale(first.x), scale(last.x) - scale(first.x)];
  const buckets = new Map<number, [T, ...T[]]>();
  for (const point of points) {
    const bucket = Math.min(numBuckets - 1, Math.floor((numBuckets * (scale(point.x) - start)) / width));
    const members = buckets.get(bucket);
    if (members) members.push(point);
    else buckets.set(bucket, [point]);
  }
  return [...buckets.values()].flatMap((members) => {
    const least = members.reduce((a, b) => (b.mean < a.mean ? b : a));
    const greatest = members.reduce((a, b) => (b.mean > a.mean ? b : a));
    const kept = least === greatest ? [least] : members.filter((point) => point === least || point === greatest);
    return kept.map((point) => ({ ...point, ...widest(members) }));
  });
}

/** What a bucket's points say together: nothing for points without a band. */
function widest(members: readonly (object & { low?: number; high?: number; n?: number })[]) {
  if (members[0]?.n === undefined) return {};
  let [low, high, n] = [Infinity, -Infinity, Infinity];
  for (const member of members) {
    low = Math.min(low, member.low ?? Infinity);
    high = Math.max(high, member.high ?? -Infinity);
    n = Math.min(n, member.n ?? Infinity);
  }
  return { low, high, n };
}
