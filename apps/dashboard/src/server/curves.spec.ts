import { describe, expect, it } from 'vitest';
import { debiasedEma, inBuckets, notOffered } from './curves.js';

const linear = { log: [] } as const;

describe('debiasedEma', () => {
  it('keeps a constant from its first value on', () => {
    for (const value of debiasedEma([3, 3, 3, 3], 0.9)) expect(value).toBeCloseTo(3, 12);
  });

  it('weighs what came before as the formula says, and passes over what is not finite', () => {
    const [first, second, third] = debiasedEma([1, NaN, 2], 0.5);
    expect([first, second]).toEqual([1, 1]);
    expect(third).toBeCloseTo((0.5 * 0.5 * 1 + 0.5 * 2) / (1 - 0.25), 12);
  });
});

describe('inBuckets', () => {
  const points = Array.from({ length: 1000 }, (_, k) => ({ x: k, mean: k === 555 ? 9 : k % 3, low: -k, high: k, n: k < 990 ? 3 : 2 })); // prettier-ignore

  it('leaves a short curve as it is', () => {
    expect(inBuckets(points, linear, 500)).toBe(points);
  });

  it('keeps the extremes of each bucket, with the widest band and the fewest seeds of it', () => {
    const kept = inBuckets(points, linear, 10);
    expect(kept).toHaveLength(20);
    expect(kept).toContainEqual({ x: 555, mean: 9, low: -599, high: 599, n: 3 });
    expect(kept.at(-1)).toMatchObject({ low: -999, high: 999, n: 2 });
    expect(kept.map(({ x }) => x)).toEqual(kept.map(({ x }) => x).toSorted((a, b) => a - b));
  });

  it('has buckets of equal width on a logarithmic axis', () => {
    const positive = points.slice(1);
    expect(inBuckets(positive, { log: ['x'] }, 10).filter(({ x }) => x < 100).length).toBeGreaterThan(8);
    expect(inBuckets(positive, linear, 10).filter(({ x }) => x < 100).length).toBeLessThan(3);
  });
});

describe('notOffered', () => {
  it('says which axes no run has numbers for, once one has begun', () => {
    const run = { attempts: 1, stepsPerEpoch: null, batchSize: 32 };
    expect(Object.keys(notOffered([run]))).toEqual(['epoch']);
    expect(notOffered([{ ...run, attempts: 0 }])).toEqual({});
    expect(notOffered([{ ...run, stepsPerEpoch: 10 }])).toEqual({});
    expect(notOffered([run, { ...run, stepsPerEpoch: 10 }])).toEqual({});
  });
});
