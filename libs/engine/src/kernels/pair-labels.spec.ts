import { describe, expect, it } from 'vitest';
import { pairLabels } from './pair-labels.js';

describe('pairLabels', () => {
  it('puts the label of the row first, and 0 for what was drawn', () => {
    const { y, w } = pairLabels({ size: 2, numPairs: 6, labels: Float32Array.of(0, 1) });
    expect([...y]).toEqual([0, 0, 0, 1, 0, 0]);
    expect(w).toBeNull();
    expect([...pairLabels({ size: 2, numPairs: 4, labels: null }).y]).toEqual([1, 0, 1, 0]);
  });

  it('weighs the rows, and what was drawn by 1', () => {
    const { w } = pairLabels({ size: 2, numPairs: 4, labels: null, weights: Float32Array.of(3, 0) });
    expect([...(w ?? [])]).toEqual([3, 1, 0, 1]);
  });

  it('labels no pairs of no rows', () => {
    expect(pairLabels({ size: 0, numPairs: 0, labels: null }).y).toHaveLength(0);
  });
});
