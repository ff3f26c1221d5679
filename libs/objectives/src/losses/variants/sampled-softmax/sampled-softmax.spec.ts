import { readFileSync } from 'node:fs';
import { createRng, forward, Lookups, pairScores, startEngine, tf } from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LossBatch } from '../../contract.js';
import { definition } from './sampled-softmax.js';

interface Golden {
  readonly tolerance: number;
  readonly query: number[][];
  readonly candidate: number[][];
  readonly candidateOf: readonly number[];
  readonly temperature: number;
  readonly probability: readonly number[];
  readonly cases: readonly { readonly name: string; readonly params: object; readonly loss: number }[];
  readonly wrong: { readonly loss: number };
}
const golden = JSON.parse(readFileSync(new URL('./sampled-softmax.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('simd'));

function lossOf(params: object, changes: Partial<LossBatch> = {}): number {
  const { temperature, query, candidate, candidateOf, probability } = golden;
  const loss = definition.build({ params: definition.params.parse({ temperature, ...params }), rng: createRng(0) });
  const batch: LossBatch = {
    size: 2,
    numNegatives: 2,
    queryOf: Int32Array.of(0, 1),
    candidateOf: Int32Array.from(candidateOf),
    items: Int32Array.of(0, 1, 2, 3),
    labels: null,
    occurrences: null,
    weights: null,
    logSamplingProbability: Float32Array.from(probability, Math.log),
    ...changes,
  };
  return forward(
    { parameters: loss.parameters, lookups: new Lookups([]), rng: createRng(0) },
    (scope) => loss.apply(scope, pairScores(tf.tensor2d(query), tf.tensor2d(candidate), batch), batch).loss,
  )[0] as number;
}

describe('sampled-softmax', () => {
  it.each(golden.cases)('gives the worked example with $name', ({ params, loss }) => {
    expect(Math.abs(lossOf(params) - loss)).toBeLessThan(golden.tolerance);
    expect(Math.abs(lossOf(params) - golden.wrong.loss)).toBeGreaterThan(0.05);
  });

  it('is not changed by a correction that is the same for all items', () => {
    const uniform = new Float32Array(4).fill(-Math.log(4));
    expect(lossOf({}, { logSamplingProbability: uniform })).toBeCloseTo(lossOf({ logQ: 'none' }), 6);
  });

  it('is zero for a positive whose negatives are all itself', () => {
    expect(lossOf({}, { candidateOf: Int32Array.of(0, 0, 0, 1, 1, 1) })).toBeCloseTo(0, 6);
  });

  it('says what is missing when the sampler gives no probability', () => {
    expect(() => lossOf({}, { logSamplingProbability: null })).toThrow('the sampler gives no sampling probability');
    expect(lossOf({ logQ: 'none' }, { logSamplingProbability: null })).toBeGreaterThan(0);
  });
});
