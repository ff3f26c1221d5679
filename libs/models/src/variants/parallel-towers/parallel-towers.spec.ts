import { createRng, forward, Lookups, startEngine, type EmbeddingTable } from '@towerbench/engine';
import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DotModel } from '../../contract.js';
import { sampleInputs } from '../../sample-inputs.js';
import { towerKinds } from './kinds.js';
import { definition } from './parallel-towers.js';

beforeAll(() => startEngine(engineUnderTest));

/** Both sides have several fields, so that there are pairs of fields within and between them. */
function inputs() {
  const sample = sampleInputs();
  const candidate = {
    ...sample.candidate,
    ids: [...sample.candidate.ids, { name: 'genre', vocabulary: 'city', width: 1, ids: Uint8Array.of(1, 2, 2, 1) }],
  };
  const candidateBatch = {
    ...sample.candidateBatch,
    ids: { ...sample.candidateBatch.ids, genre: Int32Array.of(1, 2, 2, 1) },
  };
  const query = { ...sample.query, dense: [] };
  return { ...sample, query, candidate, candidateBatch };
}

function build(params: object): DotModel {
  const options = { embeddingDim: 3, embeddingStd: 0.5, hiddenUnits: [5], outputDim: 4, ffmDim: 2, ...params };
  return definition.build({ ...inputs(), params: definition.params.parse(options) }) as DotModel;
}

function vectorsOf(model: DotModel, side: 'query' | 'candidate'): Float32Array {
  const { queryBatch, candidateBatch } = inputs();
  const lookups = new Lookups(model.tables);
  const run = model[side].prepare(side === 'query' ? queryBatch : candidateBatch, lookups);
  return forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run);
}

/** Scores of the sample's queries with its candidates, [3, 4]. */
function scoresOf(model: DotModel): number[] {
  const { dim } = model.query;
  const [u, v] = [vectorsOf(model, 'query'), vectorsOf(model, 'candidate')];
  return Array.from({ length: 12 }, (_, at) => {
    const [row, item] = [Math.floor(at / 4), at % 4];
    let sum = 0;
    for (let k = 0; k < dim; k++) sum += (u[row * dim + k] as number) * (v[item * dim + k] as number);
    return sum;
  });
}

/** The embedding of every field of every row of the sample's batches, in the order of the fields. */
function embedded(table: EmbeddingTable, side: 'query' | 'candidate'): number[][][] {
  const { query, candidate, queryBatch, candidateBatch } = inputs();
  const [features, batch] = side === 'query' ? [query, queryBatch] : [candidate, candidateBatch];
  const fields = [
    ...features.ids.filter(({ width }) => width === 1),
    ...features.ids.filter(({ width }) => width > 1),
    ...features.sequences.map(({ name, vocabulary, length }) => ({ name, vocabulary, width: length })),
  ];
  return Array.from({ length: batch.size }, (_, row) =>
    fields.map(({ name, vocabulary, width }) => {
      const ids = [
        ...((batch.ids as Record<string, Int32Array>)[name] as Int32Array).subarray(row * width, (row + 1) * width),
      ].filter((id) => id > 0);
      const sum = new Array<number>(table.dim).fill(0);
      for (const id of ids) {
        const at = (table.baseOf(vocabulary) + id) * table.dim;
        for (let k = 0; k < table.dim; k++) sum[k]! += (table.values[at + k] as number) / ids.length;
      }
      return sum;
    }),
  );
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, k) => sum + x * (b[k] as number), 0);
const pairsWithin = (fields: readonly number[][]): number =>
  fields.reduce((sum, e, i) => sum + fields.slice(i + 1).reduce((inner, f) => inner + dot(e, f), 0), 0);
const expectClose = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
};

describe('fm', () => {
  it("scores every pair of a query's and a candidate's field, and with its own terms the item's first order and pairs", () => {
    const model = build({ towers: ['fm'] });
    const [table, firstOrder] = model.tables as [EmbeddingTable, EmbeddingTable];
    const queries = embedded(table, 'query');
    const items = embedded(table, 'candidate');
    const first = embedded(firstOrder, 'candidate');
    const expected = queries.flatMap((query) =>
      items.map((item, i) => {
        const between = query.reduce((sum, e) => sum + item.reduce((inner, f) => inner + dot(e, f), 0), 0);
        const own = (first[i] as number[][]).reduce((sum, [w]) => sum + (w as number), 0);
        return between + own + pairsWithin(item);
      }),
    );
    expectClose(scoresOf(model), expected);
    expect(build({ towers: ['fm'], itemTerms: false }).query.dim).toBe(model.query.dim - 1);
  });
});

describe('ffm', () => {
  it('scores each pair of fields by the embeddings that they have for each other', () => {
    const model = build({ towers: ['ffm'] });
    const [queryTable, itemTable] = model.tables as [EmbeddingTable, EmbeddingTable];
    const k = 2;
    const expected = embedded(queryTable, 'query').flatMap((query) =>
      embedded(itemTable, 'candidate').map((item) => {
        let sum = 0;
        for (const [a, e] of query.entries()) {
          for (const [b, f] of item.entries()) sum += dot(e.slice(b * k, (b + 1) * k), f.slice(a * k, (a + 1) * k));
        }
        return sum;
      }),
    );
    expectClose(scoresOf(model), expected);
  });
});

describe('dcn', () => {
  it('is x0 (xᵀw) + b + x layer by layer, then its MLP', () => {
    const model = build({ towers: ['dcn'], crossLayers: 2, hiddenUnits: [] });
    const weight = (name: string): Float32Array => {
      const found = model.parameters.find((parameter) => parameter.name === name);
      if (found === undefined) throw new Error(`no ${name}`);
      return found.values;
    };
    weight('dcn/candidate/cross1/bias').forEach((_, i, values) => (values[i] = 0.1 * (i + 1)));
    const rows = embedded(model.tables[0] as EmbeddingTable, 'candidate').map((fields) => fields.flat());
    const kernel = weight('dcn/candidate/output/kernel');
    const expected = rows.flatMap((x0) => {
      let x = x0;
      for (const l of [0, 1]) {
        const gate = dot(x, [...weight(`dcn/candidate/cross${l}/kernel`)]);
        const bias = weight(`dcn/candidate/cross${l}/bias`);
        x = x.map((value, i) => (x0[i] as number) * gate + (bias[i] as number) + value);
      }
      return [0, 1, 2, 3].map((unit) => x.reduce((sum, value, i) => sum + value * (kernel[i * 4 + unit] as number), 0));
    });
    expectClose([...vectorsOf(model, 'candidate')], expected);
  });
});

describe('cin', () => {
  it('sums products of maps and fields, dimension by dimension, and pools every layer', () => {
    const model = build({ towers: ['cin'], cinUnits: [3, 2], outputDim: 4 });
    const weight = (name: string): Float32Array =>
      model.parameters.find((parameter) => parameter.name === name)?.values as Float32Array;
    const output = weight('cin/candidate/output/kernel');
    const expected = embedded(model.tables[0] as EmbeddingTable, 'candidate').flatMap((x0) => {
      let x = x0;
      const pooled: number[] = [];
      for (const [layer, units] of [3, 2].entries()) {
        const w = weight(`cin/candidate/layer${layer}`);
        x = Array.from({ length: units }, (_, h) =>
          (x0[0] as number[]).map((_value, d) => {
            let sum = 0;
            for (const [i, map] of x.entries()) {
              for (const [j, field] of x0.entries())
                sum += (w[(i * x0.length + j) * units + h] as number) * (map[d] as number) * (field[d] as number);
            }
            return sum;
          }),
        );
        pooled.push(...x.map((map) => map.reduce((sum, value) => sum + value, 0)));
      }
      return [0, 1, 2, 3].map((unit) =>
        pooled.reduce((sum, value, i) => sum + value * (output[i * 4 + unit] as number), 0),
      );
    });
    expectClose([...vectorsOf(model, 'candidate')], expected);
  });
});

describe('parallel-towers', () => {
  it('scores by the weighted sum of its towers, as one dot product', () => {
    const model = build({ towers: [...towerKinds] });
    const alone = towerKinds.map((kind) => scoresOf(build({ towers: [kind] })));
    const sum = (weightOf: (k: number) => number): number[] =>
      Array.from({ length: 12 }, (_, at) =>
        alone.reduce((total, scores, k) => total + weightOf(k) * (scores[at] as number), 0),
      );
    expectClose(
      scoresOf(model),
      sum(() => 1),
    );

    const perTower = build({ towers: [...towerKinds], fusion: 'towers' });
    for (const [k, kind] of towerKinds.entries()) {
      const weight = perTower.parameters.find(({ name }) => name === `fusion/${kind}/scale`);
      weight?.values.set([k - 1.5]);
    }
    expectClose(
      scoresOf(perTower),
      sum((k) => k - 1.5),
    );
  });

  it('weighs every dimension of the match', () => {
    const model = build({ towers: ['mlp', 'fm'], itemTerms: false });
    const weights = model.parameters.filter(({ name }) => name.startsWith('fusion/'));
    expect(weights.map(({ name, shape }) => [name, shape])).toEqual([
      ['fusion/mlp/scale', [4]],
      ['fusion/fm/scale', [3]],
    ]);
    const [u, v] = [vectorsOf(model, 'query'), vectorsOf(model, 'candidate')];
    weights[0]?.values.set([2, 0, -1, 0.5]);
    weights[1]?.values.set([0, 3, 1]);
    const w = [2, 0, -1, 0.5, 0, 3, 1];
    const expected = Array.from({ length: 12 }, (_, at) =>
      w.reduce(
        (sum, weight, k) => sum + weight * (u[Math.floor(at / 4) * 7 + k] as number) * (v[(at % 4) * 7 + k] as number),
        0,
      ),
    );
    expectClose(scoresOf(model), expected);
  });

  it('shares one table among its towers, or gives each its own', () => {
    const names = (params: object): string[] =>
      build({ towers: ['mlp', 'dcn', 'fm'], ...params }).tables.map(({ name }) => name);
    expect(names({})).toEqual(['mlp/embeddings', 'dcn/embeddings', 'fm/embeddings', 'fm/first-order']);
    expect(names({ sharedEmbeddings: true })).toEqual(['embeddings', 'fm/first-order']);
  });

  it('names every weight differently', () => {
    const model = build({ towers: [...towerKinds] });
    const names = [...model.parameters, ...model.tables].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('refuses the same kind twice', () => {
    expect(definition.params.safeParse({ towers: ['fm', 'fm'] }).success).toBe(false);
  });
});
