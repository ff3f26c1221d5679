import { describe, expect, it } from 'vitest';
import { differences } from './differences.mjs';

const row = (/** @type {string} */ variant, /** @type {number} */ seed, /** @type {number} */ auc) => ({
  ...{ variant, seed, metrics: { 'test/auc': auc } },
});

describe('differences', () => {
  it('compares the figures of one seed by variant, to the bit', () => {
    const committed = [row('base', 1, 0.1), row('base', 2, 0.2), row('gate', 1, 0.3), row('dat', 1, 0.4)];
    const repeated = [row('gate', 1, 0.3 + 2 ** -54), row('base', 1, 0.1), row('gate', 2, 0.3)];
    expect(differences(committed, repeated, 1)).toEqual({
      equal: 1,
      differences: ['gate  test/auc was 0.3, is 0.30000000000000004 now', 'dat  test/auc was 0.4, is not there now'],
    });
  });
});
