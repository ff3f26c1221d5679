import { describe, expect, it } from 'vitest';
import { secondsLeft } from './time-left.js';

describe('secondsLeft', () => {
  it('cannot tell before anything has moved', () => {
    expect(secondsLeft({ finished: [], running: [{ seconds: 3, share: 0.01 }], waiting: 4, jobs: 1 })).toBeNull();
  });

  it('extrapolates a run under way and takes the waiting ones for as long', () => {
    expect(secondsLeft({ finished: [], running: [{ seconds: 5, share: 0.5 }], waiting: 2, jobs: 1 })).toBeCloseTo(25);
  });

  it('spreads what is left over the jobs', () => {
    expect(secondsLeft({ finished: [10, 20], running: [], waiting: 4, jobs: 2 })).toBeCloseTo(30);
  });

  it('is not shorter than the longest run under way', () => {
    const running = [
      { seconds: 1, share: 0.1 },
      { seconds: 9, share: 0.9 },
    ];
    expect(secondsLeft({ finished: [], running, waiting: 0, jobs: 8 })).toBeCloseTo(9);
  });

  it('is zero when nothing is left', () => {
    expect(secondsLeft({ finished: [4], running: [], waiting: 0, jobs: 2 })).toBe(0);
  });
});
