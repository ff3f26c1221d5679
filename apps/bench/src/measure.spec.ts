import { describe, expect, it } from 'vitest';
import { measureInTurns, measureWindow, median, rateFields } from './measure.js';

describe('measureWindow', () => {
  it('does the work once where the window is empty, and again until it is over', () => {
    expect(measureWindow({ run: () => 7 }, 0)).toMatchObject({ amount: 7 });
    let calls = 0;
    const { amount, seconds, cpuSeconds } = measureWindow({ run: () => (calls++, 2) }, 0.05);
    expect(amount).toBe(2 * calls);
    expect(calls).toBeGreaterThan(1);
    expect(seconds).toBeGreaterThanOrEqual(0.05);
    expect(cpuSeconds).toBeGreaterThan(0);
  });
});

describe('measureInTurns', () => {
  it('warms every subject up, then goes round and round', () => {
    let order = '';
    const subject = (name: string) => ({ unit: 'steps', facts: {}, run: () => ((order += name), 1) });
    const windows = measureInTurns([subject('a'), subject('b')], { windows: 3, windowSeconds: 0 });
    expect(order).toBe('abababab');
    expect(windows.map((all) => all.length)).toEqual([3, 3]);
  });
});

describe('rateFields', () => {
  it('gives medians per second and per second of processor time, and the range of the latter', () => {
    const windows = [1, 2, 9].map((amount) => ({ amount, seconds: 2, cpuSeconds: 1 }));
    expect(rateFields('examples', windows)).toMatchObject({
      examples_per_second: 1,
      examples_per_cpu_second: 2,
      examples_per_cpu_second_range: [1, 9],
      windows: 3,
    });
  });
});

describe('median', () => {
  it('is the middle one, or between the two in the middle', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 2, 10])).toBe(3);
    expect(median([])).toBeNaN();
  });
});
