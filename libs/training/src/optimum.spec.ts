import { prepareData, type PreparedData } from '@towerbench/data';
import { createRng, startEngine } from '@towerbench/engine';
import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { places, sampleTrial } from './sample-trial.js';
import { towerScorer } from './scoring.js';
import { trainingSettings } from './settings.js';
import { Trainer } from './trainer.js';
import { definitionsOf } from './trial.js';

beforeAll(async () => {
  await startEngine(engineUnderTest);
});

/** Clicks of three users on eight items; every share of the world is a share of these. */
const CLICKS = [
  [160, 80, 40, 20, 60, 20, 10, 10],
  [100, 20, 120, 60, 10, 50, 10, 30],
  [180, 40, 20, 60, 20, 10, 50, 20],
];
const NUM_ITEMS = 8;
const itemCounts = Int32Array.from({ length: NUM_ITEMS }, (_, item) =>
  CLICKS.reduce((sum, counts) => sum + (counts[item] as number), 0),
);

/** A training part that is that table. */
function closedWorld(): PreparedData {
  const dataset = { numUsers: 10, numItems: 50, features: { query: ['user_id'], candidate: ['item_id'] } };
  const prepared = prepareData(sampleTrial({ dataset }).dataset, places);
  const pairs = CLICKS.flatMap((counts, user) =>
    counts.flatMap((count, item) => Array.from({ length: count }, () => [user, item] as const)),
  );
  const train = {
    user: Int32Array.from(pairs, ([user]) => user),
    item: Int32Array.from(pairs, ([, item]) => item),
    label: null,
    weight: null,
    historyEnd: new Int32Array(pairs.length),
  };
  return { ...prepared, numUsers: CLICKS.length, numItems: NUM_ITEMS, itemCounts, train };
}

/** Trains ids with inner products until nothing moves, and gives softmax(s) of every user. */
function optimumOf(objective: object, sampler: object): number[][] {
  const data = closedWorld();
  const config = sampleTrial({
    model: { type: 'dssm', embeddingDim: 10, hiddenUnits: [], outputDim: null, normalize: false },
    objective: { temperature: 1, ...objective },
    sampler,
    optimizer: { type: 'adam', learningRate: 0.02, embedding: 'dense' },
    training: { batchSize: 64, epochs: 1000, maxSteps: 6000, schedule: 'linear' },
  });
  const definitions = definitionsOf(config);
  const rng = createRng(1);
  const { query, candidate, vocabularies } = data;
  const model = definitions.model.build({
    params: config.model as never,
    query,
    candidate,
    vocabularies,
    data,
    rng: rng.fork('model'),
  });
  if (model.kind !== 'towers') throw new Error('the model has no towers');
  const settings = trainingSettings.parse(config.training);
  const loss = definitions.objective.build({ params: config.objective as never, rng });
  const trainer = new Trainer({
    data,
    model,
    loss,
    sampler: definitions.sampler.build({ params: config.sampler as never, data, batchSize: settings.batchSize }),
    labels: data.train.label,
    teaching: null,
    rule: definitions.optimizer.rule(config.optimizer as never),
    learningRate: 0.02,
    embedding: 'dense',
    settings,
    rng,
  });
  while (trainer.stepsDone < trainer.totalSteps) trainer.step();
  const users = Int32Array.from(CLICKS.keys());
  const scores = towerScorer(model, model.parameters, data).scoreUsers(users, new Int32Array(users.length));
  return CLICKS.map((_, user) =>
    normalised(Array.from(scores.subarray(user * NUM_ITEMS, (user + 1) * NUM_ITEMS), Math.exp)),
  );
}

const normalised = (weights: readonly number[]): number[] => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
};

/** P(i | u), what the users click. */
const clicked = CLICKS.map(normalised);
/** P(i | u) / q_i, made to sum to 1: what is left of it when the draw is divided out. */
const dividedBy = (q: readonly number[]) =>
  clicked.map((p) => normalised(p.map((share, item) => share / (q[item] as number))));

/** Mean over users of KL(truth ‖ found), in nats. */
const distance = (truth: readonly number[][], found: readonly number[][]): number =>
  truth.reduce(
    (sum, p, user) =>
      sum +
      p.reduce((kl, share, item) => kl + share * Math.log(share / (found[user]?.[item] as number)), 0) / truth.length,
    0,
  );

const shares = normalised([...itemCounts]);
const ranks = [...shares.keys()].sort((a, b) => (shares[b] as number) - (shares[a] as number));
const logUniform = shares.map((_, item) => Math.log1p(1 / (ranks.indexOf(item) + 1)) / Math.log(NUM_ITEMS + 1));
/** Draws and batches are as they come: hits count as what they are, another draw of the positive's item. */
const asDrawn = { excludePositives: false, numNegatives: 5 };
const cases = [
  { name: 'in-batch', objective: {}, sampler: { type: 'in-batch' }, q: shares },
  { name: 'popularity', objective: { type: 'sampled-softmax' }, sampler: { type: 'popularity', alpha: 1, ...asDrawn }, q: shares },
  { name: 'log-uniform', objective: { type: 'sampled-softmax' }, sampler: { type: 'log-uniform', ...asDrawn }, q: logUniform },
]; // prettier-ignore

describe('the optimum of a softmax in a closed world', () => {
  it('is what is clicked, for the softmax over the catalogue', () => {
    expect(distance(clicked, optimumOf({ type: 'full-softmax' }, { type: 'catalogue' }))).toBeLessThan(CLOSE);
  });

  it.each(cases)(
    'is that too for negatives of $name with log q, and without it what is left when the draw is divided out',
    ({ objective, sampler, q }) => {
      const masks = { maskAccidentalHits: false };
      const corrected = optimumOf({ ...objective, ...masks, logQ: 'standard' }, sampler);
      expect(distance(clicked, corrected)).toBeLessThan(CLOSE);
      expect(distance(dividedBy(q), corrected)).toBeGreaterThan(FAR);
      const plain = optimumOf({ ...objective, ...masks, logQ: 'none' }, sampler);
      expect(distance(dividedBy(q), plain)).toBeLessThan(CLOSE);
      expect(distance(clicked, plain)).toBeGreaterThan(FAR);
    },
    240_000, // of which libtensorflow takes most
  );
});

/** Nats. Where a distance is noise of the last steps, and where it is another optimum. */
const CLOSE = 0.01;
const FAR = 0.1;
