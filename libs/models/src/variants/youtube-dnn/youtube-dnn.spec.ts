import { createRng, forward, Lookups, startEngine } from '@towerbench/engine';
import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DotModel } from '../../contract.js';
import { sampleInputs } from '../../sample-inputs.js';
import { definition } from './youtube-dnn.js';

beforeAll(() => startEngine(engineUnderTest));

const sample = sampleInputs();

function build(params: object = {}, inputs = sample): DotModel {
  const options = { embeddingDim: 4, embeddingStd: 0.5, hiddenUnits: [6], outputDim: 4, ...params };
  return definition.build({ ...inputs, params: definition.params.parse(options) }) as DotModel;
}

function vectorsOf(model: DotModel, side: 'query' | 'candidate', batch = sample[`${side}Batch`]): Float32Array {
  const lookups = new Lookups(model.tables);
  const encode = model[side].prepare(batch, lookups);
  return forward({ parameters: model.parameters, lookups, rng: createRng(0) }, encode);
}

/** The sample's queries with other histories, each of `length` entries. */
function withHistory(...history: number[]): typeof sample.queryBatch {
  return { ...sample.queryBatch, ids: { ...sample.queryBatch.ids, history: Int32Array.from(history) } };
}

describe('youtube-dnn', () => {
  it('gives the rows of the items themselves as candidates, and a query of its fields and the mean of its history', () => {
    const model = build({ hiddenUnits: [], outputDim: null, normalize: false });
    const [embeddings, items] = model.tables as [DotModel['tables'][number], DotModel['tables'][number]];
    expect([embeddings.name, embeddings.dim, items.name, items.dim]).toEqual(['embeddings', 4, 'items', 18]);
    const row = (table: typeof items, vocabulary: string, id: number): number[] => {
      const at = (table.baseOf(vocabulary) + id) * table.dim;
      return [...table.values.subarray(at, at + table.dim)];
    };
    const candidates = sample.candidateBatch.ids['item_id'] as Int32Array;
    expect([...vectorsOf(model, 'candidate')]).toEqual([...candidates].flatMap((id) => row(items, 'item_id', id)));
    const [a, b] = [row(embeddings, 'item_id', 3), row(embeddings, 'item_id', 2)]; // the first user's history
    const first = [...vectorsOf(model, 'query').subarray(12, 16)];
    for (const [k, value] of first.entries()) {
      expect(value).toBeCloseTo(((a[k] as number) + (b[k] as number)) / 2, 6);
    }
  });

  it('has a ReLU on top where the last layer is left out, as in the paper', () => {
    const values = vectorsOf(build({ outputDim: null, normalize: false }), 'query');
    expect(Math.min(...values)).toBe(0);
    expect(Math.max(...values)).toBeGreaterThan(0);
  });

  it('takes a history for a bag: its order and the padding behind it change nothing', () => {
    const model = build();
    const before = vectorsOf(model, 'query', withHistory(2, 3, 4, 5, 5, 2, 3, 0, 0));
    const permuted = vectorsOf(model, 'query', withHistory(4, 2, 3, 2, 5, 5, 3, 0, 0));
    for (const [k, value] of permuted.entries()) expect(value).toBeCloseTo(before[k] as number, 6);
    const [history] = sample.query.sequences;
    const longer = {
      ...sample,
      query: { ...sample.query, sequences: [{ ...(history as NonNullable<typeof history>), length: 5 }] },
    };
    const padded = withHistory(2, 3, 4, 0, 0, 5, 5, 2, 0, 0, 3, 0, 0, 0, 0);
    expect(vectorsOf(build({}, longer), 'query', padded)).toEqual(before);
    expect(vectorsOf(model, 'query', withHistory(2, 3, 3, 5, 5, 2, 3, 0, 0))).not.toEqual(before);
  });

  it('reads histories and candidates from one table only when asked', () => {
    for (const sharedItemTable of [false, true]) {
      const model = build({ sharedItemTable });
      expect(model.tables).toHaveLength(sharedItemTable ? 1 : 2);
      const before = vectorsOf(model, 'query');
      const { values, dim, baseOf } = model.tables.at(-1) as DotModel['tables'][number];
      values.fill(9, (baseOf('item_id') + 2) * dim, (baseOf('item_id') + 3) * dim); // of the first item
      if (sharedItemTable) expect(vectorsOf(model, 'query')).not.toEqual(before);
      else expect(vectorsOf(model, 'query')).toEqual(before);
      expect([...vectorsOf(model, 'candidate').subarray(0, 4)]).toEqual([0.5, 0.5, 0.5, 0.5]);
    }
  });

  it('adds up what several features of a candidate say', () => {
    const genre = { name: 'genre', vocabulary: 'city', width: 1, ids: Uint8Array.of(1, 2, 2, 1) };
    const candidate = { ...sample.candidate, ids: [...sample.candidate.ids, genre] };
    const model = build({ normalize: false }, { ...sample, candidate });
    const { values, baseOf } = model.tables[1] as DotModel['tables'][number];
    const batch = { size: 1, ids: { item_id: Int32Array.of(2), genre: Int32Array.of(1) }, dense: {} };
    const [item, city] = [(baseOf('item_id') + 2) * 4, (baseOf('city') + 1) * 4];
    for (const [k, value] of vectorsOf(model, 'candidate', batch).entries()) {
      expect(value).toBeCloseTo((values[item + k] as number) + (values[city + k] as number), 6);
    }
  });

  it('refuses what cannot be a row of the table', () => {
    const dense = [{ name: 'price', width: 1, values: new Float32Array(4) }];
    expect(() => build({}, { ...sample, candidate: { ...sample.candidate, dense } })).toThrow(
      'model.type: candidates are rows of a table here, and the feature "price" is numbers',
    );
    expect(() => build({ sharedItemTable: true, outputDim: 8 })).toThrow(
      'model.shared_item_table: the query tower gives 8 numbers and a row of the shared table has 4, so there is no dot product',
    );
  });
});
