import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FLOAT32_GAP, gradientGap } from './gradient.js';

const fround = Math.fround;

/** log Σ exp(x), every step rounded to float32, and its gradient: the softmax. */
const logSumExp = (x: Float32Array): number => {
  const max = Math.max(...x);
  let sum = 0;
  for (const value of x) sum = fround(sum + fround(Math.exp(fround(value - max))));
  return fround(max + fround(Math.log(sum)));
};
const softmax = (x: Float32Array): number[] => {
  const total = logSumExp(x);
  return [...x].map((value) => Math.exp(value - total));
};
const points = fc.float32Array({ minLength: 1, maxLength: 12, min: -4, max: 4, noNaN: true });

describe('gradientGap', () => {
  it('is small for the right gradient of a float32 function, at any point', () => {
    fc.assert(
      fc.property(points, (at) => {
        expect(gradientGap({ f: logSumExp, gradient: softmax, at })).toBeLessThan(FLOAT32_GAP);
      }),
    );
  });

  it('stays small when a large constant swallows most of the digits of a small gradient', () => {
    fc.assert(
      fc.property(points, (at) => {
        const f = (x: Float32Array) => fround(1000 + fround(logSumExp(x) / 100));
        const gradient = (x: Float32Array) => softmax(x).map((value) => value / 100);
        expect(gradientGap({ f, gradient, at })).toBeLessThan(FLOAT32_GAP);
      }),
    );
  });

  it('is as large for the mean over a big batch as for one example, when the factor is wrong', () => {
    const at = Float32Array.of(0.5, -1, 2);
    for (const batch of [1, 4096]) {
      const f = (x: Float32Array) => logSumExp(x) / batch;
      const gradient = (x: Float32Array) => softmax(x).map((value) => (1.1 * value) / batch);
      expect(gradientGap({ f, gradient, at })).toBeGreaterThan(10 * FLOAT32_GAP);
    }
  });

  it.each([
    ['a sign', (g: number[]) => g.map((value) => -value)],
    ['a factor of 1.1', (g: number[]) => g.map((value) => 1.1 * value)],
    ['the order of elements', (g: number[]) => g.toReversed()],
    ['one element', (g: number[]) => g.map((value, i) => (i === 1 ? 0 : value))],
  ])('is ten tolerances or more when %s is wrong', (_, wrong) => {
    const at = Float32Array.of(0.5, 0.25, 1);
    const gradient = (x: Float32Array) => wrong(softmax(x));
    expect(gradientGap({ f: logSumExp, gradient, at })).toBeGreaterThan(10 * FLOAT32_GAP);
  });

  it('is 0 for a constant function with a gradient of zeros', () => {
    expect(gradientGap({ f: () => 3, gradient: (x) => new Float32Array(x.length), at: Float32Array.of(1, 2) })).toBe(0);
  });

  it('is NaN, which no tolerance accepts, when the function or the gradient is NaN', () => {
    const at = Float32Array.of(1, 2);
    expect(gradientGap({ f: logSumExp, gradient: () => [NaN, 0], at })).toBeNaN();
    expect(gradientGap({ f: () => NaN, gradient: softmax, at })).toBeNaN();
  });

  it('leaves the point as it is, even when the function writes into its argument', () => {
    const at = Float32Array.of(1, 2);
    gradientGap({ f: (x) => x.fill(0).length, gradient: (x) => x.fill(0), at });
    expect([...at]).toEqual([1, 2]);
  });

  it('refuses a gradient of another length and a step that is not positive', () => {
    const at = Float32Array.of(1, 2);
    expect(() => gradientGap({ f: logSumExp, gradient: () => [1], at })).toThrow(
      'gradientGap: the gradient has 1 elements, the point has 2.',
    );
    expect(() => gradientGap({ f: logSumExp, gradient: softmax, at, step: 0 })).toThrow('step is 0');
  });
});
