import { readFileSync } from 'node:fs';
import { createRng, forward, Lookups, startEngine, tf } from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LossBatch } from '../../contract.js';
import { definition } from './in-batch-softmax.js';

interface Golden {
  readonly tolerance: number;
  readonly query: number[][];
  readonly candidate: number[][];
  readonly temperature: number;
  readonly probability: readonly number[];
  readonly cases: readonly { readonly name: string; readonly params: object; readonly loss: number }[];
  readonly wrong: { readonly loss: number };
}
const golden = JSON.parse(readFileSync(new URL('./in-batch-softmax.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('simd'));

function lossOf(params: object, changes: Partial<LossBatch> = {}): number {
  const { temperature, query, candidate, probability } = golden;
  const loss = definition.build({ params: definition.params.parse({ temperature, ...params }), rng: createRng(0) });
  const batch: LossBatch = {
    size: 2,
    numNegatives: 0,
    queryOf: Int32Array.of(0, 1),
    candidateOf: Int32Array.of(0, 1),
    items: Int32Array.of(0, 1),
    labels: null,
    weights: null,
    logSamplingProbability: Float32Array.from(probability, Math.log),
    ...changes,
  };
  return forward(
    { parameters: loss.parameters, lookups: new Lookups([]), rng: createRng(0) },
    (scope) => loss.apply(scope, { query: tf.tensor2d(query), candidate: tf.tensor2d(candidate) }, batch).loss,
  )[0] as number;
}

describe('in-batch-softmax', () => {
  it.each(golden.cases)('gives the worked example with $name', ({ params, loss }) => {
    expect(Math.abs(lossOf(params) - loss)).toBeLessThan(golden.tolerance);
    expect(Math.abs(lossOf(params) - golden.wrong.loss)).toBeGreaterThan(0.1);
  });

  it('takes the probability of the item, not of the place in the batch', () => {
    const swapped = Float32Array.from([...golden.probability].reverse(), Math.log);
    const items = Int32Array.of(1, 0);
    expect(lossOf({}, { items, logSamplingProbability: swapped })).toBeCloseTo(lossOf({}), 6);
  });

  it('counts an example with the same item as no negative, unless told to', () => {
    const batch = { candidateOf: Int32Array.of(0, 0) };
    expect(lossOf({}, batch)).toBeCloseTo(0, 6);
    expect(lossOf({ maskAccidentalHits: false }, batch)).toBeCloseTo(Math.LN2, 5);
  });

  it('says what is missing when the sampler gives no probability', () => {
    expect(() => lossOf({}, { logSamplingProbability: null })).toThrow('the sampler gives no sampling probability');
    expect(lossOf({ logQ: 'none' }, { logSamplingProbability: null })).toBeGreaterThan(0);
  });
});
