import { prepareData, type PreparedData, type SideBatch } from '@towerbench/data';
import { createRng, forward, Lookups, startEngine, tf } from '@towerbench/engine';
import type { MultiInterestModel } from '@towerbench/models';
import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareExamples } from './encode-examples.js';
import { places, sampleTrial } from './sample-trial.js';
import { towerScorer } from './scoring.js';
import { trainingSettings } from './settings.js';
import { Trainer } from './trainer.js';
import { definitionsOf } from './trial.js';

beforeAll(async () => {
  await startEngine(engineUnderTest);
});

const data: PreparedData = prepareData(
  sampleTrial({
    dataset: { features: { query: ['user_id', { name: 'watched', kind: 'sequence', length: 4 }] } },
  }).dataset,
  places,
);
const K = 3;
/** A pass of models without weights. */
const NOTHING = { parameters: [], lookups: new Lookups([]), rng: createRng(0) };

interface Readout {
  readonly users: readonly number[];
  readonly targets: readonly number[];
  readonly active: readonly number[] | null;
}

/**
 * A model whose interests and items are numbers on a line; where `count` is given, users have as many interests. `readouts` are what it
 * was asked to read out: the ids of users (a tenth of their first interest), and the targets.
 */
function lineModel(options: {
  readonly interest: (user: number, k: number) => number;
  readonly item: (item: number) => number;
  readonly count?: (user: number) => number;
}): MultiInterestModel & { readonly readouts: Readout[] } {
  const { interest, item, count } = options;
  const idsOf = (batch: SideBatch, name: string): Int32Array => batch.ids[name] as Int32Array;
  const readouts: Readout[] = [];
  return {
    readouts,
    kind: 'towers',
    retrieval: 'multi-interest',
    parameters: [],
    tables: [],
    query: {
      dim: 1,
      numInterests: K,
      activeInterests: (batch) => (count === undefined ? null : idsOf(batch, 'user_id').map(count)),
      prepare: (batch) => () => {
        const values = [...idsOf(batch, 'user_id')].flatMap((id) =>
          Array.from({ length: K }, (_, k) => interest(id, k)),
        );
        return tf.tensor3d(values, [batch.size, K, 1]);
      },
    },
    candidate: {
      dim: 1,
      prepare: (batch) => () => tf.tensor2d(idsOf(batch, 'item_id').map(item), [batch.size, 1], 'float32'),
    },
    readout(_scope, { interests, targets, active }) {
      const all = [...interests.dataSync()];
      readouts.push({
        users: all.filter((_, at) => at % K === 0).map((first) => first / 10),
        targets: [...targets.dataSync()],
        active: active && [...active],
      });
      return tf.sum<tf.Tensor2D>(interests, 1);
    },
  };
}

/** Ids of a column as the model sees them. */
const idOf = (side: 'query' | 'candidate', name: string, row: number): number =>
  data[side].ids.find((feature) => feature.name === name)?.ids[row] as number;

describe('prepareExamples of several interests', () => {
  it('gives each example a query of its own, read out by its positive among the interests of its user', () => {
    const model = lineModel({ interest: (id, k) => 10 * id + k, item: (id) => id, count: (id) => 1 + (id % K) });
    const batches = {
      query: { size: 2, ids: { user_id: Int32Array.of(5, 7) }, dense: {} },
      candidate: { size: 3, ids: { item_id: Int32Array.of(40, 20, 30) }, dense: {} },
    };
    const examples = { queryOf: Int32Array.of(1, 0, 1), candidateOf: Int32Array.of(2, 0, 1), labels: null };
    const { queryOf, encode } = prepareExamples(model, batches, examples, new Lookups([]));
    expect([...queryOf]).toEqual([0, 1, 2]);
    const query = forward(NOTHING, (scope) => encode(scope).query);
    expect([...query]).toEqual([213, 153, 213]); // sums of 70 71 72, of 50 51 52, of 70 71 72
    const [readout] = model.readouts;
    expect(readout).toMatchObject({ targets: [30, 40, 20], active: [2, 3, 2] });
  });

  it.each([
    { layout: 'in-batch', changes: {} },
    {
      layout: 'pairs',
      changes: { objective: { type: 'sampled-softmax' }, sampler: { type: 'uniform', numNegatives: 3 } },
    },
  ])('reads out every training row by its own positive in the layout $layout', ({ layout, changes }) => {
    const config = sampleTrial({ ...changes, training: { batchSize: 1_000_000 } }); // one batch of all rows
    const { objective, sampler, optimizer } = definitionsOf(config);
    const model = lineModel({ interest: (id, k) => 10 * id + k, item: (id) => id });
    const rng = createRng(1);
    const loss = objective.build({ params: config.objective as never, rng });
    expect(loss.layout).toBe(layout);
    const trainer = new Trainer({
      data,
      model,
      loss,
      sampler: sampler.build({ params: config.sampler as never, data, batchSize: data.train.user.length }),
      labels: data.train.label,
      teaching: null,
      rule: optimizer.rule(config.optimizer as never),
      learningRate: 0.1,
      embedding: 'lazy',
      settings: trainingSettings.parse(config.training),
      rng,
    });
    forward(NOTHING, (scope) => trainer.assemble(1).lossOf(scope).loss);
    const { users, targets } = model.readouts[0] as (typeof model.readouts)[number];
    const pairs = users.map((user, row) => `${user} ${targets[row]}`);
    const { user, item } = data.train;
    const rows = [...user.keys()].map(
      (row) => `${idOf('query', 'user_id', user[row] as number)} ${idOf('candidate', 'item_id', item[row] as number)}`,
    );
    expect(pairs.sort()).toEqual(rows.sort());
  });
});

describe('towerScorer of several interests', () => {
  const users = Int32Array.from({ length: 7 }, (_, user) => user);
  const items = users.map((user) => (3 * user) % data.numItems);
  const ends = new Int32Array(users.length);
  const scoresOf = (options: Parameters<typeof lineModel>[0]) => {
    const scorer = towerScorer(lineModel(options), [], data);
    return { all: scorer.scoreUsers(users, ends), pairs: scorer.scorePairs(users, items, ends), scorer };
  };

  it('scores by the largest product, whichever interest has it and whatever its sign', () => {
    const interest = (id: number, k: number): number => [-3, 1, 0.5][(k + id) % K] as number;
    const { all, pairs, scorer } = scoresOf({ interest, item: (id) => (id % 2 === 0 ? id : -id) });
    for (const [row, user] of users.entries()) {
      for (let item = 0; item < data.numItems; item++) {
        const id = idOf('candidate', 'item_id', item);
        expect(all[row * data.numItems + item], `user ${user}`).toBe(id % 2 === 0 ? id : 3 * id);
      }
      expect(pairs[row]).toBe(all[row * data.numItems + (items[row] as number)]);
    }
    expect(scorer.vectors).toBeNull();
  });

  it('never lets an interest win that its user does not have', () => {
    const count = (id: number): number => 1 + (id % K);
    const { all, pairs } = scoresOf({ interest: (_, k) => 1 + k, item: (id) => id, count });
    for (const [row, user] of users.entries()) {
      const best = count(idOf('query', 'user_id', user)); // the last of those that the user has is the largest
      for (let item = 0; item < data.numItems; item++) {
        expect(all[row * data.numItems + item]).toBe(best * idOf('candidate', 'item_id', item));
      }
      expect(pairs[row]).toBe(all[row * data.numItems + (items[row] as number)]);
    }
  });
});
