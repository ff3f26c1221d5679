import { describe, expect, it } from 'vitest';
import { band, thin } from './curves.js';

const curve = (steps: readonly number[], value: (step: number) => number) =>
  steps.map((step) => ({ step, value: value(step), time: step * 10 }));
const upTo = (length: number) => Array.from({ length }, (_, i) => i + 1);

describe('thin', () => {
  it('leaves a short curve as it is', () => {
    const points = curve([1, 2, 3], (step) => step);
    expect(thin(points, 3)).toBe(points);
  });

  it('averages neighbours and keeps the last step and time of each bucket', () => {
    expect(
      thin(
        curve(upTo(5), (step) => step),
        3,
      ),
    ).toEqual([
      { step: 2, value: 1.5, time: 20 },
      { step: 4, value: 3.5, time: 40 },
      { step: 5, value: 5, time: 50 },
    ]);
  });
});

describe('band', () => {
  it('gives mean, extremes and the number of seeds at every step that any seed has', () => {
    const first = curve([10, 20], (step) => step);
    const second = curve([10, 20, 30], (step) => step + 2);
    expect(band([first, second])).toEqual([
      { step: 10, mean: 11, min: 10, max: 12, n: 2 },
      { step: 20, mean: 21, min: 20, max: 22, n: 2 },
      { step: 30, mean: 32, min: 32, max: 32, n: 1 },
    ]);
  });

  it('leaves out what is not finite', () => {
    expect(band([curve([1, 2, 3], (step) => [0, NaN, Infinity, 7][step] ?? 0)])).toEqual([
      { step: 3, mean: 7, min: 7, max: 7, n: 1 },
    ]);
  });

  it('keeps the seeds of a long curve together when one of them is still at work', () => {
    const whole = curve(upTo(1000), () => 1);
    const half = curve(upTo(500), () => 3);
    const points = band([whole, half], 100);
    expect(points).toHaveLength(100);
    expect(points[0]).toEqual({ step: 10, mean: 2, min: 1, max: 3, n: 2 });
    expect(points.filter(({ n }) => n === 2)).toHaveLength(50);
    expect(points.at(-1)).toEqual({ step: 1000, mean: 1, min: 1, max: 1, n: 1 });
  });

  it('is empty without curves', () => {
    expect(band([])).toEqual([]);
    expect(band([[]])).toEqual([]);
  });
});
