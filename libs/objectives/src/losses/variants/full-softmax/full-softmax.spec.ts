import { readFileSync } from 'node:fs';
import { createRng, forward, Lookups, startEngine, tf } from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { definition } from './full-softmax.js';

interface Golden {
  readonly tolerance: number;
  readonly query: number[][];
  readonly temperature: number;
  readonly loss: number;
}
const golden = JSON.parse(readFileSync(new URL('./full-softmax.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('simd'));

describe('full-softmax', () => {
  const lossOf = (positives: Int32Array): number => {
    const { query, temperature } = golden;
    const loss = definition.build({ params: definition.params.parse({ temperature }), rng: createRng(0) });
    const batch = {
      size: positives.length,
      numNegatives: 0,
      queryOf: Int32Array.from(positives.keys()),
      candidateOf: positives,
      occurrences: Float32Array.of(1, 1, 1),
      items: Int32Array.of(0, 1, 2),
      labels: null,
      weights: null,
      logSamplingProbability: null,
    };
    return forward(
      { parameters: loss.parameters, lookups: new Lookups([]), rng: createRng(0) },
      (scope) =>
        loss.apply(scope, { query: tf.tensor2d(query.slice(0, positives.length)), candidate: tf.eye(3) }, batch).loss,
    )[0] as number;
  };

  it("gives the worked example: items that are nobody's positive are in the sum", () => {
    expect(Math.abs(lossOf(Int32Array.of(0, 1)) - golden.loss)).toBeLessThan(golden.tolerance);
  });

  it('counts every item once, however many examples have it as their positive', () => {
    const alone = lossOf(Int32Array.of(1));
    const [first, second] = [golden.query[0] as number[], golden.query[1] as number[]];
    const of = (scores: number[]): number =>
      Math.log(scores.reduce((sum, s) => sum + Math.exp(s / golden.temperature), 0)) -
      (scores[1] as number) / golden.temperature;
    expect(alone).toBeCloseTo(of(first), 5);
    expect(lossOf(Int32Array.of(1, 1))).toBeCloseTo((of(first) + of(second)) / 2, 5);
  });
});
