import { describe, expect, it } from 'vitest';
import { examine } from './acceptance.mjs';

const rows = [1, 2, 3].flatMap((seed) => [
  { variant: 'base', seed, metrics: { 'test/auc': 0.7 + seed / 100 }, series: {} },
  {
    variant: 'gate',
    seed,
    metrics: { 'test/auc': 0.75 + seed / 100 + (seed === 3 ? 0.003 : 0) },
    series: { 'valid/gate/query/a': 1.5, 'valid/gate/query/b': seed / 20 },
  },
]);

/** @param {Omit<import('./acceptance.mjs').Requirement, 'variant'>} requirement */
const outcomes = (requirement) => examine({ variant: 'gate', ...requirement }, rows).map(({ reached }) => reached);

describe('examine', () => {
  it('compares the mean over seeds with its bounds, which are inclusive', () => {
    expect(outcomes({ metric: 'test/auc', atLeast: 0.77 })).toEqual([true]);
    expect(outcomes({ metric: 'test/auc', atLeast: 0.772 })).toEqual([false]);
    expect(outcomes({ metric: 'test/auc', atLeast: 0.77, atMost: 0.7705 })).toEqual([false]);
  });

  it('compares the difference seed by seed, and the upper end of its interval', () => {
    // differences .05, .05, .053: mean .051, half width 4.303 · .001732 / √3 = .0043
    expect(outcomes({ minus: 'base', metric: 'test/auc', atLeast: 0.051, atMost: 0.0511 })).toEqual([true]);
    expect(outcomes({ minus: 'base', metric: 'test/auc', upper95AtMost: 0.0554 })).toEqual([true]);
    expect(outcomes({ minus: 'base', metric: 'test/auc', upper95AtMost: 0.0552 })).toEqual([false]);
  });

  it('asks of every series that matches, and misses where none does', () => {
    expect(outcomes({ series: 'valid/gate/query/.', atMost: 0.2 })).toEqual([false, true]);
    expect(outcomes({ series: 'valid/gate/query', atMost: 9 })).toEqual([false]);
  });

  it('misses what was not measured, and a requirement without a bound', () => {
    expect(outcomes({ metric: 'test/hr@10', atLeast: -1 })).toEqual([false]);
    expect(outcomes({ minus: 'nobody', metric: 'test/auc', atLeast: -1 })).toEqual([false]);
    expect(outcomes({ metric: 'test/auc' })).toEqual([false]);
  });
});
