import { createRng, forward, Lookups, startEngine, type Scope, type tf } from '@towerbench/engine';
import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DotModel } from '../contract.js';
import { sampleInputs } from '../sample-inputs.js';
import { mlpTowers, mlpTowersParams } from './towers.js';

beforeAll(() => startEngine(engineUnderTest));

const params = z.strictObject(mlpTowersParams);

function towers(options: object): { model: DotModel; inputs: ReturnType<typeof sampleInputs> } {
  const inputs = sampleInputs();
  return { model: mlpTowers({ ...inputs, params: params.parse({ outputDim: 4, ...options }) }), inputs };
}

function vectors({ model, inputs }: ReturnType<typeof towers>): Float32Array {
  const lookups = new Lookups(model.tables);
  const run: (scope: Scope) => tf.Tensor2D = model.query.prepare(inputs.queryBatch, lookups);
  return forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run);
}

describe('leave_out', () => {
  it('takes features away from a tower, with their embeddings', () => {
    const { model, inputs } = towers({ hiddenUnits: [], embeddingDim: 4, leaveOut: ['age', 'hobbies', 'embedding'] });
    expect(model.tables.map(({ numRows }) => numRows)).toEqual([1 + 2 + 5]); // padding, cities and items
    expect(model.parameters[0]?.shape).toEqual([2 * 4, 4]);
    const before = vectors({ model, inputs });
    inputs.queryBatch.ids['age']?.fill(3);
    expect(vectors({ model, inputs })).toEqual(before);
    inputs.queryBatch.ids['city']?.fill(1);
    expect(vectors({ model, inputs })).not.toEqual(before);
  });

  it('can leave numbers alone', () => {
    const { model, inputs } = towers({ leaveOut: ['age', 'hobbies', 'city', 'history'], hiddenUnits: [] });
    expect(model.parameters[0]?.shape).toEqual([2, 4]);
    expect(vectors({ model, inputs }).every(Number.isFinite)).toBe(true);
  });

  it('refuses a name that no side has, and to leave nothing', () => {
    const names = 'age, hobbies, city, embedding, history, item_id';
    expect(() => towers({ leaveOut: ['age', 'agee'] })).toThrow(
      `model.leave_out[1]: neither side has a feature "agee"\n  allowed  ${names}, but not all of a side`,
    );
    expect(() => towers({ leaveOut: ['item_id'] })).toThrow('model.leave_out: the candidate tower would read nothing');
  });
});

describe('shared_item_table', () => {
  /** Whether a candidate's row moves the vectors of queries whose history has that item. */
  const isShared = (options: object): boolean => {
    const built = towers({ embeddingDim: 4, ...options });
    const before = vectors(built);
    const table = built.model.tables.at(-1) as (typeof built.model.tables)[number];
    const items = table.values.length / 4 - 5; // the last vocabulary of the last table
    table.values.fill(1, items * 4);
    return vectors(built).some((value, i) => value !== before[i]);
  };

  it('has one table unless asked, else one a side with other numbers', () => {
    expect(towers({}).model.tables.map(({ numRows }) => numRows)).toEqual([1 + 3 + 2 + 3 + 5]);
    expect(isShared({})).toBe(true);
    const { model } = towers({ embeddingDim: 4, sharedItemTable: false });
    expect(model.tables.map(({ name, numRows }) => [name, numRows])).toEqual([
      ['query/embeddings', 1 + 3 + 2 + 3 + 5],
      ['candidate/embeddings', 1 + 5],
    ]);
    const [query, candidate] = model.tables.map(({ values }) => values.slice(-4)); // both end with the last item
    expect(query).not.toEqual(candidate);
    expect(isShared({ sharedItemTable: false })).toBe(false);
  });
});

describe('last_activation', () => {
  it('is linear unless asked, and a ReLU lets no vector have a negative number', () => {
    expect(vectors(towers({ outputDim: 32, normalize: false })).some((value) => value < 0)).toBe(true);
    const positive = vectors(towers({ outputDim: 32, normalize: false, lastActivation: 'relu' }));
    expect(positive.some((value) => value < 0)).toBe(false);
    expect(positive.some((value) => value > 0)).toBe(true);
  });
});
