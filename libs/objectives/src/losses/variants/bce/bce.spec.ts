import { readFileSync } from 'node:fs';
import { createRng, forward, Lookups, pairScores, startEngine, tf } from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LossBatch } from '../../contract.js';
import { definition } from './bce.js';

interface Golden {
  readonly tolerance: number;
  readonly positive: number;
  readonly negative: number;
  readonly sum: number;
}
const golden = JSON.parse(readFileSync(new URL('./bce.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('simd'));

describe('bce', () => {
  const lossAt = (
    query: number[],
    candidate: number[],
    batch: Partial<LossBatch>,
    { bias, ...params }: { readonly bias?: number; readonly temperature?: number } = {},
  ): number => {
    const loss = definition.build({
      params: definition.params.parse({ temperature: 1, bias: bias !== undefined, ...params }),
      rng: createRng(0),
    });
    loss.parameters[0]?.values.fill(bias ?? 0);
    const whole: LossBatch = {
      size: query.length,
      numNegatives: 0,
      queryOf: Int32Array.from(query.keys()),
      candidateOf: Int32Array.from(candidate.keys()),
      items: Int32Array.from(candidate.keys()),
      labels: null,
      occurrences: null,
      weights: null,
      logSamplingProbability: null,
      ...batch,
    };
    return forward({ parameters: loss.parameters, lookups: new Lookups([]), rng: createRng(0) }, (scope) => {
      const [u, v] = [query, candidate].map((values) => tf.tensor2d(values, [values.length, 1]));
      return loss.apply(scope, pairScores(u as tf.Tensor2D, v as tf.Tensor2D, whole), whole).loss;
    })[0] as number;
  };

  it('gives the worked example from a drawn negative, as the mean over its two pairs', () => {
    const drawn = lossAt([1], [golden.positive, golden.negative], { numNegatives: 1 });
    expect(Math.abs(drawn - golden.sum / 2)).toBeLessThan(golden.tolerance);
  });

  it('gives the same from labels', () => {
    const labels = Float32Array.of(1, 0);
    const labelled = lossAt([1, 1], [golden.positive, golden.negative], { labels });
    expect(Math.abs(labelled - golden.sum / 2)).toBeLessThan(golden.tolerance);
  });

  it('stays finite for logits far out', () => {
    expect(lossAt([1], [500], { labels: Float32Array.of(0) })).toBe(500);
    expect(lossAt([1], [500], { labels: Float32Array.of(1) })).toBe(0);
  });

  it('adds its bias to every logit', () => {
    const shifted = lossAt([1], [golden.positive, golden.negative], { numNegatives: 1 }, { bias: 0.7 });
    const softplus = (x: number): number => Math.log1p(Math.exp(x));
    const expected = (softplus(-golden.positive - 0.7) + softplus(golden.negative + 0.7)) / 2;
    expect(shifted).toBeCloseTo(expected, 6);
  });

  it('divides by the temperature, which reaches the log-odds too', () => {
    expect(lossAt([1], [0.3], {}, { temperature: 0.5 })).toBeCloseTo(Math.log1p(Math.exp(-0.6)), 5);
    const loss = definition.build({ params: definition.params.parse({ temperature: 0.5 }), rng: createRng(0) });
    expect(loss.logits?.(Float32Array.of(0.3))[0]).toBeCloseTo(0.6, 6);
  });
});
