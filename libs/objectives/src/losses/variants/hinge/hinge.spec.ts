import { readFileSync } from 'node:fs';
import { createRng, startEngine } from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { lossOfScores } from '../../loss-of-scores.js';
import { definition } from './hinge.js';

interface Golden {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly params: object;
    readonly positive: readonly number[];
    readonly negatives: readonly (readonly number[])[];
    readonly loss: number;
  }[];
}
const golden = JSON.parse(readFileSync(new URL('./hinge.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('simd'));

describe('hinge', () => {
  const lossOf = (
    scores: { readonly positive: readonly number[]; readonly negatives: readonly (readonly number[])[] },
    params: object = {},
    changes: Parameters<typeof lossOfScores>[2] = {},
  ): number =>
    lossOfScores(definition.build({ params: definition.params.parse(params), rng: createRng(0) }), scores, changes);

  it.each(golden.cases)('gives the worked example with $params', ({ params, loss, ...scores }) => {
    expect(Math.abs(lossOf(scores, params) - loss)).toBeLessThan(golden.tolerance);
  });

  it('takes each pair by itself: a batch is no worse than the mean of its examples', () => {
    const batch = { positive: [1, 0], negatives: [[0, 0.9], [0.3, -1]] }; // prettier-ignore
    expect(lossOf(batch, { margin: 0.2 })).toBeCloseTo((0 + 0.1 + 0.5 + 0) / 4, 6);
  });

  it('costs nothing where the positive is ahead by the margin', () => {
    expect(lossOf({ positive: [0.5], negatives: [[0.25]] }, { margin: 0.25 })).toBe(0);
  });
});
