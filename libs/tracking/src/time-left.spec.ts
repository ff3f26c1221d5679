import { describe, expect, it } from 'vitest';
import { timeLeft } from './time-left.js';

describe('timeLeft', () => {
  it('cannot tell before anything has moved', () => {
    const running = [{ seconds: 3, share: 0.01, begunAt: 0 }];
    expect(timeLeft({ finished: [], running, waiting: 4, jobs: 1 })).toBeNull();
  });

  it('extrapolates a run under way and takes the waiting ones for as long', () => {
    const running = [{ seconds: 5, share: 0.5, begunAt: 0 }];
    expect(timeLeft({ finished: [], running, waiting: 2, jobs: 1 })).toEqual({ ofSweep: 25, ofRuns: [5] });
  });

  it('takes a run that has hardly begun for as long as the others', () => {
    const running = [{ seconds: 2, share: 0, begunAt: 0 }];
    expect(timeLeft({ finished: [10], running, waiting: 0, jobs: 1 })).toEqual({ ofSweep: 8, ofRuns: [8] });
  });

  it('counts what an attempt has done itself, not what it went on from', () => {
    const running = [{ seconds: 1, share: 0.6, begunAt: 0.5 }];
    expect(timeLeft({ finished: [], running, waiting: 0, jobs: 1 })?.ofSweep).toBeCloseTo(4);
    const begun = [{ seconds: 1, share: 0.5, begunAt: 0.5 }];
    expect(timeLeft({ finished: [10], running: begun, waiting: 0, jobs: 1 })?.ofSweep).toBeCloseTo(4);
  });

  it('spreads what is left over the jobs', () => {
    expect(timeLeft({ finished: [10, 20], running: [], waiting: 4, jobs: 2 })?.ofSweep).toBeCloseTo(30);
  });

  it('is not shorter than the longest run under way', () => {
    const running = [
      { seconds: 1, share: 0.1, begunAt: 0 },
      { seconds: 9, share: 0.9, begunAt: 0 },
    ];
    const left = timeLeft({ finished: [], running, waiting: 0, jobs: 8 });
    expect(left?.ofSweep).toBeCloseTo(9);
    expect(left?.ofRuns[1]).toBeCloseTo(1);
  });

  it('is zero when nothing is left', () => {
    expect(timeLeft({ finished: [4], running: [], waiting: 0, jobs: 2 })?.ofSweep).toBe(0);
  });
});
