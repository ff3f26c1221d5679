import type { PreparedData } from '@towerbench/data';
import { createRng } from '@towerbench/engine';
import { describe, expect, it } from 'vitest';
import { samplers } from './catalog.js';

const data = {
  numItems: 10,
  itemCounts: Int32Array.of(6, 3, 1, 0, 0, 0, 0, 0, 0, 0),
  train: {
    user: Int32Array.of(0, 0, 0, 1),
    item: Int32Array.of(0, 1, 2, 0),
    label: null,
    historyEnd: new Int32Array(4),
  },
} as unknown as PreparedData;

describe('in-batch', () => {
  it('has the shares of the training interactions as sampling probabilities, and never −∞', () => {
    const { logSamplingProbability } = samplers.get('in-batch').build({ params: {}, data });
    expect(logSamplingProbability?.[0]).toBeCloseTo(Math.log(0.6), 6);
    expect(logSamplingProbability?.[2]).toBeCloseTo(Math.log(0.1), 6);
    expect(logSamplingProbability?.[9]).toBeCloseTo(Math.log(0.1), 6);
  });
});

describe('uniform', () => {
  const { params, build } = samplers.get('uniform');
  const draw = (options: object, users: Int32Array, seed: number): Int32Array =>
    build({ params: params.parse(options), data }).draw(users, createRng(seed));

  it('draws every other item equally often and never a known positive', () => {
    const items = draw({ numNegatives: 10_000 }, Int32Array.of(0), 1);
    const counts = new Array<number>(10).fill(0);
    for (const item of items) counts[item] = (counts[item] as number) + 1;
    expect(counts.slice(0, 3)).toEqual([0, 0, 0]);
    const chiSquare = counts.slice(3).reduce((sum, count) => sum + (count - 10_000 / 7) ** 2 / (10_000 / 7), 0);
    expect(chiSquare).toBeLessThan(22.5); // 6 degrees of freedom, p = .001
  });

  it('draws positives too when told to', () => {
    expect([...draw({ numNegatives: 200, excludePositives: false }, Int32Array.of(0), 1)]).toContain(0);
  });

  it('is a function of its generator', () => {
    const users = Int32Array.of(0, 1, 0);
    expect(draw({}, users, 4)).toEqual(draw({}, users, 4));
    expect(draw({}, users, 4)).not.toEqual(draw({}, users, 5));
    expect(draw({}, users, 4).length).toBe(12);
  });

  it('ends even for a user who has seen everything', () => {
    const full = { ...data, numItems: 1, train: { ...data.train, user: Int32Array.of(0), item: Int32Array.of(0) } };
    expect([
      ...build({ params: params.parse({ numNegatives: 2 }), data: full }).draw(Int32Array.of(0), createRng(1)),
    ]).toEqual([0, 0]);
  });
});
