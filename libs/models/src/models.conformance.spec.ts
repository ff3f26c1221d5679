import { readdirSync } from 'node:fs';
import type { SideBatch } from '@towerbench/data';
import {
  createRng,
  forward,
  Lookups,
  startEngine,
  stepGradients,
  tf,
  type EmbeddingTable,
  type Parameter,
  type Scope,
} from '@towerbench/engine';
import { engineUnderTest, expectClose, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { models } from './catalog.js';
import type { ModelDefinition, TowerModel } from './contract.js';
import { buildOnSample, sampleInputs } from './sample-inputs.js';

beforeAll(() => startEngine(engineUnderTest));

type Name = (typeof models.names)[number];

function build(name: Name, params: object = {}): { model: TowerModel; inputs: ReturnType<typeof sampleInputs> } {
  const inputs = sampleInputs();
  const model = buildOnSample(models.get(name), params, inputs);
  if (model.kind !== 'towers') throw new Error(`${name} has no vectors`);
  return { model, inputs };
}

/** Between vectors that are equal but for the order of sums. */
const ROUNDING = { absolute: 1e-5 };
/** Models with vectors; a query has one, or several side by side. */
const towers = models.names.filter((name) => buildOnSample(models.get(name)).kind === 'towers');
/** Those whose vectors change with the order of a history; to all others it is a bag. */
const readsOrder: ReadonlySet<Name> = new Set(['comirec', 'sdm']);
/** Numbers that a query is encoded to. */
const queryWidth = (model: TowerModel): number =>
  model.query.dim * (model.retrieval === 'dot' ? 1 : model.query.numInterests);
/**
 * Those whose vectors come out of one MLP, which ends in a layer that can be left out; rows of a table are as wide as need be, and
 * augmented vectors as wide as a layer.
 */
const mlpTowers = towers.filter((name) => {
  const { params }: ModelDefinition = models.get(name);
  const { data } = params.safeParse({ outputDim: null });
  return data !== undefined && data['sharedItemTable'] !== false && !('augmentQuery' in params.shape);
});

/** Vectors of both sides for the sample batch: query rows first. */
function vectors({ model, inputs }: ReturnType<typeof build>): { query: Float32Array; candidate: Float32Array } {
  return {
    query: encodeRows(model, 'query', inputs.queryBatch),
    candidate: encodeRows(model, 'candidate', inputs.candidateBatch),
  };
}

function encodeRows(
  model: TowerModel,
  side: 'query' | 'candidate',
  batch: SideBatch,
  rng = createRng(0),
): Float32Array {
  const lookups = new Lookups(model.tables);
  const encode: (scope: Scope) => tf.Tensor = model[side].prepare(batch, lookups);
  return forward({ parameters: model.parameters, lookups, rng }, encode);
}

/** These rows of a batch, in this order. */
function rowsOf({ size, ids, dense }: SideBatch, rows: readonly number[]): SideBatch {
  const pick = <T extends Int32Array | Float32Array>(values: T): number[] => {
    const width = values.length / size;
    return rows.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]);
  };
  return {
    size: rows.length,
    ids: Object.fromEntries(Object.entries(ids).map(([name, values]) => [name, Int32Array.from(pick(values))])),
    dense: Object.fromEntries(Object.entries(dense).map(([name, values]) => [name, Float32Array.from(pick(values))])),
  };
}

/** Weights of each position of a shorter history into those of a longer one, whose first positions are the same. */
function copyStarts(from: Parameter, to: Parameter): void {
  const axis = from.shape.findIndex((length, k) => length !== to.shape[k]); // -1: no position has weights of its own
  const parts = from.shape.slice(0, Math.max(0, axis)).reduce((product, length) => product * length, 1);
  const [width, step] = [from.values.length / parts, to.values.length / parts];
  for (let part = 0; part < parts; part++) {
    to.values.set(from.values.subarray(part * width, (part + 1) * width), part * step);
  }
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
    const model = buildOnSample(models.get(name), {}, inputs) as TowerModel;
    expect(vectors({ model, inputs }).query).not.toEqual(first);
  });

  it('encodes a row the same way whatever else is in the batch, and in whatever order', () => {
    const built = build(name);
    const width = queryWidth(built.model);
    const { query } = vectors(built);
    for (const rows of [[0], [2], [2, 1, 0], [1, 0, 1, 2]]) {
      const chosen = rows.flatMap((row) => [...query.subarray(row * width, (row + 1) * width)]);
      expectClose(encodeRows(built.model, 'query', rowsOf(built.inputs.queryBatch, rows)), chosen, ROUNDING);
    }
  });

  it('encodes a history the same way however much padding is behind it', () => {
    const inputs = sampleInputs();
    const short = build(name).model;
    const sequences = inputs.query.sequences.map((sequence) => ({ ...sequence, length: 5 }));
    const long = buildOnSample(
      models.get(name),
      {},
      { ...inputs, query: { ...inputs.query, sequences } },
    ) as TowerModel;
    for (const [k, to] of long.parameters.entries()) copyStarts(short.parameters[k] as Parameter, to);
    for (const [k, { values }] of long.tables.entries()) values.set((short.tables[k] as EmbeddingTable).values);
    const { queryBatch } = inputs;
    const history = Int32Array.of(3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0);
    const padded = { ...queryBatch, ids: { ...queryBatch.ids, history } };
    expectClose(encodeRows(long, 'query', padded), encodeRows(short, 'query', queryBatch), ROUNDING);
  });

  it(`${readsOrder.has(name) ? 'reads' : 'does not read'} the order of a history`, () => {
    const { model, inputs } = build(name, { activation: 'tanh' }); // six units of ReLU may all be shut
    const { queryBatch } = inputs;
    const orders = [Int32Array.of(2, 3, 5), Int32Array.of(5, 2, 3), Int32Array.of(3, 5, 2)].map((history) =>
      encodeRows(model, 'query', { ...rowsOf(queryBatch, [0]), ids: { ...rowsOf(queryBatch, [0]).ids, history } }),
    ) as [Float32Array, Float32Array, Float32Array];
    for (const other of orders.slice(1)) {
      if (readsOrder.has(name)) expect(() => expectClose(other, orders[0], { absolute: 1e-4 })).toThrow('exceeds');
      else expectClose(other, orders[0], ROUNDING);
    }
  });

  it('drops nothing when it encodes', () => {
    const { model, inputs } = build(name, { dropout: 0.5 });
    const once = encodeRows(model, 'query', inputs.queryBatch, createRng('one'));
    expect(encodeRows(model, 'query', inputs.queryBatch, createRng('another'))).toEqual(once);
    expect(encodeRows(build(name).model, 'query', inputs.queryBatch)).toEqual(once);
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
