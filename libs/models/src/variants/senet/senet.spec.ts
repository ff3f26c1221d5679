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
      gate: 'squeeze',
      named: [],
      reduction: 3,
      squeeze: 'mean',
      groups: 1,
      excitation: 'sigmoid',
      granularity: 'field',
      rng: createRng(1),
      ...options,
    }).parameters.map(({ shape }) => [...shape]);

  it('has max(1, what it reads / reduction) hidden units and one weight per field', () => {
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
      [12, 4],
      [4, 24],
    ]);
    expect(shapeOf({ squeeze: 'mean+max', groups: 2, reduction: 4 })).toEqual([
      [24, 6],
      [6, 6],
    ]);
  });

  it('reads the embeddings of named fields, and all of them beside when asked', () => {
    expect(shapeOf({ gate: 'lhuc', named: [0, 2] })).toEqual([
      [8, 2],
      [2, 6],
    ]);
    expect(shapeOf({ gate: 'ppnet', named: [0, 2] })).toEqual([
      [32, 10],
      [10, 6],
    ]);
  });

  it('summarises each part of a field by itself', () => {
    const { weights } = gateOf({ squeeze: 'mean+max', groups: 2, reduction: 1, excitation: 'linear' }, 1, 4);
    expect([...weights([1, 3, 5, 8], [1, 10, 100, 1000])]).toEqual([2 + 65 + 300 + 8000]); // means 2 and 6.5, maxima 3 and 8
  });
});

/** A gate whose first layer hands on what is read; `out` are the rows of its second, the same for every field. */
function gateOf(options: object, numFields: number, dim: number, named: readonly number[] = []) {
  const params = definition.params.parse(options);
  const gate = createExcitation({ ...params, name: 'gate', numFields, dim, named, rng: createRng(1) });
  const [w1, w2] = gate.parameters as [Parameter, Parameter];
  const [width, hidden] = w1.shape as [number, number];
  for (let i = 0; i < width; i++) for (let j = 0; j < hidden; j++) w1.values[i * hidden + j] = i === j ? 1 : 0;
  const pass = { parameters: gate.parameters, lookups: new Lookups([]), rng: createRng(0) };
  const put = (out: readonly number[]): void =>
    w2.values.set(out.flatMap((value) => Array.from({ length: numFields }, () => value)));
  const fieldsOf = (values: readonly number[]): tf.Tensor3D => tf.tensor3d([...values], [1, numFields, dim]);
  return {
    weights(values: readonly number[], out: readonly number[]): Float32Array {
      put(out);
      return forward(pass, (scope) => gate.weights(scope, fieldsOf(values)));
    },
    /** Of the sum of the weights by the numbers of the fields. */
    gradient(values: readonly number[], out: readonly number[]): Float32Array {
      put(out);
      return forward(pass, (scope) =>
        tf.grad((fields) => tf.sum(gate.weights(scope, fields as tf.Tensor3D)))(fieldsOf(values)),
      );
    },
  };
}

describe('a gate that reads named fields', () => {
  const fields = [1, 2, 3, 4, 5, 6]; // three fields of two dimensions
  it('of lhuc reads and trains these alone', () => {
    const gate = gateOf({ gate: 'lhuc', excitation: 'linear' }, 3, 2, [1]);
    expect([...gate.weights(fields, [1, 10])]).toEqual([43, 43, 43]);
    expect([...gate.gradient(fields, [1, 10])]).toEqual([0, 0, 3, 30, 0, 0]);
  });

  it('of ppnet reads all fields, and trains these alone', () => {
    const gate = gateOf({ gate: 'ppnet', excitation: 'linear' }, 3, 2, [1]);
    const out = [1, 10, 0, 0, 0, 0, 100, 0]; // the named field, then all three
    expect([...gate.weights(fields, out)]).toEqual([543, 543, 543]);
    expect([...gate.gradient(fields, out)]).toEqual([0, 0, 3, 30, 0, 0]);
  });
});

describe('a gate whose second layer says no to every field', () => {
  /** Weights of the fields, and whether any weight of the gate is still moved by a loss. */
  function closedGate(params: object): { weights: Float32Array; isAlive: boolean } {
    const options = definition.params.parse(params);
    const gate = createExcitation({ ...options, name: 'gate', numFields: 3, dim: 2, named: [], rng: createRng(1) });
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
      const { weights, isAlive } = closedGate(params);
      expect(Math.min(...weights)).toBeGreaterThan(0);
      expect(isAlive).toBe(true);
    }
    const { weights, isAlive } = closedGate({ excitation: 'relu' });
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
      { groups: 2 },
      { gate: 'lhuc', gateFeatures: ['age'] },
      { gate: 'lhuc', gateFeatures: ['age', 'city'] },
      { gate: 'ppnet', gateFeatures: ['age'] },
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

  it('gives a gate to the sides that have a named feature', () => {
    const inputs = sampleInputs();
    const params = definition.params.parse({ gate: 'lhuc', gateFeatures: ['city'] });
    const model = definition.build({ ...inputs, params });
    if (model.kind !== 'towers' || model.retrieval !== 'dot') throw new Error('senet is a tower model');
    expect(model.query.gates?.names).toEqual(['age', 'city', 'hobbies', 'history']);
    expect(model.candidate.gates).toBeUndefined();
  });

  it.each([
    [{ gate: 'lhuc', gateFeatures: ['age', 'town'] }, 'model.gate_features[1]: neither side has a field "town"'],
    [{ gate: 'ppnet' }, 'model.gate_features: ppnet needs the fields that its gate reads'],
    [{ gateFeatures: ['age'] }, 'model.gate_features: a gate that squeezes reads every field'],
    [{ embeddingDim: 8, groups: 3 }, 'model.groups: 3 groups do not divide the 8 dimensions of an embedding'],
  ])('refuses %o', (params, message) => {
    expect(() => queryVectors(params)).toThrow(message);
  });
});
