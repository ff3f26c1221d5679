import { describe, expect, it } from 'vitest';
import { expectClose } from './close.js';

describe('expectClose', () => {
  it('accepts a difference that is exactly the tolerance and refuses the next larger one', () => {
    expectClose(1.5, 1, { absolute: 0.5 });
    expectClose(3, 2, { relative: 0.5 });
    expect(() => expectClose(1.5000001, 1, { absolute: 0.5 })).toThrow('exceeds absolute 0.5');
  });

  it('adds the relative and the absolute part', () => {
    expectClose(4, 2, { relative: 0.5, absolute: 1 });
    expect(() => expectClose(4.1, 2, { relative: 0.5, absolute: 1 })).toThrow();
  });

  it('measures the relative part on the expected value, also when it is negative', () => {
    expectClose(-2.2, -2, { relative: 0.1000001 });
    expect(() => expectClose(1, 0, { relative: 10 })).toThrow();
  });

  it('is exact without a tolerance', () => {
    expectClose(0.3, 0.3);
    expect(() => expectClose(0.1 + 0.2, 0.3)).toThrow();
  });

  it('treats NaN and the infinities as equal to themselves only', () => {
    const everything = { absolute: Infinity };
    for (const value of [NaN, Infinity, -Infinity]) {
      expectClose(value, value);
      for (const other of [NaN, Infinity, -Infinity, 0]) {
        if (!Object.is(value, other)) expect(() => expectClose(value, other, everything)).toThrow();
        if (!Object.is(value, other)) expect(() => expectClose(other, value, everything)).toThrow();
      }
    }
  });

  it('takes −0 for 0', () => {
    expectClose(-0, 0);
  });

  it('names the worst element of an array, both values and the tolerance', () => {
    expect(() => expectClose(Float32Array.of(1, 2.5, 3.25), [1, 2, 3], { absolute: 0.125 })).toThrow(
      'element 1 is 2.5, expected 2: the difference 0.5 exceeds absolute 0.125 + relative 0 · |expected|',
    );
  });

  it('refuses arrays of different lengths and an array beside a number', () => {
    expect(() => expectClose([1, 2], [1], { absolute: 9 })).toThrow('actual has 2 elements, expected has 1');
    expect(() => expectClose([1], 1)).toThrow('expected is a number, actual is an array');
  });

  it('refuses a tolerance that is negative or NaN', () => {
    expect(() => expectClose(1, 1, { absolute: -1 })).toThrow(RangeError);
    expect(() => expectClose(1, 1, { relative: NaN })).toThrow('relative is NaN');
  });
});
