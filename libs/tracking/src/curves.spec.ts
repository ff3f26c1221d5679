import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CurveWindow, StoreReader, StoreWriter } from './contract.js';
import { openMemoryStore } from './open.js';
import { sampleExperiment } from './sample-experiment.js';

const WHOLE: CurveWindow = { x: 'step', from: null, to: null, isLog: false, onlyPositive: false, numBuckets: 10 };

let writer: StoreWriter;
let reader: StoreReader;
let runs: readonly number[];
beforeEach(() => {
  ({ writer, reader } = openMemoryStore());
  runs = writer.plan({ ...sampleExperiment(), seeds: [1, 2, 3] }).map(({ id }) => id);
});
afterEach(() => writer.close());

/** Writes a curve whose times are `ms` milliseconds a step after the attempt began. */
function write(run: number, values: readonly (readonly [step: number, value: number])[], ms = 10): void {
  const claim = writer.claim(run, { host: 'here', pid: 1, environment: {} })!;
  const origin = reader.curveOrigin(run)!;
  writer.points(
    claim.attemptId,
    values.map(([step, value]) => ({ series: 'loss', step, value, time: origin + ms * step })),
  );
}

const sample = (window: Partial<CurveWindow> = {}) => reader.sampleCurve(runs[0]!, 'loss', { ...WHOLE, ...window });
const stepsOf = (window: Partial<CurveWindow> = {}) => sample(window).points.map(({ step }) => step);

describe('a sample of a curve', () => {
  it('is the curve itself while that is short', () => {
    write(runs[0]!, [[1, 5], [2, -4], [3, 3]]); // prettier-ignore
    expect(sample()).toMatchObject({
      points: [{ step: 1, value: 5 }, { step: 2, value: -4 }, { step: 3, value: 3 }],
      numPoints: 3,
      notFinite: 0,
      notPositive: 1,
    }); // prettier-ignore
  });

  it('has the smallest and the greatest point of every bucket, in order of step', () => {
    const values = Array.from({ length: 1000 }, (_, k): [number, number] => [
      k,
      Math.sin(k * 1.7) + (k === 537 ? 50 : 0),
    ]);
    write(runs[0]!, values);
    const { points, numPoints } = sample();
    expect(numPoints).toBe(1000);
    expect(points.length).toBeLessThanOrEqual(20);
    for (const bucket of Array.from({ length: 10 }, (_, b) =>
      values.filter(([k]) => Math.floor((k * 10) / 999) === b),
    )) {
      const ordered = bucket.toSorted(([, a], [, b]) => a - b);
      for (const [step, value] of [ordered[0]!, ordered.at(-1)!]) {
        expect(points).toContainEqual(expect.objectContaining({ step, value }));
      }
    }
    expect(points.map(({ step }) => step)).toEqual(points.map(({ step }) => step).toSorted((a, b) => a - b));
  });

  it('is finer the smaller the window', () => {
    write(
      runs[0]!,
      Array.from({ length: 1000 }, (_, k) => [k, k % 7]),
    );
    expect(stepsOf({ from: 500, to: 509 })).toEqual([500, 501, 502, 503, 504, 505, 506, 507, 508, 509]);
    expect(stepsOf({ from: 2000 })).toEqual([]);
  });

  it('takes a window of time since the run began', () => {
    write(
      runs[0]!,
      Array.from({ length: 100 }, (_, k) => [k, k]),
    );
    expect(stepsOf({ x: 'time', from: 200, to: 230 })).toEqual([20, 21, 22, 23]);
  });

  it('leaves what has no place on a logarithmic axis out and counts it', () => {
    write(runs[0]!, [[0, 1], [1, 0], [2, -1], [3, NaN], [4, Infinity], [5, -Infinity], [6, 2]]); // prettier-ignore
    expect(sample()).toMatchObject({ numPoints: 4, notFinite: 3, notPositive: 2 });
    expect(stepsOf()).toEqual([0, 1, 2, 6]);
    expect(stepsOf({ onlyPositive: true })).toEqual([0, 6]);
    expect(sample({ onlyPositive: true }).numPoints).toBe(2);
    expect(stepsOf({ isLog: true })).toEqual([1, 2, 6]);
  });

  it('has buckets of equal width on a logarithmic axis when asked', () => {
    write(
      runs[0]!,
      Array.from({ length: 10_000 }, (_, k) => [k, k]),
    );
    const early = stepsOf({ isLog: true }).filter((step) => step <= 100);
    expect(early.length).toBeGreaterThanOrEqual(8);
    expect(stepsOf().filter((step) => step <= 100).length).toBeLessThanOrEqual(1);
  });

  it('of a series that is not there is empty', () => {
    expect(sample()).toEqual({ points: [], numPoints: 0, notFinite: 0, notPositive: 0 });
    expect(reader.curveOrigin(runs[0]!)).toBeNull();
  });
});

describe('the mean of several curves', () => {
  beforeEach(() => {
    write(runs[0]!, [[1, 1e9 + 1], [2, 10], [3, 7]], 10); // prettier-ignore
    write(runs[1]!, [[1, 1e9 + 2], [2, NaN]], 20); // prettier-ignore
    write(runs[2]!, [[1, 1e9 + 3], [2, 20], [4, -Infinity]], 30); // prettier-ignore
  });

  it('is exact at every step that any has, over those that have a finite value there', () => {
    expect(reader.meanCurve(runs.slice(0, 3), 'loss')).toEqual([
      { step: 1, time: 20, mean: 1e9 + 2, std: 1, min: 1e9 + 1, max: 1e9 + 3, n: 3 },
      { step: 2, time: 40, mean: 15, std: Math.sqrt(50), min: 10, max: 20, n: 2 },
      { step: 3, time: 30, mean: 7, std: null, min: 7, max: 7, n: 1 },
    ]);
    expect(reader.countNotFinite(runs.slice(0, 3), 'loss')).toBe(2);
  });

  it('is kept until something is written', () => {
    const before = reader.meanCurve(runs.slice(0, 2), 'loss');
    expect(reader.meanCurve(runs.slice(0, 2), 'loss')).toBe(before);
    const [attemptId] = reader.attemptIds(runs[1]!);
    writer.points(attemptId!, [{ series: 'loss', step: 3, value: 9, time: 0 }]);
    expect(reader.meanCurve(runs.slice(0, 2), 'loss').at(-1)).toMatchObject({ step: 3, mean: 8, n: 2 });
  });

  it('ends as its last point says, which is made without the others', () => {
    expect(reader.lastMean(runs.slice(0, 2), 'loss')).toEqual(reader.meanCurve(runs.slice(0, 2), 'loss').at(-1));
    expect(reader.lastMean(runs.slice(0, 3), 'loss'), 'nothing finite at the last step').toBeNull();
    expect(reader.lastMean([], 'loss')).toBeNull();
  });
});
