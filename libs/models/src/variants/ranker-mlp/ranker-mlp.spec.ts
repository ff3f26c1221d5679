import { createRng, forward, Lookups, startEngine, stepGradients, tf, type Pairs } from '@towerbench/engine';
import { engineUnderTest, expectClose, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RankingModel } from '../../contract.js';
import { sampleInputs } from '../../sample-inputs.js';
import { definition } from './ranker-mlp.js';

beforeAll(() => startEngine(engineUnderTest));

const DIM = 3;
const ALL: Pairs = {
  queryOf: Int32Array.of(0, 1, 2),
  candidateOf: Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3),
};

function build(params: object = {}): RankingModel {
  const options = { embeddingDim: DIM, embeddingStd: 0.5, hiddenUnits: [6], ...params };
  return definition.build({ ...sampleInputs(), params: definition.params.parse(options) }) as RankingModel;
}

function scoresOf(model: RankingModel, pairs: Pairs): Float32Array {
  const { queryBatch: query, candidateBatch: candidate } = sampleInputs();
  const lookups = new Lookups(model.tables);
  const run = model.prepare({ query, candidate }, pairs, lookups);
  return forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run).slice();
}

/** The vector of an id; zero for padding. Vocabularies stand in the table one after the other, without a row for padding. */
function rowOf(model: RankingModel, vocabulary: string, id: number): number[] {
  const [table] = model.tables;
  const lookups = new Lookups(model.tables);
  const places = new Int32Array(1);
  lookups.positions(table as never, vocabulary, Int32Array.of(id), places);
  return [...forward({ parameters: [], lookups, rng: createRng(0) }, (scope) => tf.gather(scope.rows(table as never), tf.tensor1d([...places], 'int32')))]; // prettier-ignore
}

describe('ranker-mlp', () => {
  it('sees the fields of both sides and their products: with no hidden layer it is linear in them', () => {
    const model = build({ hiddenUnits: [] });
    const { queryBatch, candidateBatch } = sampleInputs();
    const [kernel] = model.parameters;
    const meanOf = (vocabulary: string, ids: Int32Array): number[] => {
      const rows = [...ids].filter((id) => id !== 0).map((id) => rowOf(model, vocabulary, id));
      return Array.from({ length: DIM }, (_, k) => rows.reduce((sum, row) => sum + (row[k] as number), 0) / Math.max(rows.length, 1)); // prettier-ignore
    };
    const ids = (name: string, row: number, width: number): Int32Array =>
      (queryBatch.ids[name] as Int32Array).subarray(row * width, (row + 1) * width);
    const expected = [0, 1, 2].flatMap((q) =>
      [0, 1, 2, 3].map((c) => {
        const query = [
          meanOf('age', ids('age', q, 1)),
          meanOf('city', ids('city', q, 1)),
          meanOf('hobbies', ids('hobbies', q, 2)),
          meanOf('item_id', ids('history', q, 3)),
        ];
        const item = meanOf('item_id', Int32Array.of(candidateBatch.ids['item_id']?.[c] as number));
        const dense = [...(queryBatch.dense['embedding'] as Float32Array).subarray(q * 2, q * 2 + 2)];
        const products = query.map((field) => field.map((value, k) => value * (item[k] as number)));
        const x = [...query.flat(), ...dense, ...item, ...products.flat()];
        expect(kernel?.shape).toEqual([x.length, 1]);
        return x.reduce((sum, value, k) => sum + value * (kernel?.values[k] as number), 0);
      }),
    );
    expectClose(scoresOf(model, ALL), expected, { absolute: 1e-5 });
    expect(build({ hiddenUnits: [], products: false }).parameters[0]?.shape).toEqual([4 * DIM + 2 + DIM, 1]);
  });

  it('scores a pair the same way whatever else is scored', () => {
    const model = build();
    const all = scoresOf(model, ALL);
    expect(new Set(all).size).toBe(12);
    const some = scoresOf(model, { queryOf: Int32Array.of(2, 0, 2), candidateOf: Int32Array.of(3, 1, 2) });
    expectClose(some, [all[11], all[1], all[10]] as number[], { absolute: 1e-6 });
  });

  it('gives no scores for no pairs', () => {
    expect(scoresOf(build(), { queryOf: new Int32Array(0), candidateOf: new Int32Array(0) })).toHaveLength(0);
  });

  it.each([true, false])('has the gradient that central differences give (products: %s)', (products) => {
    const model = build({ activation: 'tanh', products });
    const { queryBatch: query, candidateBatch: candidate } = sampleInputs();
    const lookups = new Lookups(model.tables);
    const run = model.prepare({ query, candidate }, ALL, lookups);
    const rng = createRng('direction');
    const direction = Float32Array.from({ length: 12 }, () => rng.normal());
    const pass = { parameters: model.parameters, lookups, rng };
    const loss = (scope: Parameters<typeof run>[0]): tf.Scalar => tf.sum(tf.mul(run(scope), tf.tensor2d(direction, [3, 4]))); // prettier-ignore
    const { dense, rows } = stepGradients(
      pass,
      (scope) => ({ loss: loss(scope) }),
      ({ gradients }) => ({
        dense: [...gradients.dense].map(([parameter, gradient]) => ({ parameter, gradient: gradient.slice() })),
        rows: gradients.rows.map(({ read, gradient }) => ({ read, gradient: gradient.slice() })),
      }),
    );
    const check = (values: Float32Array, gradient: Float32Array, name: string): void => {
      const original = values.slice();
      const f = (at: Float32Array): number => {
        values.set(at);
        const value = forward(pass, loss)[0] as number;
        values.set(original);
        return value;
      };
      expect(gradientGap({ f, gradient: () => gradient, at: original }), name).toBeLessThan(FLOAT32_GAP);
    };
    for (const { parameter, gradient } of dense) check(parameter.values, gradient, parameter.name);
    for (const { read, gradient } of rows) {
      const all = new Float32Array(read.table.values.length); // the gradient of every row of the table
      for (const [i, row] of read.rows.entries()) all.set(gradient.subarray(i * DIM, (i + 1) * DIM), row * DIM);
      const touched = new Set(read.rows);
      const inRows = (values: Float32Array) => values.filter((_, at) => touched.has(Math.floor(at / DIM)));
      const original = read.table.values.slice();
      const f = (at: Float32Array): number => {
        let next = 0;
        for (let place = 0; place < original.length; place++)
          if (touched.has(Math.floor(place / DIM))) read.table.values[place] = at[next++] as number;
        const value = forward(pass, loss)[0] as number;
        read.table.values.set(original);
        return value;
      };
      const gap = gradientGap({ f, gradient: () => inRows(all), at: inRows(original) });
      expect(gap, read.table.name).toBeLessThan(FLOAT32_GAP);
    }
  });
});
