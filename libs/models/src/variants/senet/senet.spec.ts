import { readFileSync } from 'node:fs';
import {
  createRng,
  forward,
  Lookups,
  startEngine,
  stepGradients,
  tf,
  type Parameter,
  type Scope,
} from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { sampleInputs } from '../../sample-inputs.js';
import { createExcitation, excitationActivations, excite } from './excitation.js';
import { definition } from './senet.js';

interface Golden {
  readonly tolerance: number;
  readonly z: number[];
  readonly w1: number[];
  readonly w2: number[];
  readonly weights: Readonly<Record<(typeof excitationActivations)[number], readonly number[]>>;
}
const golden = JSON.parse(readFileSync(new URL('./senet.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('cpu'));

describe('excite', () => {
  it.each(excitationActivations)('gives the worked example with a %s output', (activation) => {
    const { z, w1, w2, weights, tolerance } = golden;
    const column = tf.tensor2d(w1, [w1.length, 1]);
    const actual = excite(tf.tensor2d([z]), column, tf.tensor2d([w2]), activation).dataSync();
    for (const [i, value] of weights[activation].entries()) {
      expect(Math.abs((actual[i] as number) - value)).toBeLessThan(tolerance);
    }
  });
});

describe('createExcitation', () => {
  const shapeOf = (options: Partial<Parameters<typeof createExcitation>[0]>): number[][] =>
    createExcitation({
      name: 'gate',
      numFields: 6,
      dim: 4,
      reduction: 3,
      squeeze: 'mean',
      excitation: 'sigmoid',
      granularity: 'field',
      rng: createRng(1),
      ...options,
    }).parameters.map(({ shape }) => [...shape]);

  it('has max(1, fields / reduction) hidden units and one weight per field', () => {
    expect(shapeOf({})).toEqual([
      [6, 2],
      [2, 6],
    ]);
    expect(shapeOf({ reduction: 100 })).toEqual([
      [6, 1],
      [1, 6],
    ]);
  });

  it('reads mean and max of each field and weighs each dimension when asked', () => {
    expect(shapeOf({ squeeze: 'mean+max', granularity: 'dimension' })).toEqual([
      [12, 2],
      [2, 24],
    ]);
  });
});

describe('a gate whose second layer says no to every field', () => {
  /** Weights of the fields, and whether any weight of the gate is still moved by a loss. */
  function gateOf(params: object): { weights: Float32Array; isAlive: boolean } {
    const options = definition.params.parse(params);
    const gate = createExcitation({ ...options, name: 'gate', numFields: 3, dim: 2, rng: createRng(1) });
    const [w1, w2] = gate.parameters as [Parameter, Parameter];
    w1.values.fill(1); // the hidden units are positive
    w2.values.fill(-1);
    const pass = { parameters: gate.parameters, lookups: new Lookups([]), rng: createRng(0) };
    const weights = (scope: Scope): tf.Tensor3D => gate.weights(scope, tf.ones([2, 3, 2]));
    const isAlive = stepGradients(
      pass,
      (scope) => ({ loss: tf.sum(weights(scope)) }),
      ({ gradients }) => gradients.dense.get(w2)?.every((value) => value !== 0) === true,
    );
    return { weights: forward(pass, weights), isAlive };
  }

  it('lets a little through and can recover, unless the output is a ReLU', () => {
    for (const params of [{}, { excitation: '2*sigmoid' }, { excitation: 'sigmoid' }]) {
      const { weights, isAlive } = gateOf(params);
      expect(Math.min(...weights)).toBeGreaterThan(0);
      expect(isAlive).toBe(true);
    }
    const { weights, isAlive } = gateOf({ excitation: 'relu' });
    expect([...weights]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(isAlive).toBe(false);
  });
});

describe('senet', () => {
  const queryVectors = (params: object): Float32Array => {
    const inputs = sampleInputs();
    const model = definition.build({
      ...inputs,
      params: definition.params.parse({ hiddenUnits: [], outputDim: 4, ...params }),
    });
    if (model.kind !== 'towers') throw new Error('senet is a tower model');
    const lookups = new Lookups(model.tables);
    const run = model.query.prepare(inputs.queryBatch, lookups);
    return forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run);
  };

  it('changes the vectors with every option', () => {
    const vectors = [
      {},
      { excitation: 'sigmoid' },
      { excitation: 'relu' },
      { excitation: 'linear' },
      { squeeze: 'max' },
      { squeeze: 'mean+max' },
      { granularity: 'dimension' },
      { skip: true },
      { reduction: 2 },
    ].map((params) => [...queryVectors(params)].join());
    expect(new Set(vectors).size).toBe(vectors.length);
  });

  it('weighs a history as one field of its own, though it shares its embeddings with the items', () => {
    const { query, candidate, ...inputs } = sampleInputs();
    const params = definition.params.parse({ hiddenUnits: [], outputDim: 4 });
    const [history] = query.sequences;
    const recent = { ...(history as NonNullable<typeof history>), name: 'recent', length: 1 };
    const model = definition.build({
      ...inputs,
      query: { ...query, sequences: [...query.sequences, recent] },
      candidate,
      params,
    });
    if (model.kind !== 'towers') throw new Error('senet is a tower model');
    expect(model.tables.map(({ numRows }) => numRows)).toEqual([1 + 3 + 2 + 3 + 5]); // padding, and every vocabulary once
    const [w1, w2] = model.parameters;
    expect([w1?.shape, w2?.shape]).toEqual([[5, 5], [5, 5]]); // prettier-ignore
  });

  it('leaves a side with a single field alone', () => {
    const inputs = sampleInputs();
    const model = definition.build({ ...inputs, params: definition.params.parse({ hiddenUnits: [], outputDim: 4 }) });
    if (model.kind !== 'towers') throw new Error('senet is a tower model');
    expect(model.parameters.map(({ name }) => name)).toEqual([
      'query/senet/w1',
      'query/senet/w2',
      'query/output/kernel',
      'query/output/bias',
      'candidate/output/kernel',
      'candidate/output/bias',
    ]);
  });
});
