import { createRng, startEngine } from '@towerbench/engine';
import { engineUnderTest, expectClose } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { models } from './catalog.js';
import type { FitProgress, ModelDefinition, ScoringModel } from './contract.js';
import { buildOnSample } from './sample-inputs.js';
import { fitted, inputsOf, randomRows } from './sample-interactions.js';

beforeAll(() => startEngine(engineUnderTest));

/** Baselines; models with towers go through the suite of models.conformance.spec.ts. */
const scorers = models.definitions.filter((definition) => buildOnSample(definition).kind === 'scorer');

describe.each(scorers)('$name', (definition: ModelDefinition) => {
  const [numUsers, numItems] = [12, 9];
  const rows = randomRows({ numUsers, numItems, seed: 'conformance' });
  const everyone = Int32Array.from(rows.keys());
  const scored = (seed = 1): ScoringModel => fitted(definition, inputsOf(rows, seed));

  it('gives every user a finite score of every item, those without a training row included', () => {
    const scores = scored().scoreUsers(everyone);
    expect(scores).toHaveLength(numUsers * numItems);
    expect(scores.every(Number.isFinite)).toBe(true);
    expect(new Set(scores).size).toBeGreaterThan(5);
    expect([...fitted(definition, inputsOf([[0, 0, 0]])).scoreUsers(Int32Array.of(0))].every(Number.isFinite)).toBe(
      true,
    );
  });

  it('scores a pair as it scores the user, in any order of pairs', () => {
    const model = scored();
    const rng = createRng('pairs');
    const users = Int32Array.from({ length: 50 }, () => rng.int(numUsers));
    const items = Int32Array.from({ length: 50 }, () => rng.int(numItems));
    const all = model.scoreUsers(everyone);
    const expected = Float32Array.from(users, (user, row) => all[user * numItems + (items[row] as number)] as number);
    expect(model.scorePairs(users, items)).toEqual(expected);
    expect(model.scoreUsers(everyone.slice(3, 5))).toEqual(all.slice(3 * numItems, 5 * numItems));
  });

  it('has vectors, if any, whose inner products are its scores', () => {
    const model = scored();
    if (model.vectors === undefined) return;
    const { queries, candidates, dim } = model.vectors(everyone);
    const products = Array.from({ length: numUsers * numItems }, (_, at) => {
      const [u, i] = [Math.floor(at / numItems) * dim, (at % numItems) * dim];
      return queries.subarray(u, u + dim).reduce((sum, value, k) => sum + value * (candidates[i + k] as number), 0);
    });
    expectClose(model.scoreUsers(everyone), products, { absolute: 1e-5 });
  });

  it('scores whoever has the items of a user as that user, if it scores anybody new, and says why an item scores or adds up what its items score', () => {
    const { scoreHistory, scoreUsers, reason } = scored();
    if (reason !== undefined) expect(reason(3, 2)).toMatch(/^\d+ .*\w$/);
    if (scoreHistory === undefined) return;
    for (const [user, row] of rows.entries()) {
      const items = Int32Array.from(row.flatMap((had, item) => (had === 0 ? [] : [item])));
      const scores = scoreHistory(items);
      expect(scores).toEqual(scoreUsers(Int32Array.of(user)));
      if (reason !== undefined) continue;
      const alone = Array.from(items, (item) => scoreHistory(Int32Array.of(item)));
      const sums = Float32Array.from(scores, (_, item) => alone.reduce((sum, each) => sum + (each[item] as number), 0));
      expectClose(scores, [...sums], { absolute: 1e-6 });
    }
  });

  it('gives the same scores for the same seed, and for every seed where no parameters would be stored', () => {
    const { scoreUsers, parameters } = scored(1);
    expect(scored(1).scoreUsers(everyone)).toEqual(scoreUsers(everyone));
    if (parameters === undefined) expect(scored(2).scoreUsers(everyone)).toEqual(scoreUsers(everyone));
    else expect(scored(2).scoreUsers(everyone)).not.toEqual(scoreUsers(everyone));
  });

  it('scores by its stored parameters alone, where it has them', () => {
    const { parameters, scoreUsers } = scored(1);
    if (parameters === undefined) return;
    const other = scored(2);
    for (const [k, { name: stored, shape, values }] of parameters.entries()) {
      expect(other.parameters?.[k]).toMatchObject({ name: stored, shape });
      expect(values).toHaveLength(shape.reduce((size, length) => size * length, 1));
      other.parameters?.[k]?.values.set(values);
    }
    expect(other.scoreUsers(everyone)).toEqual(scoreUsers(everyone));
  });

  it('counts the numbers it stores, and its pieces up to their total', () => {
    const model = definition.build({ ...inputsOf(rows), params: definition.params.parse({}) }) as ScoringModel;
    const pieces: FitProgress[] = [...(model.fit?.() ?? [])];
    const done = pieces.map((piece) => piece.done);
    expect(done).toEqual([...new Set(done)].sort((a, b) => a - b));
    expect(pieces.every((piece) => piece.done > 0 && piece.done <= piece.total)).toBe(true);
    const epochs = pieces.flatMap(({ epoch }) => epoch?.number ?? []);
    expect(epochs).toEqual(epochs.map((_, k) => k + 1));
    expect(model.parameterCount).toBeGreaterThan(0);
    if (model.parameters !== undefined) {
      expect(model.parameterCount).toBe(model.parameters.reduce((sum, { values }) => sum + values.length, 0));
    }
  });

  it('learns from the positives of labelled rows alone', () => {
    const inputs = inputsOf(rows);
    const { train } = inputs.data;
    const size = train.user.length;
    const others = rows.flatMap((row, user) => row.flatMap((had, item) => (had === 0 ? [{ user, item }] : [])));
    const labelled = {
      user: Int32Array.from([...train.user, ...others.map(({ user }) => user)]),
      item: Int32Array.from([...train.item, ...others.map(({ item }) => item)]),
      label: Uint8Array.from({ length: size + others.length }, (_, row) => (row < size ? 1 : 0)),
      historyEnd: new Int32Array(size + others.length),
      weight: null,
    };
    const expected = scored().scoreUsers(everyone);
    const on = (rowsOf: typeof train) =>
      fitted(definition, { ...inputs, data: { ...inputs.data, train: rowsOf } }).scoreUsers(everyone);
    expect(on(labelled)).toEqual(expected);
  });
});
