import { prepareData, type PreparedData, type Truth } from '@towerbench/data';
import { createRng, startEngine } from '@towerbench/engine';
import { engineUnderTest } from '@towerbench/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluate, type EvaluatedScorer } from './evaluation.js';
import { underProtocol, type EvaluationProtocol } from './evaluation-protocol.js';
import { assembleRun } from './assemble-run.js';
import { places, sampleTrial } from './sample-trial.js';
import { staticScorer } from './scoring.js';
import { metricsOf } from './trial.js';

beforeAll(async () => {
  await startEngine(engineUnderTest);
});

/** Vectors of −1, 0 and 1, so that scores are exact and most of them tie. */
function coarseScorer({ numUsers, numItems }: PreparedData, dim: number, seed: number): EvaluatedScorer {
  const rng = createRng(seed);
  const draw = (rows: number) => Float32Array.from({ length: rows * dim }, () => rng.int(3) - 1);
  const [queries, candidates] = [draw(numUsers), draw(numItems)];
  const score = (user: number, item: number): number => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += (queries[user * dim + d] as number) * (candidates[item * dim + d] as number);
    return sum;
  };
  const ofUsers = (users: Int32Array, valuesOf: (user: number) => number[]) =>
    Float32Array.from([...users].flatMap(valuesOf));
  return {
    scoreUsers: (users) => ofUsers(users, (user) => Array.from({ length: numItems }, (_, item) => score(user, item))),
    scorePairs: (users, items) => Float32Array.from(users, (user, row) => score(user, items[row] as number)),
    vectors: (users) => ({
      queries: ofUsers(users, (user) => [...queries.subarray(user * dim, (user + 1) * dim)]),
      candidates,
      dim,
    }),
    aggregate: null,
    items: null,
    baseline: null,
    logits: null,
  };
}

describe('evaluate', () => {
  it('gives by vectors, bit for bit, what it gives by the scores of all items', () => {
    const worlds = fc.record({
      numUsers: fc.integer({ min: 20, max: 200 }),
      numItems: fc.oneof(fc.integer({ min: 50, max: 130 }), fc.integer({ min: 500, max: 700 })),
      dim: fc.constantFrom(1, 5, 32, 64),
      seed: fc.integer({ min: 0, max: 1e6 }),
      protocol: fc.constantFrom<EvaluationProtocol>(
        { kind: 'full' },
        { kind: 'keep-seen' },
        { kind: 'sampled', numNegatives: 9 },
      ),
    });
    fc.assert(
      fc.property(worlds, ({ numUsers, numItems, dim, seed, protocol }) => {
        const config = sampleTrial({
          dataset: { numUsers, numItems, seed },
          model: { embeddingDim: 4, outputDim: dim },
        });
        const data = underProtocol(prepareData(config.dataset, places), protocol, seed);
        for (const scorer of [assembleRun(config, data, seed).scorer(), coarseScorer(data, dim, seed)]) {
          expect(scorer.vectors).not.toBeNull();
          const found = evaluate(data, 'test', scorer);
          expect(found).toEqual(evaluate(data, 'test', { ...scorer, vectors: null }));
          expect(Object.keys(found.metrics)).toContain('coverage@100');
        }
      }),
      { numRuns: 25 },
    );
  });

  it('measures categories where the dataset names one, and announces just what it measures', () => {
    const interests = { name: 'world/interests', numRows: 1000, numEvaluationUsers: 20 };
    for (const dataset of [interests, {}]) {
      const config = sampleTrial({ dataset });
      const data = prepareData(config.dataset, places);
      const { metrics } = evaluate(data, 'test', coarseScorer(data, 3, 1));
      const announced = metricsOf(config.dataset).filter((name) => name.startsWith('test/'));
      expect(
        Object.keys(metrics)
          .map((name) => `test/${name}`)
          .sort(),
      ).toEqual(announced.sort());
      for (const name of ['category_recall@20', 'diversity@20']) expect(name in metrics).toBe(dataset === interests);
    }
  });

  it('measures what lists bring where the truth says so, alike by vectors and by scores, of the test part alone', () => {
    const config = sampleTrial({
      dataset: { name: 'world/watch-time', numUsers: 30, numItems: 150, numRows: 500 },
      objective: { type: 'bce' },
      sampler: { type: 'labelled' },
    });
    const data = prepareData(config.dataset, places);
    const announced = metricsOf(config.dataset).filter((name) => name.startsWith('test/'));
    const scorer = coarseScorer(data, 3, 1);
    const found = evaluate(data, 'test', scorer);
    expect(Object.keys(found.metrics).map((name) => `test/${name}`).sort()).toEqual(announced.sort()); // prettier-ignore
    expect(found).toEqual(evaluate(data, 'test', { ...scorer, vectors: null }));
    expect(found.perUser['value@20']).toHaveLength(30);
    expect(found.metrics['value@20']).toBeLessThan(0.9);
    const best = evaluate(data, 'test', { ...staticScorer(data.truth as Truth), logits: null });
    for (const k of [1, 20, 100]) expect(best.metrics[`value@${k}`]).toBeCloseTo(1, 6);
    expect(Object.keys(evaluate(data, 'valid', scorer).metrics)).not.toContain('value@20');
    expect(metricsOf(sampleTrial().dataset)).not.toContain('test/value@20');
  });

  it('counts what is no candidate neither in a list nor in the best one', () => {
    const config = sampleTrial({
      dataset: { name: 'world/watch-time', numUsers: 30, numItems: 150, numRows: 500 },
      objective: { type: 'bce' },
      sampler: { type: 'labelled' },
    });
    const data = prepareData(config.dataset, places);
    const { test, truth } = data;
    if (test.kind !== 'ranking') throw new Error('it is a ranking');
    const [best] = [...(truth?.worth?.(test.users.subarray(0, 1)) as Float32Array).entries()].sort((a, b) => b[1] - a[1]); // prettier-ignore
    const seen = { offsets: Int32Array.from({ length: 31 }, (_, k) => Math.min(k, 1)), items: Int32Array.of(best?.[0] as number) }; // prettier-ignore
    const positives = { offsets: Int32Array.from({ length: 31 }, (_, k) => k), items: Int32Array.from({ length: 30 }, () => best?.[0] === 0 ? 1 : 0) }; // prettier-ignore
    const oracle = { ...staticScorer(truth as Truth), logits: null };
    const found = evaluate({ ...data, test: { ...test, seen, positives } }, 'test', oracle);
    for (const value of found.perUser['value@1'] as Float32Array) expect(value).toBeCloseTo(1, 6);
  });

  it('refuses scores that are NaN by vectors, too', () => {
    const data = prepareData(sampleTrial().dataset, places);
    const scorer = coarseScorer(data, 3, 1);
    const none = new Int32Array(0);
    (scorer.vectors?.(none, none) as { candidates: Float32Array }).candidates.fill(NaN, 0, 1);
    expect(() => evaluate(data, 'test', scorer)).toThrow('the score of candidate 0 is NaN');
  });
});
