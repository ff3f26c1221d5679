import { readdirSync } from 'node:fs';
import { createRng, forward, Lookups, startEngine, stepGradients, tf, type Scope } from '@towerbench/engine';
import { engineUnderTest, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { models } from './catalog.js';
import type { Model, ModelDefinition, TowerModel } from './contract.js';
import { sampleInputs } from './sample-inputs.js';

beforeAll(() => startEngine(engineUnderTest));

type Name = (typeof models.names)[number];

function buildAny(name: Name, params: object = {}, inputs = sampleInputs()): Model {
  const definition: ModelDefinition = models.get(name);
  const known = Object.keys(definition.params.shape);
  const own = { augmentQuery: 'city' }; // the sample's users have no id
  const options = { embeddingDim: 4, embeddingStd: 0.5, hiddenUnits: [6], outputDim: 4, ...own, ...params };
  const taken = Object.entries(options).filter(([key]) => known.includes(key));
  return definition.build({ ...inputs, params: definition.params.parse(Object.fromEntries(taken)) });
}

function build(name: Name, params: object = {}): { model: TowerModel; inputs: ReturnType<typeof sampleInputs> } {
  const inputs = sampleInputs();
  const model = buildAny(name, params, inputs);
  if (model.kind !== 'towers') throw new Error(`${name} has no vectors`);
  return { model, inputs };
}

/** Models with vectors; a query has one, or several side by side. */
const towers = models.names.filter((name) => buildAny(name).kind === 'towers');
/** Numbers that a query is encoded to. */
const queryWidth = (model: TowerModel): number =>
  model.query.dim * (model.retrieval === 'dot' ? 1 : model.query.numInterests);
/**
 * Those whose vectors come out of one MLP, which ends in a layer that can be left out; rows of a table are as wide as need be, and
 * augmented vectors as wide as a layer.
 */
const mlpTowers = towers.filter((name) => {
  const { params }: ModelDefinition = models.get(name);
  return (
    params.safeParse({ outputDim: null }).success &&
    !('sharedItemTable' in params.shape) &&
    !('augmentQuery' in params.shape)
  );
});

/** Vectors of both sides for the sample batch: query rows first. */
function vectors({ model, inputs }: ReturnType<typeof build>): { query: Float32Array; candidate: Float32Array } {
  const run = (side: 'query' | 'candidate'): Float32Array => {
    const lookups = new Lookups(model.tables);
    const encode: (scope: Scope) => tf.Tensor = model[side].prepare(
      side === 'query' ? inputs.queryBatch : inputs.candidateBatch,
      lookups,
    );
    return forward({ parameters: model.parameters, lookups, rng: createRng(0) }, encode);
  };
  return { query: run('query'), candidate: run('candidate') };
}

describe('the catalogue of models', () => {
  it('lists every folder of variants', () => {
    const folders = readdirSync(new URL('./variants', import.meta.url));
    expect([...models.names].sort()).toEqual(folders.sort());
  });
});

describe.each(towers)('%s', (name) => {
  it('gives finite vectors of the same width on both sides', () => {
    const built = build(name);
    const { query, candidate } = vectors(built);
    const { dim } = built.model.query;
    expect(built.model.candidate.dim).toBe(dim);
    expect([query.length, candidate.length]).toEqual([3 * queryWidth(built.model), 4 * dim]);
    for (const value of [...query, ...candidate]) expect(Number.isFinite(value)).toBe(true);
  });

  it('ends in a linear layer: without normalisation, vectors have numbers of both signs', () => {
    const { query, candidate } = vectors(build(name, { normalize: false, outputDim: 16, activation: 'relu' }));
    for (const values of [query, candidate]) {
      const isNegative = [...values].filter((value) => value < 0).length;
      expect(isNegative).toBeGreaterThan(values.length / 8);
      expect(isNegative).toBeLessThan((values.length * 7) / 8);
    }
  });

  it('starts from weights around zero, of both signs, biases of zero and scales of one', () => {
    const { model } = build(name, { embeddingDim: 32, hiddenUnits: [64], outputDim: 32 });
    for (const { name: weights, values } of [...model.parameters, ...model.tables]) {
      const size = values.length;
      const mean = values.reduce((sum, value) => sum + value, 0) / size;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / size);
      if (weights.endsWith('/bias')) expect(deviation, weights).toBe(0);
      else if (weights.endsWith('/scale')) expect(new Set(values), weights).toEqual(new Set([1]));
      else {
        expect(deviation, weights).toBeGreaterThan(0.05);
        expect(deviation, weights).toBeLessThan(1);
        expect(Math.abs(mean), weights).toBeLessThan((4 * deviation) / Math.sqrt(size)); // four standard errors
      }
    }
  });

  it('starts from the same weights for the same seed and from others for another', () => {
    const first = vectors(build(name)).query;
    expect(vectors(build(name)).query).toEqual(first);
    const inputs = { ...sampleInputs(), rng: createRng('another') };
    const model = buildAny(name, {}, inputs) as TowerModel;
    expect(vectors({ model, inputs }).query).not.toEqual(first);
  });

  it('encodes a row the same way whatever else is in the batch', () => {
    const { model, inputs } = build(name);
    const alone = { size: 1, ids: {} as Record<string, Int32Array>, dense: {} as Record<string, Float32Array> };
    for (const [feature, ids] of Object.entries(inputs.queryBatch.ids))
      alone.ids[feature] = ids.slice(0, ids.length / 3);
    for (const [feature, values] of Object.entries(inputs.queryBatch.dense))
      alone.dense[feature] = values.slice(0, values.length / 3);
    const lookups = new Lookups(model.tables);
    const encode = model.query.prepare(alone, lookups);
    const single = forward({ parameters: model.parameters, lookups, rng: createRng(0) }, encode);
    const { query } = vectors({ model, inputs });
    for (const [i, value] of single.entries()) expect(value).toBeCloseTo(query[i] as number, 5);
  });

  it('has the gradient that central differences give, for weights and embedding rows, empty histories included', () => {
    // one iteration of routing, because the weights of later ones are constants that central differences would move
    // tanh, because a kink of ReLU within the step of the difference would be no error of the gradient
    const { model, inputs } = build(name, { activation: 'tanh', routingIterations: 1 });
    const rng = createRng('direction');
    const width = queryWidth(model);
    const direction = Float32Array.from({ length: 3 * width }, () => rng.normal());
    const lookups = new Lookups(model.tables);
    const query = model.query.prepare(inputs.queryBatch, lookups);
    const pass = { parameters: model.parameters, lookups, rng };
    const loss = (scope: Scope): tf.Scalar =>
      tf.sum(tf.mul(tf.reshape(query(scope), [3, width]), tf.tensor2d(direction, [3, width])));
    const gradients = stepGradients(
      pass,
      (scope) => ({ loss: loss(scope) }),
      ({ gradients: { dense, rows } }) => ({
        dense: [...dense].map(([parameter, gradient]) => ({ parameter, gradient: gradient.slice() })),
        rows: rows.map(({ read, gradient }) => ({ read, gradient: gradient.slice() })),
      }),
    );
    const valueAt = (): number => forward(pass, loss)[0] as number;

    for (const { parameter, gradient } of gradients.dense) {
      const original = parameter.values.slice();
      const f = (at: Float32Array): number => {
        parameter.values.set(at);
        const value = valueAt();
        parameter.values.set(original);
        return value;
      };
      expect(gradientGap({ f, gradient: () => gradient, at: original }), parameter.name).toBeLessThan(FLOAT32_GAP);
    }
    for (const { read, gradient } of gradients.rows) {
      const { dim, values } = read.table;
      const rowsOf = (): Float32Array =>
        Float32Array.from([...read.rows].flatMap((row) => [...values.subarray(row * dim, (row + 1) * dim)]));
      const put = (at: Float32Array): void =>
        read.rows.forEach((row, i) => values.set(at.subarray(i * dim, (i + 1) * dim), row * dim));
      const original = rowsOf();
      const f = (at: Float32Array): number => {
        put(at);
        const value = valueAt();
        put(original);
        return value;
      };
      expect(gradientGap({ f, gradient: () => gradient, at: original }), read.table.name).toBeLessThan(FLOAT32_GAP);
    }
  });
});

describe.each(mlpTowers)('%s as one MLP a side', (name) => {
  it('gives vectors of unit length', () => {
    for (const values of Object.values(vectors(build(name)))) {
      for (let row = 0; row < values.length; row += 4) {
        expect(Math.hypot(...values.subarray(row, row + 4))).toBeCloseTo(1, 5);
      }
    }
  });

  it('refuses sides of unequal width, when no layer makes them equal', () => {
    expect(() => build(name, { hiddenUnits: [], outputDim: null })).toThrow(
      'model.output_dim: the query tower would give 18 numbers and the candidate tower 4, so there is no dot product',
    );
    expect(build(name, { hiddenUnits: [6], outputDim: null }).model.query.dim).toBe(6);
  });
});

describe('popularity', () => {
  it('scores every user by the training counts', () => {
    const inputs = sampleInputs();
    const model = models.get('popularity').build({ ...inputs, params: {} });
    if (model.kind !== 'scorer') throw new Error('popularity is a scorer');
    expect([...model.scoreUsers(Int32Array.of(0, 2))]).toEqual([1, 1, 0, 1, 1, 1, 0, 1]);
    expect([...model.scorePairs(Int32Array.of(0, 0), Int32Array.of(2, 3))]).toEqual([0, 1]);
  });
});
