import { describe, expect, it } from 'vitest';
import { scaleOf, tickText } from './scale.js';

describe('scaleOf', () => {
  it('puts the least value at 0, the greatest at 1, and finds the value of a place again', () => {
    const scale = scaleOf([3, NaN, 7, 5]);
    expect([scale.at(3), scale.at(5), scale.at(7)]).toEqual([0, 0.5, 1]);
    expect(scale.valueAt(0.25)).toBeCloseTo(4, 12);
    expect(scale.ticks).toEqual([3, 4, 5, 6, 7]);
  });

  it('has equal room for equal factors when it is logarithmic', () => {
    const scale = scaleOf([0.0001, 1], { isLog: true });
    expect(scale.at(0.01)).toBeCloseTo(0.5, 12);
    expect(scale.valueAt(0.75)).toBeCloseTo(0.1, 12);
    expect(scale.ticks).toEqual([0.0001, 0.001, 0.01, 0.1, 1]);
  });

  it('is linear when a value is not above 0, whatever was asked', () => {
    expect(scaleOf([0, 10], { isLog: true }).isLog).toBe(false);
  });

  it('has room around equal values, and around none', () => {
    expect(scaleOf([2, 2]).at(2)).toBeCloseTo(0.5, 12);
    expect(scaleOf([]).domain).toEqual([0, 1]);
  });

  it('has ticks that are short decimals', () => {
    expect(scaleOf([0, 0.5]).ticks).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5]);
  });
});

describe('tickText', () => {
  it('is short', () => {
    expect([0.001, 0.00001, 12_000, 2_500_000, -0.5, 0].map(tickText)).toEqual(['0.001', '1e−5', '12,000', '2.5M', '−0.5', '0']); // prettier-ignore
  });
});
