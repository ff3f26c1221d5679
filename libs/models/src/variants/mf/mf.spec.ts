import { expectClose } from '@towerbench/testing';
import { describe, expect, it } from 'vitest';
import type { FitProgress, ScoringModel } from '../../contract.js';
import { fitted, inputsOf, randomRows } from '../../sample-interactions.js';
import { definition } from './mf.js';

describe('mf', () => {
  const rows = randomRows({ numUsers: 40, numItems: 20, seed: 'mf' });
  const everyone = Int32Array.from(rows.keys());

  const lossesOf = (params: object): number[] => {
    const model = definition.build({ ...inputsOf(rows), params: definition.params.parse(params) }) as ScoringModel;
    const pieces: FitProgress[] = [...(model.fit?.() ?? [])];
    return pieces.flatMap(({ epoch }) => (epoch === undefined ? [] : [epoch.values['loss'] as number]));
  };

  it.each(['logistic', 'bpr'] as const)('learns who has what: %s', (loss) => {
    const params = { loss, epochs: 30, learningRate: 0.05 };
    const losses = lossesOf(params);
    expect(losses).toHaveLength(30);
    expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] as number));
    const scores = fitted(definition, inputsOf(rows), params).scoreUsers(everyone);
    const mean = (label: number): number => {
      const of = rows.flatMap((row, user) => row.flatMap((had, item) => (had === label ? [scores[user * 20 + item] as number] : []))); // prettier-ignore
      return of.reduce((sum, value) => sum + value, 0) / of.length;
    };
    expect(mean(1)).toBeGreaterThan(mean(0) + 0.5);
  });

  it('begins at the loss of a guess: ln 2, by far most of it before anything has moved', () => {
    for (const loss of ['logistic', 'bpr']) {
      const [first] = lossesOf({ loss, epochs: 1, learningRate: 1e-6 }) as [number];
      expect(first).toBeCloseTo(Math.LN2, 2);
    }
  });

  it('draws other negatives in another epoch', () => {
    // where steps are tiny, two epochs of half the step would be one epoch, were their examples the same
    const scoresAfter = (epochs: number) =>
      fitted(definition, inputsOf(rows), { epochs, learningRate: 1e-5 / epochs, numNegatives: 1 }).scoreUsers(everyone);
    const untrained = definition.build({ ...inputsOf(rows), params: definition.params.parse({}) }) as ScoringModel;
    const [start, once, twice] = [untrained.scoreUsers(everyone), scoresAfter(1), scoresAfter(2)];
    const distance = (from: Float32Array, to: Float32Array): number =>
      Math.sqrt(from.reduce((sum, score, k) => sum + (score - (to[k] as number)) ** 2, 0));
    expect(distance(once, twice)).toBeGreaterThan(0.1 * distance(start, once));
  });

  it('scores by all biases and the product of the vectors', () => {
    const model = fitted(definition, inputsOf(rows), { embeddingDim: 3, epochs: 20, learningRate: 0.05 });
    const [users, items, bias] = (model.parameters ?? []).map(({ values }) => values) as [Float32Array, Float32Array, Float32Array]; // prettier-ignore
    const expected = rows.flatMap((row, u) =>
      row.map((_, i) => {
        const [p, q] = [users.subarray(3 * u, 3 * u + 3), items.subarray(3 * i, 3 * i + 3)] as [Float32Array, Float32Array]; // prettier-ignore
        const [p0, p1, ofUser] = p as unknown as [number, number, number];
        const [q0, q1, ofItem] = q as unknown as [number, number, number];
        return (bias[0] as number) + ofUser + ofItem + p0 * q0 + p1 * q1;
      }),
    );
    expect(Math.abs(bias[0] as number)).toBeGreaterThan(0.1);
    expectClose(model.scoreUsers(everyone), expected, { absolute: 1e-5 });
  });

  it('visits each positive once an epoch, and as many negatives of its user as are asked for, from all items alike', () => {
    const [learningRate, numNegatives] = [1e-6, 50];
    // while hardly anything has moved, a positive moves a bias by half of the learning rate and a negative by as much back
    const model = fitted(definition, inputsOf(rows), { epochs: 1, learningRate, numNegatives, embeddingStd: 1e-6 });
    const [users, items, bias] = (model.parameters ?? []).map(
      ({ shape: [, dim = 1], values }) =>
      Array.from(values.filter((_, at) => at % dim === dim - 1), (value) => (2 * value) / learningRate), // prettier-ignore
    ) as [number[], number[], number[]];
    const sizes = rows.map((row) => row.reduce((sum, had) => sum + had, 0));
    const numPositives = sizes.reduce((sum, size) => sum + size, 0);
    expectClose(users, sizes.map((size) => size * (1 - numNegatives)), { relative: 0.01 }); // prettier-ignore
    expectClose(bias, [numPositives * (1 - numNegatives)], { relative: 0.01 });
    const drawn = items.map((value, item) => rows.filter((row) => row[item] === 1).length - value);
    // counts of a multinomial: √mean is their deviation
    const expected = (numPositives * numNegatives) / 20;
    expectClose(drawn, items.map(() => expected), { absolute: 5 * Math.sqrt(expected) }); // prettier-ignore
  });
});
