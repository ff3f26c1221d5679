import { createEmbeddingTable, createRng, forward, Lookups, startEngine, tf } from '@towerbench/engine';
import { beforeAll, describe, expect, it } from 'vitest';
import { sampleInputs } from '../sample-inputs.js';
import { embedFields, flatten } from './fields.js';
import { mlp } from './linear.js';

beforeAll(() => startEngine('cpu'));

function embedQuery() {
  const { query, vocabularies, queryBatch } = sampleInputs();
  const table = createEmbeddingTable({
    name: 'embeddings',
    dim: 2,
    vocabularies: Object.values(vocabularies),
    standardDeviation: 1,
    rng: createRng(1),
  });
  const fields = embedFields(query, table);
  const lookups = new Lookups([table]);
  const run = fields.prepare(queryBatch, lookups);
  const values = forward({ parameters: [], lookups, rng: createRng(0) }, (scope) => flatten(run(scope)));
  const row = (vocabulary: string, id: number): number[] => [
    ...table.values.subarray((table.baseOf(vocabulary) + id) * 2, (table.baseOf(vocabulary) + id + 1) * 2),
  ];
  return { fields, values, row };
}

describe('embedFields', () => {
  it('puts categorical fields first, then bags and sequences, then dense features', () => {
    const { fields, values, row } = embedQuery();
    expect(fields.names).toEqual(['age', 'city', 'hobbies', 'history']);
    expect(fields.flatWidth).toBe(4 * 2 + 2);
    const first = [...values.subarray(0, 10)];
    expect(first.slice(0, 4)).toEqual([...row('age', 1), ...row('city', 2)]);
    expect(first.slice(8)).toEqual([0.5, -1]);
  });

  it('averages a bag over its real values and leaves an empty one at zero', () => {
    const { values, row } = embedQuery();
    const [a, b] = [row('hobbies', 2), row('hobbies', 3)];
    expect(values[4]).toBeCloseTo(((a[0] as number) + (b[0] as number)) / 2, 6);
    expect([...values.subarray(14, 18)]).toEqual([0, 0, 0, 0]); // second user: no hobbies, no history
  });
});

describe('mlp', () => {
  it('is the identity without layers, so a tower of ids is a lookup', () => {
    const layers = mlp({
      name: 'tower',
      inputDim: 3,
      hiddenUnits: [],
      outputDim: null,
      activation: 'relu',
      rng: createRng(1),
    });
    expect(layers.outputDim).toBe(3);
    expect(layers.parameters).toEqual([]);
  });

  it('has a linear last layer: outputs of both signs', () => {
    const layers = mlp({
      name: 'tower',
      inputDim: 2,
      hiddenUnits: [8],
      outputDim: 16,
      activation: 'relu',
      rng: createRng(1),
    });
    const lookups = new Lookups([]);
    const out = forward({ parameters: layers.parameters, lookups, rng: createRng(0) }, (scope) =>
      layers.apply(scope, tf.tensor2d([[1, -2]])),
    );
    expect(Math.min(...out)).toBeLessThan(0);
    expect(Math.max(...out)).toBeGreaterThan(0);
  });
});
