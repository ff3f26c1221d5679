import { describe, expect, it } from 'vitest';
import type { Interactions } from './contract.js';
import { sampleWeights } from './sample-weights.js';

const interactions: Interactions = {
  user: new Int32Array(6),
  item: new Int32Array(6),
  time: null,
  rating: Float32Array.of(1, 2, 3, 4, 5, 5),
  label: null,
  numbers: { watched: Float32Array.of(10, 20, 30, 40, 1000, -1), nothing: new Float32Array(6) },
};

describe('sampleWeights', () => {
  const of = (rows: readonly number[], sampleWeight: string | null, sampleWeightClip: number | null = null) =>
    sampleWeights(interactions, Int32Array.from(rows), { sampleWeight, sampleWeightClip });

  it('are 1 on average over the training rows, whatever the others hold', () => {
    expect([...(of([1, 3], 'rating') ?? [])]).toEqual([Math.fround(2 / 3), Math.fround(4 / 3)]);
    expect(of([0, 1, 2, 3, 4], 'watched')?.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(5, 5);
    expect(of([0, 1], null)).toBeNull();
  });

  it('are clipped at a percentile of the training rows before they are divided by their mean', () => {
    const clipped = of([0, 1, 2, 3, 4], 'watched', 80) as Float32Array; // the fourth of five: 40
    expect((clipped[4] as number) / (clipped[0] as number)).toBeCloseTo(4, 5);
    expect(clipped[4]).toBe(clipped[3]);
    expect(of([0, 1, 2, 3, 4], 'watched', 100)).toEqual(of([0, 1, 2, 3, 4], 'watched'));
  });

  it('says which column is missing, and what is wrong with one', () => {
    expect(() => of([0], 'clicks')).toThrow('have no numbers called "clicks"\n  allowed  rating, watched, nothing');
    expect(() => of([4, 5], 'watched')).toThrow('"watched" is negative or unknown in 1 of 2 training rows');
    expect(() => of([0], 'nothing')).toThrow('"nothing" is 0 in every training row');
    expect(() =>
      sampleWeights({ ...interactions, rating: null, numbers: {} }, Int32Array.of(0), {
        sampleWeight: 'x',
        sampleWeightClip: null,
      }),
    ).toThrow('null: there is no column to weigh by');
  });
});
