import { createRng, forward, Lookups, startEngine, tf } from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { sampleInputs } from '../../sample-inputs.js';
import { createExcitation, excite } from './excitation.js';
import { definition } from './senet.js';

beforeAll(() => startEngine('cpu'));

describe('excite', () => {
  const z = (): tf.Tensor2D => tf.tensor2d([[1, 2, -1]]);
  const w1 = (): tf.Tensor2D => tf.tensor2d([[0.5], [0.25], [0.5]]);
  const w2 = (): tf.Tensor2D => tf.tensor2d([[1, -1, 0.5]]);

  it.each([
    ['linear', [0.5, -0.5, 0.25]],
    ['relu', [0.5, 0, 0.25]],
    ['sigmoid', [0.622459, 0.377541, 0.562177]],
    ['2*sigmoid', [1.244919, 0.755081, 1.124353]],
  ] as const)('gives the worked example with a %s output', (activation, expected) => {
    const weights = excite(z(), w1(), w2(), activation).dataSync();
    for (const [i, value] of expected.entries()) expect(weights[i]).toBeCloseTo(value, 5);
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
