import { ConfigError } from '@towerbench/config';
import { assembleCandidate, assembleQuery, prepareData, type RankingSet } from '@towerbench/data';
import {
  createRng,
  Lookups,
  pairScores,
  startEngine,
  stepGradients,
  tf,
  type CatalogueVectors,
} from '@towerbench/engine';
import { logLoss } from '@towerbench/metrics';
import { models, type ModelDefinition, type TowerModel } from '@towerbench/models';
import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareExamples } from './encode-examples.js';
import { assembleRun } from './assemble-run.js';
import { readSafetensors } from './safetensors.js';
import { checkpointFile, places, sampleTrial } from './sample-trial.js';
import { describeTrial } from './trial.js';

beforeAll(async () => {
  await startEngine(engineUnderTest);
});

/** Users with a history, which some models need; of more than a session. */
const profile = ['user_id', 'gender', 'age'];
const query = [...profile, { name: 'watched', kind: 'sequence', length: 7 }];
const features = { query, candidate: ['item_id', 'genres'] };
/** Models that are trained by steps: all but the baselines. */
const towers = models.names.filter((type) => {
  const config = sampleTrial({ dataset: { features }, model: { type } });
  return assembleRun(config, prepareData(config.dataset, places), 0).kind === 'towers';
});
/** Those with one query vector: with several, the one that is trained for an example is not the one that scores another item best. */
const ofOneVector = towers.filter((name) => !('numInterests' in models.get(name).params.shape));
/** Those of them that can do without a history, as rows without times have none. */
const ofProfiles = ofOneVector.filter((type) => {
  const config = sampleTrial({ dataset: { features: { ...features, query: profile } }, model: { type } });
  try {
    return assembleRun(config, prepareData(config.dataset, places), 0).kind === 'towers';
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
});
/** Models that are trained and score pairs, without vectors. */
const rankers = models.names.filter((type) => (models.get(type) as ModelDefinition).isRanker === true);
const SEED = 1;
const TEMPERATURE = 0.2;
/** Larger than any training part here: a step is one batch of all rows, whatever their order. */
const ALL_ROWS = 1_000_000;

/** A trial whose users have a history, after a few steps. */
function trained(type: string, changes: Parameters<typeof sampleTrial>[0] = {}) {
  const config = sampleTrial({
    dataset: { features },
    model: { type },
    objective: { temperature: TEMPERATURE },
    training: { batchSize: ALL_ROWS, epochs: 10 },
    ...changes,
  });
  const data = prepareData(config.dataset, places);
  const run = assembleRun(config, data, SEED);
  if (run.kind === 'scorer') throw new Error(`${type} is not trained`);
  for (let step = 0; step < 5; step++) run.trainer.step();
  return { config, data, run };
}

/** A model of the same trial, with the weights that the run has now. */
function modelOf({ config, data, run }: ReturnType<typeof trained>): TowerModel {
  const definition = models.get(config.model.type as never) as (typeof models.definitions)[number];
  const { type: _type, ...params } = config.model;
  const model = definition.build({ ...data, data, params: params as never, rng: createRng(SEED).fork('model') });
  if (model.kind !== 'towers') throw new Error(`${config.model.type} has no towers`);
  const checkpoint = checkpointFile();
  run.trainer.save(checkpoint, {});
  readSafetensors(checkpoint, ({ read }) => {
    for (const { name, shape, values } of model.parameters) read({ name, shape, values });
    for (const { name, numRows, dim, values } of model.tables) read({ name, shape: [numRows, dim], values });
  });
  return model;
}

/** Product of vector `row` of the queries with an item's. */
function productOf({ queries, candidates, dim }: CatalogueVectors, row: number, item: number): number {
  let product = 0;
  for (let d = 0; d < dim; d++) product += (queries[row * dim + d] as number) * (candidates[item * dim + d] as number);
  return product;
}

describe.each(towers)('%s when it serves', (type) => {
  it('scores a pair by the logit of training × temperature', () => {
    const whole = trained(type);
    const { data, run } = whole;
    const rng = createRng('pairs');
    const rows = Int32Array.from({ length: 100 }, () => rng.int(data.train.user.length));
    const users = rows.map((row) => data.train.user[row] as number);
    const historyEnd = rows.map((row) => data.train.historyEnd[row] as number);
    const items = rows.map(() => rng.int(data.numItems));

    const model = modelOf(whole);
    const lookups = new Lookups(model.tables);
    const places = Int32Array.from(rows.keys());
    const { encode } = prepareExamples(
      model,
      { query: assembleQuery(data, users, historyEnd), candidate: assembleCandidate(data, items) },
      { queryOf: places, candidateOf: places, labels: null },
      lookups,
    );
    let logits = new Float32Array(0);
    stepGradients(
      { parameters: model.parameters, lookups, rng },
      (scope) => {
        const { query, candidate } = encode(scope);
        const scores = pairScores(query, candidate, { queryOf: places, candidateOf: places });
        logits = Float32Array.from(tf.div(scores, TEMPERATURE).dataSync());
        return { loss: tf.sum(scores) };
      },
      () => undefined,
    );

    const pairs = run.scorer().scorePairs(users, items, historyEnd);
    const catalogue = run.scorer().scoreUsers(users, historyEnd); // [pairs, items]
    expect(new Set(pairs).size).toBeGreaterThan(80); // users without a history may share a vector
    const vectors = run.scorer().vectors?.(users, historyEnd) ?? null;
    expect(vectors !== null).toBe(ofOneVector.includes(type));
    for (const [k, logit] of logits.entries()) {
      if (vectors !== null) {
        expect(Math.abs(productOf(vectors, k, items[k] as number) - logit * TEMPERATURE)).toBeLessThan(1e-5);
      }
      expect(Math.abs((pairs[k] as number) - logit * TEMPERATURE)).toBeLessThan(1e-5);
      expect(Math.abs((catalogue[k * data.numItems + (items[k] as number)] as number) - logit * TEMPERATURE)).toBeLessThan(1e-5); // prettier-ignore
    }
  });

  it('sees nothing of what is to be found: other items after the moment of evaluation change no score', () => {
    const { config, data } = trained(type);
    for (const part of ['valid', 'test'] as const) {
      const { users, historyEnd } = data[part] as RankingSet;
      const items = data.history.items.slice();
      for (const [entry, user] of users.entries()) {
        const start = data.history.offsets[user] as number;
        items.fill(0, start + (historyEnd[entry] as number), data.history.offsets[user + 1]);
      }
      const scoresOn = (known: typeof data) => assembleRun(config, known, SEED).scorer().scoreUsers(users, historyEnd);
      expect(items).not.toEqual(data.history.items);
      expect(scoresOn({ ...data, history: { ...data.history, items } })).toEqual(scoresOn(data));
    }
  });

  it('learns a pair from what came before it: to change its own item in the history, or later ones, changes no loss', () => {
    const { config, data } = trained(type);
    const { user, historyEnd } = data.train;
    const last = [...user.keys()].filter((row) => user[row] !== user[row + 1]); // one row of each user
    const of = (column: Int32Array): Int32Array => Int32Array.from(last, (row) => column[row] as number);
    const train = { ...data.train, user: of(user), item: of(data.train.item), historyEnd: of(historyEnd) };
    const items = data.history.items.slice();
    for (const row of last) {
      const start = data.history.offsets[user[row] as number] as number;
      items.fill(0, start + (historyEnd[row] as number), data.history.offsets[(user[row] as number) + 1]);
    }
    const history = { ...data.history, items };
    const lossOn = (known: Partial<typeof data>): number => {
      const run = assembleRun(config, { ...data, ...known }, SEED);
      if (run.kind !== 'towers') throw new Error(`${type} has no towers`);
      return run.trainer.step().loss;
    };
    expect(lossOn({ train, history })).toBe(lossOn({ train }));
    const leaky = { ...train, historyEnd: train.historyEnd.map((end) => end + 1) }; // the item itself is read
    expect(lossOn({ train: leaky, history })).not.toBe(lossOn({ train: leaky }));
  });
});

describe.each(ofOneVector)('%s when it trains', (type) => {
  it('leaves log q to training: the next loss is that of its scores / temperature − log q', () => {
    const { data, run } = trained(type);
    const { user, item, historyEnd } = data.train;
    const scores = run.scorer().scoreUsers(user, historyEnd); // [rows, items]
    const counts = [...data.itemCounts];
    const logQ = counts.map((count) => Math.log(Math.max(count, 1) / user.length));
    expect(new Set(logQ).size).toBeGreaterThan(5);
    let expected = 0;
    for (const [row, own] of item.entries()) {
      const logits = counts.map((_, i) => (scores[row * counts.length + i] as number) / TEMPERATURE - (logQ[i] as number)); // prettier-ignore
      // every other row is a negative, but those of the same item
      const total = logits.reduce(
        (sum, logit, i) => sum + (i === own ? 1 : (counts[i] as number)) * Math.exp(logit),
        0,
      );
      expected += Math.log(total) - (logits[own] as number);
    }
    const { loss, terms } = run.trainer.step();
    expect(terms['objective'] ?? loss).toBeCloseTo(expected / user.length, 4); // without what belongs to the model
  });

  it.skipIf(!ofProfiles.includes(type))('gives labelled rows the log-odds that training gives them', () => {
    const { data, run } = trained(type, {
      dataset: {
        name: 'world/field-noise',
        numRows: 1000,
        numEvaluationRows: 500,
        numItems: 20,
        features: { query: ['user_id', 'field_0', 'field_1'], candidate: ['item_id'] },
      },
      objective: { type: 'bce', temperature: TEMPERATURE },
      sampler: { type: 'labelled' },
    });
    const { user, item, historyEnd, label } = data.train;
    const { scorePairs, logits } = run.scorer();
    const before = logLoss(logits?.(scorePairs(user, item, historyEnd)) as Float32Array, label as Uint8Array);
    const { loss, terms } = run.trainer.step();
    expect(terms['objective'] ?? loss).toBeCloseTo(before, 5);
  });
});

describe.each(rankers)('%s when it scores', (type) => {
  const labelled = {
    dataset: { name: 'world/field-noise', numRows: 1000, numEvaluationRows: 500, numItems: 20 },
    objective: { type: 'bce', temperature: TEMPERATURE },
    sampler: { type: 'labelled' },
  };

  it('gives labelled rows the log-odds that training gives them', () => {
    const { data, run } = trained(type, labelled);
    const { user, item, historyEnd, label } = data.train;
    const { scorePairs, logits, vectors } = run.scorer();
    expect(vectors).toBeNull();
    const before = logLoss(logits?.(scorePairs(user, item, historyEnd)) as Float32Array, label as Uint8Array);
    const { loss, terms } = run.trainer.step();
    expect(terms['objective'] ?? loss).toBeCloseTo(before, 5);
  });

  it.each([20, 17_000])('scores a user as it scores the pairs, a block after the other: %i items', (numItems) => {
    const { data, run } = trained(type, { ...labelled, dataset: { ...labelled.dataset, numItems } });
    const users = Int32Array.of(3, 990);
    const ends = new Int32Array(2);
    const scores = run.scorer().scoreUsers(users, ends); // [users, items]
    expect(scores).toHaveLength(2 * numItems);
    const rng = createRng('pairs');
    const { item } = data.train; // the others share one embedding
    const at = Int32Array.from({ length: 100 }, () => rng.int(2) * numItems + (item[rng.int(item.length)] as number));
    const pairs = run.scorer().scorePairs(
      at.map((place) => users[Math.floor(place / numItems)] as number),
      at.map((place) => place % numItems),
      new Int32Array(100),
    );
    expect(new Set(pairs).size).toBeGreaterThan(20);
    for (const [k, place] of at.entries()) expect(pairs[k]).toBeCloseTo(scores[place] as number, 5);
  });

  it('is told apart from models with vectors where it meets an objective of vectors', () => {
    const trial = sampleTrial({ model: { type } });
    expect(() => describeTrial(trial, places)).toThrow(
      `objective.type: "in-batch-softmax" learns from vectors, and "${type}" has none`,
    );
  });
});
