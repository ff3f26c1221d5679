import { readFileSync, truncateSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareData } from '@towerbench/data';
import { createRng, startEngine, tf } from '@towerbench/engine';
import type { AuxiliaryLoss, PairedExamples } from '@towerbench/models';
import { knownPositives } from '@towerbench/objectives';
import { engineUnderTest } from '@towerbench/testing';
import { checkpointFile, places, record, sampleTrial } from './sample-trial.js';
import { towerScorer } from './scoring.js';
import { trainingSettings } from './settings.js';
import { Trainer } from './trainer.js';
import { definitionsOf } from './trial.js';

beforeAll(async () => {
  await startEngine(engineUnderTest);
});

function newTrainer(...inputs: Parameters<typeof trainerAndModel>): Trainer {
  return trainerAndModel(...inputs).trainer;
}

function trainerAndModel(
  changes: Parameters<typeof sampleTrial>[0] = {},
  auxiliary?: AuxiliaryLoss,
  weightOf: ((row: number) => number) | null = null,
) {
  const config = sampleTrial(changes);
  const definitions = definitionsOf(config);
  const prepared = prepareData(config.dataset, places);
  const weight = weightOf && Float32Array.from(prepared.train.user, (_, row) => weightOf(row));
  const data = { ...prepared, train: { ...prepared.train, weight } };
  const rng = createRng(1);
  const model = definitions.model.build({
    params: config.model as never,
    query: data.query,
    candidate: data.candidate,
    vocabularies: data.vocabularies,
    data,
    rng: rng.fork('model'),
  });
  if (model.retrieval !== 'dot') throw new Error('the sample model is trained and has one vector');
  const optimizer = config.optimizer as unknown as { learningRate: number; embedding: 'lazy' | 'dense' };
  const trainer = new Trainer({
    data,
    model: auxiliary === undefined ? model : { ...model, auxiliary },
    loss: definitions.objective.build({ params: config.objective as never, rng: rng.fork('objective') }),
    sampler: definitions.sampler.build({
      params: config.sampler as never,
      data,
      batchSize: config.training['batchSize'] as number,
    }),
    labels: data.train.label,
    teaching: null,
    rule: definitions.optimizer.rule(config.optimizer as never),
    learningRate: optimizer.learningRate,
    embedding: optimizer.embedding,
    settings: trainingSettings.parse(config.training),
    rng,
  });
  return { trainer, model };
}

describe('Trainer', () => {
  it.each(['lazy', 'dense'])('continues from a checkpoint bit for bit, with %s embeddings', (embedding) => {
    const changes = { optimizer: { embedding }, training: { schedule: 'cosine', warmupSteps: 5 } };
    const whole = newTrainer(changes);
    const first = newTrainer(changes);
    const second = newTrainer(changes);
    const half = 20;
    for (let step = 0; step < half; step++) {
      whole.step();
      first.step();
    }
    const [halfway, end, other] = [checkpointFile(), checkpointFile(), checkpointFile()];
    first.save(halfway, {});
    second.load(halfway);
    expect(second.stepsDone).toBe(half);
    for (let step = 0; step < half; step++) expect(second.step().loss).toBe(whole.step().loss);
    second.save(end, {});
    whole.save(other, {});
    expect(Buffer.compare(readFileSync(end), readFileSync(other))).toBe(0);
  });

  it.each([
    { name: 'frequencies from the stream', sampler: { type: 'in-batch', frequencies: 'streaming', stepSize: 0.1 } },
    {
      name: 'such frequencies of several hash functions, and uniform items',
      sampler: { type: 'mixed', frequencies: 'streaming', numHashes: 3, numBuckets: 50 },
    },
    { name: 'negatives that the model finds hard', sampler: { type: 'hard', poolSize: 20, choose: 'softmax' } },
    { name: 'distinct negatives', sampler: { type: 'log-uniform', unique: true } },
  ])('continues bit for bit with $name', ({ sampler }) => {
    const objective = ['hard', 'log-uniform'].includes(sampler.type)
      ? { type: 'sampled-softmax', logQ: sampler.type === 'hard' ? 'none' : 'standard' }
      : {};
    const [whole, first, second] = [0, 1, 2].map(() => newTrainer({ objective, sampler })) as [
      Trainer,
      Trainer,
      Trainer,
    ];
    const [halfway, end, other] = [checkpointFile(), checkpointFile(), checkpointFile()];
    for (let step = 0; step < 12; step++) {
      whole.step();
      first.step();
    }
    first.save(halfway, {});
    second.load(halfway);
    for (let step = 0; step < 12; step++) expect(second.step().loss).toBe(whole.step().loss);
    second.save(end, {});
    whole.save(other, {});
    expect(Buffer.compare(readFileSync(end), readFileSync(other))).toBe(0);
  });

  it('learns otherwise when the frequencies of the stream start anew: they are a part of the checkpoint', () => {
    const sampler = { frequencies: 'streaming', stepSize: 0.1 };
    const [whole, exact] = [newTrainer({ sampler }), newTrainer()];
    const checkpoint = checkpointFile();
    for (let step = 0; step < 12; step++) {
      whole.step();
      exact.step();
    }
    whole.save(checkpoint, {});
    const forgetful = newTrainer({ sampler: { ...sampler, initialGap: 5 } });
    forgetful.load(checkpoint); // the arrays of the checkpoint, not those of its own settings
    expect(forgetful.step().loss).toBe(whole.step().loss);
    expect(() => exact.load(checkpoint)).not.toThrow();
    const bare = checkpointFile();
    exact.save(bare, {});
    expect(() => newTrainer({ sampler }).load(bare)).toThrow('sampler/last_step');
  });

  it('takes the positives of every step into the frequencies of the stream', () => {
    const trainer = newTrainer({ sampler: { frequencies: 'streaming', stepSize: 0.2, initialGap: 8 } });
    const { itemCounts } = prepareData(sampleTrial().dataset, places);
    const total = itemCounts.reduce((sum, count) => sum + count, 0);
    /** Mean over frequent items of log p̂ − log p, p the chance that 64 rows have the item. */
    const gap = (step: number): number => {
      const { items, logSamplingProbability } = trainer.assemble(step).batch;
      const gaps = [...items].flatMap((item, row) => {
        const presence = 1 - (1 - (itemCounts[item] as number) / total) ** 64;
        return presence > 0.5 ? [(logSamplingProbability?.[row] as number) - Math.log(presence)] : [];
      });
      return gaps.reduce((sum, value) => sum + value, 0) / gaps.length;
    };
    expect(gap(1)).toBeLessThan(-1);
    for (let step = 1; step <= 80; step++) trainer.step();
    expect(Math.abs(gap(81))).toBeLessThan(0.15);
  });

  it('gives the objective log q of the item, not of the place in the batch', () => {
    const { batch } = newTrainer().assemble(1);
    const { itemCounts } = prepareData(sampleTrial().dataset, places);
    const total = itemCounts.reduce((sum, count) => sum + count, 0);
    expect(batch.logSamplingProbability).toHaveLength(batch.items.length);
    for (const [row, item] of batch.items.entries())
      expect(batch.logSamplingProbability?.[row]).toBeCloseTo(Math.log((itemCounts[item] as number) / total), 5);
  });

  it('counts an item once among the candidates where q is that it is there at all', () => {
    const counted = newTrainer().assemble(1).batch.occurrences as Float32Array;
    const present = newTrainer({ sampler: { frequencies: 'streaming' } }).assemble(1).batch.occurrences as Float32Array;
    expect(Math.max(...counted)).toBeGreaterThan(1);
    expect([...present]).toEqual(Array.from(counted, () => 1));
  });

  it.each(['in-batch', 'mixed'])('hides the other training positives of a user among the candidates of %s', (type) => {
    const trainer = newTrainer({ sampler: { type }, objective: { maskKnownPositives: true } });
    const data = prepareData(sampleTrial().dataset, places);
    const { isKnown } = knownPositives(data);
    const { hidden, items, candidateOf } = trainer.assemble(1).batch;
    if (hidden === undefined) throw new Error('nothing is hidden');
    let numHidden = 0;
    for (const [b, row] of trainer.rowsOf(1).entries()) {
      const rows = new Set(hidden.rows.subarray(hidden.offsets[b], hidden.offsets[b + 1]));
      for (const [candidate, item] of items.entries()) {
        const isOther = candidate !== candidateOf[b] && isKnown(data.train.user[row] as number, item);
        expect(rows.has(candidate)).toBe(isOther);
        if (isOther) numHidden++;
      }
    }
    expect(numHidden).toBeGreaterThan(64);
    const plain = newTrainer({ sampler: { type } });
    expect(plain.assemble(1).batch).not.toHaveProperty('hidden');
    expect(trainer.step().loss).toBeLessThan(plain.step().loss); // fewer negatives, the same scores
  });

  it('finds as hard what the model scores best as it is now, among what the user has not had', () => {
    const objective = { type: 'sampled-softmax', logQ: 'none' };
    const sampler = { type: 'hard', numNegatives: 3, numHard: 3, poolSize: 1000 }; // all 80 items
    const changes = { objective, sampler, model: { dropout: 0.3 } };
    const { trainer, model } = trainerAndModel(changes);
    const data = prepareData(sampleTrial(changes).dataset, places);
    const { isKnown } = knownPositives(data);
    const bestOf = (): number[] => {
      const { batch } = trainer.assemble(1);
      const { scoreUsers } = towerScorer(model, model.parameters, data);
      const rows = trainer.rowsOf(1);
      for (const [b, row] of rows.entries()) {
        const user = data.train.user[row] as number;
        const scores = scoreUsers(Int32Array.of(user), new Int32Array(1));
        const allowed = [...scores.keys()].filter((item) => !isKnown(user, item));
        const best = allowed.sort((x, y) => (scores[y] as number) - (scores[x] as number)).slice(0, 3);
        const found = [1, 2, 3].map((k) => batch.items[batch.candidateOf[4 * b + k] as number] as number);
        const values = (items: number[]) => items.map((item) => scores[item] as number);
        for (const [k, value] of values(found).entries()) expect(value).toBeCloseTo(values(best)[k] as number, 5);
        for (const item of found) expect(isKnown(user, item)).toBe(false);
      }
      return [...batch.candidateOf.map((row) => batch.items[row] as number)];
    };
    const before = bestOf();
    for (let step = 0; step < 20; step++) expect(trainer.step().knownNegatives).toBe(0);
    expect(bestOf()).not.toEqual(before); // the same rows, other weights
  });

  it('continues and serves with the running statistics of the checkpoint, and drops the same numbers', () => {
    const changes = { model: { norm: 'batch', activation: 'dice', dropout: 0.2 } };
    const [whole, first, second] = [newTrainer(changes), newTrainer(changes), newTrainer(changes)];
    const [halfway, end, other] = [checkpointFile(), checkpointFile(), checkpointFile()];
    for (let step = 0; step < 6; step++) {
      whole.step();
      first.step();
    }
    first.save(halfway, {});
    second.load(halfway);
    for (let step = 0; step < 6; step++) expect(second.step().loss).toBe(whole.step().loss);
    second.save(end, {});
    whole.save(other, {});
    expect(Buffer.compare(readFileSync(end), readFileSync(other))).toBe(0);
    const names = readFileSync(end)
      .toString('latin1')
      .match(/running_(mean|variance)"/g);
    expect(names?.length).toBe(2 * 2 * 2); // of norm and dice, on both sides
  });

  it('encodes equal users once, but where equal inputs may give unequal vectors', () => {
    const rowsOf = (model: object): number => {
      const { queryOf } = newTrainer({ model }).assemble(1).batch;
      return new Set(queryOf).size;
    };
    expect(rowsOf({})).toBeLessThan(64);
    for (const model of [{ dropout: 0.1 }, { norm: 'batch' }, { activation: 'dice' }]) expect(rowsOf(model)).toBe(64);
    expect(rowsOf({ norm: 'layer', activation: 'prelu' })).toBe(rowsOf({}));
  });

  it('weighs each row by its own weight', () => {
    const plain = newTrainer().step().loss;
    expect(newTrainer({}, undefined, () => 2).step().loss).toBeCloseTo(2 * plain, 5);
    const [even, odd] = [0, 1].map(
      (rest) => newTrainer({}, undefined, (row) => (row % 2 === rest ? 1 : 0)).step().loss,
    );
    expect((even as number) + (odd as number)).toBeCloseTo(plain, 5);
    expect(even).toBeGreaterThan(0);
    expect(odd).toBeGreaterThan(0);
  });

  it('refuses a checkpoint of a model with other shapes', () => {
    const checkpoint = checkpointFile();
    newTrainer().save(checkpoint, {});
    expect(() => newTrainer({ model: { outputDim: 16 } }).load(checkpoint)).toThrow(/the model's is \[/);
  });

  it('refuses a checkpoint that was cut off', () => {
    const checkpoint = checkpointFile();
    const { sizeBytes } = newTrainer().save(checkpoint, {});
    truncateSync(checkpoint, sizeBytes - 1);
    expect(() => newTrainer().load(checkpoint)).toThrow('ends after the end of the file');
  });

  it('moves less with a tiny gradient norm', () => {
    const loose = newTrainer({ optimizer: { type: 'sgd', learningRate: 1 } });
    const clipped = newTrainer({ optimizer: { type: 'sgd', learningRate: 1 }, training: { clipNorm: 1e-9 } });
    const before = clipped.step().loss;
    loose.step();
    for (let step = 0; step < 30; step++) {
      loose.step();
      clipped.step();
    }
    expect(clipped.step().loss).toBeCloseTo(before, 0);
    expect(loose.step().loss).toBeLessThan(clipped.step().loss - 0.1);
  });

  it('adds the weighted terms of the model to the objective, and says each of them', () => {
    const term = (weight: number, value: number) => ({ weight, value: tf.scalar(value) });
    const plain = newTrainer();
    const withTerms = newTrainer({}, { prepare: () => () => ({ near: term(0.5, 3), far: term(2, 0.25) }) });
    const expected = plain.step().loss;
    const { loss, terms } = withTerms.step();
    expect(terms).toEqual({ objective: expected, near: 3, far: 0.25 });
    expect(loss).toBeCloseTo(expected + 0.5 * 3 + 2 * 0.25, 5);
  });

  it('learns from the terms of the model', () => {
    const ofAll: AuxiliaryLoss = {
      prepare:
        () =>
        (_, { query }) => ({ size: { weight: 10, value: tf.sum(tf.square(query)) } }),
    };
    const trainer = newTrainer({ model: { normalize: false } }, ofAll);
    const before = trainer.step().terms['size'] as number;
    for (let step = 0; step < 30; step++) trainer.step();
    expect(trainer.step().terms['size']).toBeLessThan(before / 4);
  });

  it('shows the terms of the model the positive of each example, not its negatives', () => {
    const seen: PairedExamples[] = [];
    const watching: AuxiliaryLoss = {
      prepare: () => (_, __, examples) => {
        seen.push(examples);
        return {};
      },
    };
    const sampler = { type: 'uniform', numNegatives: 3 };
    const trainer = newTrainer({ objective: { type: 'sampled-softmax' }, sampler }, watching);
    trainer.step();
    const { batch } = trainer.assemble(1);
    const [{ queryOf, candidateOf, labels }] = seen as [PairedExamples];
    expect(queryOf).toEqual(batch.queryOf);
    expect(candidateOf).toEqual(Int32Array.from(queryOf, (_, example) => batch.candidateOf[example * 4] as number));
    expect(new Set(queryOf).size).toBeLessThan(queryOf.length); // users of the batch stand once, with all their examples
    expect(labels).toBeNull();
  });

  it('logs them as parts of the loss of training', async () => {
    const { points } = await record(sampleTrial({ model: { type: 'dat', outputDim: 8, queryMimicWeight: 0.25 } }));
    const first = (name: string) => points.find(({ series }) => series === name)?.value as number;
    const [objective, query, candidate] = ['objective', 'mimic_query', 'mimic_candidate'].map((part) =>
      first(`train/loss/${part}`),
    ) as [number, number, number];
    expect(first('train/loss')).toBeCloseTo(objective + 0.25 * query + 0.5 * candidate, 4);
    expect(query).toBeGreaterThan(0.1);
  });
});
