import { readFileSync } from 'node:fs';
import {
  createRng,
  forward,
  Lookups,
  startEngine,
  stepGradients,
  tf,
  type Pairs,
  type Scope,
} from '@towerbench/engine';
import { engineUnderTest, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RankingModel } from '../../contract.js';
import { sampleInputs } from '../../sample-inputs.js';
import { definition } from './multi-task-ranker.js';

interface Golden {
  readonly tolerance: number;
  readonly click: readonly number[];
  readonly duration: readonly number[];
  readonly logOdds: readonly number[];
  readonly logProbability: readonly number[];
}
const golden = JSON.parse(readFileSync(new URL('./multi-task-ranker.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine(engineUnderTest));

/** Two candidates of each of three queries, the first of which is the labelled one. */
const PAIRS: Pairs = { queryOf: Int32Array.of(0, 1, 2), candidateOf: Int32Array.of(0, 1, 2, 3, 0, 2) };

function build(params: object = {}): RankingModel {
  const options = {
    embeddingDim: 3,
    embeddingStd: 0.5,
    hiddenUnits: [6],
    headUnits: [4],
    activation: 'tanh',
    ...params,
  };
  return definition.build({ ...sampleInputs(), params: definition.params.parse(options) }) as RankingModel;
}

/** A model whose heads say the same of every pair. */
function constant(click: number, duration: number, params: object = {}): RankingModel {
  const model = build({ hiddenUnits: [], headUnits: [], ...params });
  for (const { name, values } of model.parameters) {
    values.fill(name === 'click/output/bias' ? click : name === 'duration/output/bias' ? duration : 0);
  }
  return model;
}

function passOf(model: RankingModel, labels: Float32Array | null = null) {
  const { queryBatch: query, candidateBatch: candidate } = sampleInputs();
  const lookups = new Lookups(model.tables);
  const inTraining = model.prepareTraining?.({ query, candidate }, PAIRS, labels, lookups);
  if (inTraining === undefined) throw new Error('it has a loss of its own');
  const scores = model.prepare({ query, candidate }, PAIRS, lookups);
  return { pass: { parameters: model.parameters, lookups, rng: createRng(0) }, inTraining, scores };
}

const scoresOf = (model: RankingModel): Float32Array => {
  const { pass, scores } = passOf(model);
  return forward(pass, scores).slice();
};
const clickLoss = (model: RankingModel, labels: Float32Array | null): number => {
  const { pass, inTraining } = passOf(model, labels);
  return forward(pass, (scope) => inTraining(scope).terms['click']?.value as tf.Scalar)[0] as number;
};
const softplus = (x: number): number => Math.log1p(Math.exp(x));

describe('multi-task-ranker', () => {
  it('scores by the log-odds of a click that lasts, which stay finite at both ends', () => {
    for (const [k, expected] of golden.logOdds.entries()) {
      const scores = scoresOf(constant(golden.click[k] as number, golden.duration[k] as number));
      expect(scores).toHaveLength(6);
      for (const score of scores) expect(Math.abs(score / expected - 1)).toBeLessThan(golden.tolerance);
    }
  });

  it('takes no log-probability for a logit (bug 16)', () => {
    for (const [k, wrong] of golden.logProbability.entries()) {
      const [score = NaN] = scoresOf(constant(golden.click[k] as number, golden.duration[k] as number));
      if (wrong > -90) expect(Math.abs(score - wrong)).toBeGreaterThan(1e-3); // below, p and its odds are the same
    }
  });

  it('adds the cross-entropy of the clicks: labels of the rows, none on what was drawn', () => {
    const expected = (softplus(-1) + softplus(1) + softplus(-1) + 3 * softplus(1)) / 6;
    expect(clickLoss(constant(1, 5), Float32Array.of(1, 0, 1))).toBeCloseTo(expected, 5);
    expect(clickLoss(constant(1, 5), null)).toBeCloseTo((3 * softplus(-1) + 3 * softplus(1)) / 6, 5);
    const weightOf = (params: object): number => {
      const { pass, inTraining } = passOf(build(params));
      let weight = NaN;
      forward(pass, (scope) => {
        const { scores, terms } = inTraining(scope);
        weight = terms['click']?.weight as number;
        return scores;
      });
      return weight;
    };
    expect([weightOf({}), weightOf({ clickWeight: 0.25 })]).toEqual([1, 0.25]);
  });

  it('gives the same scores in training as when it serves', () => {
    const model = build();
    const { pass, inTraining } = passOf(model);
    expect(forward(pass, (scope) => inTraining(scope).scores).slice()).toEqual(scoresOf(model));
  });

  it.each([0, 1, 3])('has the gradient that central differences give (weight of the clicks: %s)', (clickWeight) => {
    const model = build({ clickWeight });
    const { pass, inTraining } = passOf(model, Float32Array.of(1, 0, 1));
    const rng = createRng('direction');
    const direction = tf.tensor2d(Float32Array.from({ length: 6 }, () => rng.normal()), [3, 2]); // prettier-ignore
    const loss = (scope: Scope): tf.Scalar => {
      const { scores, terms } = inTraining(scope);
      const { weight, value } = terms['click'] as NonNullable<(typeof terms)['click']>;
      return tf.add(tf.sum(tf.mul(scores, direction)), tf.mul(value, weight));
    };
    const gradients = stepGradients(
      pass,
      (scope) => ({ loss: loss(scope) }),
      (result) => new Map([...result.gradients.dense].map(([{ name }, gradient]) => [name, gradient.slice()])),
    );
    for (const { name, values } of model.parameters) {
      const at = values.slice();
      const f = (changed: Float32Array): number => {
        values.set(changed);
        const value = forward(pass, loss)[0] as number;
        values.set(at);
        return value;
      };
      expect(gradientGap({ f, gradient: () => gradients.get(name) as Float32Array, at }), name).toBeLessThan(
        FLOAT32_GAP,
      );
    }
    direction.dispose();
  });
});
