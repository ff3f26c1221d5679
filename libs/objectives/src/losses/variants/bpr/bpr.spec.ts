import { readFileSync } from 'node:fs';
import { createRng, startEngine } from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { lossOfScores } from '../../loss-of-scores.js';
import { definition } from './bpr.js';

interface Golden {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly params: object;
    readonly positive: readonly number[];
    readonly negatives: readonly (readonly number[])[];
    readonly loss: number;
  }[];
}
const golden = JSON.parse(readFileSync(new URL('./bpr.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('simd'));

describe('bpr', () => {
  const lossOf = (
    scores: { readonly positive: readonly number[]; readonly negatives: readonly (readonly number[])[] },
    params: object = {},
    changes: Parameters<typeof lossOfScores>[2] = {},
  ): number =>
    lossOfScores(definition.build({ params: definition.params.parse(params), rng: createRng(0) }), scores, changes);

  it.each(golden.cases)('gives the worked example with $params', ({ params, loss, ...scores }) => {
    expect(Math.abs(lossOf(scores, params) - loss)).toBeLessThan(golden.tolerance);
  });

  it('is a mean over pairs: an example more or a negative more of the same changes nothing', () => {
    const one = lossOf({ positive: [0.3], negatives: [[0.1]] });
    expect(lossOf({ positive: [0.3, 0.3, 0.3], negatives: [[0.1], [0.1], [0.1]] })).toBeCloseTo(one, 6);
    expect(lossOf({ positive: [0.3], negatives: [[0.1, 0.1]] })).toBeCloseTo(one, 6);
  });

  it('stays finite for a negative that is far ahead', () => {
    expect(lossOf({ positive: [-500], negatives: [[500]] })).toBeCloseTo(1000, 3);
  });
});
