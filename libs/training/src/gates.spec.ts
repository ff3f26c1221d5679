import { prepareData, type LabelledSet, type SideBatch } from '@towerbench/data';
import { startEngine, tf } from '@towerbench/engine';
import type { DotModel, Gates, Tower } from '@towerbench/models';
import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { meanGates } from './gates.js';
import { places, record, sampleTrial } from './sample-trial.js';

beforeAll(() => startEngine(engineUnderTest));

/** More rows than are encoded at once. */
const data = prepareData(
  sampleTrial({
    dataset: { name: 'world/field-noise', numRows: 1000, numEvaluationRows: 2500, numItems: 30 },
    objective: { type: 'bce' },
    sampler: { type: 'labelled' },
  }).dataset,
  places,
);

/** A tower whose gates are the id of a feature, and minus two. */
function gated(feature: string): Tower {
  const gates: Gates = {
    names: ['as-the-id', 'constant'],
    prepare: ({ ids }: SideBatch) => {
      const values = Float32Array.from(ids[feature] as Int32Array);
      return () => tf.stack([tf.tensor1d(values), tf.fill([values.length], -2)], 1) as tf.Tensor2D;
    },
  };
  return {
    dim: 1,
    prepare:
      ({ size }) =>
      () =>
        tf.zeros([size, 1]),
    gates,
  };
}

const model: DotModel = {
  kind: 'towers',
  retrieval: 'dot',
  query: gated('field_1'),
  candidate: gated('item_id'),
  parameters: [],
  tables: [],
};

describe('meanGates', () => {
  it('is the mean over the queries of the part, each as often as it occurs, and over all items', () => {
    const { user } = data.valid as LabelledSet;
    const [, idOfUser] = data.query.ids; // field_1
    const [idOfItem] = data.candidate.ids;
    const mean = (ids: Iterable<number>): number => {
      const all = [...ids];
      return all.reduce((sum, id) => sum + id, 0) / all.length;
    };
    const gates = meanGates(model, [], data, data.valid);
    expect(Object.keys(gates)).toEqual([
      'gate/query/as-the-id',
      'gate/query/constant',
      'gate/candidate/as-the-id',
      'gate/candidate/constant',
    ]);
    expect(gates['gate/query/as-the-id']).toBeCloseTo(mean([...user].map((row) => idOfUser?.ids[row] as number)), 5);
    expect(gates['gate/candidate/as-the-id']).toBeCloseTo(mean(idOfItem?.ids ?? []), 5);
    expect(gates['gate/query/constant']).toBe(-2);
    expect(gates['gate/candidate/constant']).toBe(-2);
  });

  it('is empty for towers without gates', () => {
    const { gates: _query, ...query } = model.query;
    const { gates: _candidate, ...candidate } = model.candidate;
    expect(meanGates({ ...model, query, candidate }, [], data, data.valid)).toEqual({});
  });

  it('is logged at each validation, one series per field', async () => {
    const config = sampleTrial({
      model: { type: 'senet', outputDim: 8 },
      training: { evaluateEvery: 10, maxSteps: 30 },
    });
    const { points } = await record(config);
    const steps = (series: string): number[] =>
      points.filter((point) => point.series === series).map(({ step }) => step);
    expect(steps('valid/gate/query/gender')).toEqual([10, 20, 30]);
    expect(steps('valid/gate/candidate/genres')).toEqual([10, 20, 30]);
    const values = points.filter(({ series }) => series.startsWith('valid/gate/')).map(({ value }) => value);
    expect(Math.min(...values)).toBeGreaterThan(0); // between 0 and 2, the range of 2·sigmoid
    expect(Math.max(...values)).toBeLessThan(2);
  });
});
