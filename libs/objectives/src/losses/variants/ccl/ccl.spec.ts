import { readFileSync } from 'node:fs';
import { createRng, startEngine } from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { lossOfScores } from '../../loss-of-scores.js';
import { definition } from './ccl.js';

interface Golden {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly params: object;
    readonly positive: readonly number[];
    readonly negatives: readonly (readonly number[])[];
    readonly loss: number;
  }[];
}
const golden = JSON.parse(readFileSync(new URL('./ccl.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('simd'));

describe('ccl', () => {
  const lossOf = (
    scores: { readonly positive: readonly number[]; readonly negatives: readonly (readonly number[])[] },
    params: object = {},
    changes: Parameters<typeof lossOfScores>[2] = {},
  ): number =>
    lossOfScores(definition.build({ params: definition.params.parse(params), rng: createRng(0) }), scores, changes);

  it.each(golden.cases)('gives the worked example with $params', ({ params, loss, ...scores }) => {
    expect(Math.abs(lossOf(scores, params) - loss)).toBeLessThan(golden.tolerance);
  });

  it('costs nothing where the positive is at 1 and no negative is above the margin', () => {
    expect(lossOf({ positive: [1], negatives: [[0.9, -1]] })).toBeCloseTo(0, 5);
  });

  it('weighs the mean of the negatives, however many there are', () => {
    const two = lossOf({ positive: [0.7], negatives: [[0.95, 0.2]] });
    expect(lossOf({ positive: [0.7], negatives: [[0.95, 0.2, 0.95, 0.2]] })).toBeCloseTo(two, 5);
  });
});
