import { readFileSync } from 'node:fs';
import { createRng, startEngine } from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { lossOfScores } from '../../loss-of-scores.js';
import { definition } from './logistic.js';

interface Golden {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly params: object;
    readonly positive: readonly number[];
    readonly negatives: readonly (readonly number[])[];
    readonly loss: number;
  }[];
}
const golden = JSON.parse(readFileSync(new URL('./logistic.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('simd'));

describe('logistic', () => {
  const lossOf = (
    scores: { readonly positive: readonly number[]; readonly negatives: readonly (readonly number[])[] },
    params: object = {},
    changes: Parameters<typeof lossOfScores>[2] = {},
  ): number =>
    lossOfScores(definition.build({ params: definition.params.parse(params), rng: createRng(0) }), scores, changes);

  it.each(golden.cases)('gives the worked example with $params', ({ params, loss, ...scores }) => {
    expect(Math.abs(lossOf(scores, params) - loss)).toBeLessThan(golden.tolerance);
  });

  it('takes each pair by itself, and their mean', () => {
    const first = lossOf({ positive: [0.3], negatives: [[0.1]] });
    const second = lossOf({ positive: [-0.4], negatives: [[0.9]] });
    expect(lossOf({ positive: [0.3, -0.4], negatives: [[0.1], [0.9]] })).toBeCloseTo((first + second) / 2, 5);
  });
});
