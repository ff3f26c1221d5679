import { describe, expect, it } from 'vitest';
import { scheduleFactor } from './settings.js';

describe('scheduleFactor', () => {
  const at = (schedule: 'constant' | 'linear' | 'cosine', step: number): number =>
    scheduleFactor({ schedule, warmupSteps: 10 }, { step, totalSteps: 110 });

  it('rises linearly over the warm-up', () => {
    expect([1, 5, 10].map((step) => at('cosine', step))).toEqual([0.1, 0.5, 1]);
  });

  it('stays, or falls to zero at the last step', () => {
    expect(at('constant', 110)).toBe(1);
    expect([60, 110].map((step) => at('linear', step))).toEqual([0.5, 0]);
    expect(at('cosine', 60)).toBeCloseTo(0.5, 12);
    expect(at('cosine', 110)).toBeCloseTo(0, 12);
    expect(at('cosine', 35)).toBeCloseTo((1 + Math.SQRT1_2) / 2, 12);
  });
});
