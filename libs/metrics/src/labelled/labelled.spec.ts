import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auc, groupedAuc, logLoss } from './labelled.js';

describe('auc', () => {
  it('equals the count of ordered pairs, ties half', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { minLength: 2, maxLength: 40 }),
        (rows) => {
          const scores = Float32Array.from(rows, ([score]) => score);
          const labels = Uint8Array.from(rows, ([, label]) => (label ? 1 : 0));
          const pairs = rows.flatMap(([p, isPositive]) =>
            isPositive ? rows.filter(([, other]) => !other).map(([n]) => (p > n ? 1 : p === n ? 0.5 : 0)) : [],
          );
          const expected = pairs.reduce((a: number, b) => a + b, 0) / pairs.length;
          if (pairs.length === 0) expect(auc(scores, labels)).toBeNaN();
          else expect(auc(scores, labels)).toBeCloseTo(expected, 9);
        },
      ),
    );
  });

  it('refuses NaN', () => {
    expect(() => auc(Float32Array.of(1, NaN), Uint8Array.of(0, 1))).toThrow('auc: a score is NaN');
  });
});

describe('groupedAuc', () => {
  it('weighs each user by their rows and leaves out those with one class', () => {
    const users = Int32Array.of(7, 3, 7, 3, 7, 5, 5); // 7: one pair right, one wrong; 3: right; 5: one class
    const labels = Uint8Array.of(1, 0, 0, 1, 0, 1, 1);
    const scores = Float32Array.of(0.5, 0.1, 0.4, 0.2, 0.9, 0.3, 0.7);
    expect(groupedAuc(scores, labels, users)).toBeCloseTo((3 * 0.5 + 2 * 1) / 5, 9);
  });

  it('does not see what only differs between users, and is the AUC of a single one', () => {
    const labels = Uint8Array.of(1, 0, 1, 0);
    const scores = Float32Array.of(0.2, 0.1, 5.2, 5.1);
    expect(groupedAuc(scores, labels, Int32Array.of(0, 0, 1, 1))).toBe(1);
    expect(groupedAuc(scores, labels, new Int32Array(4))).toBe(auc(scores, labels));
    expect(auc(scores, labels)).toBeLessThan(1);
  });

  it('is NaN when no user has both classes', () => {
    expect(groupedAuc(Float32Array.of(1, 2), Uint8Array.of(0, 1), Int32Array.of(0, 1))).toBeNaN();
  });
});

describe('logLoss', () => {
  it('is log 2 for zero logits and stays finite far out', () => {
    expect(logLoss(Float32Array.of(0, 0), Uint8Array.of(0, 1))).toBeCloseTo(Math.LN2, 9);
    expect(logLoss(Float32Array.of(1000, -1000), Uint8Array.of(1, 0))).toBe(0);
    expect(logLoss(Float32Array.of(1000), Uint8Array.of(0))).toBe(1000);
  });
});
