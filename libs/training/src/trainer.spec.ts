import { readFileSync, truncateSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareData } from '@towerbench/data';
import { createRng, startEngine } from '@towerbench/engine';
import { engineUnderTest } from '@towerbench/testing';
import { checkpointFile, places, sampleTrial } from './sample-trial.js';
import { trainingSettings } from './settings.js';
import { Trainer } from './trainer.js';
import { definitionsOf } from './trial.js';

beforeAll(async () => {
  await startEngine(engineUnderTest);
});

function newTrainer(changes: Parameters<typeof sampleTrial>[0] = {}): Trainer {
  const config = sampleTrial(changes);
  const definitions = definitionsOf(config);
  const data = prepareData(config.dataset, places);
  const rng = createRng(1);
  const model = definitions.model.build({
    params: config.model as never,
    query: data.query,
    candidate: data.candidate,
    vocabularies: data.vocabularies,
    data,
    rng: rng.fork('model'),
  });
  if (model.kind === 'scorer') throw new Error('the sample model is trained');
  const optimizer = config.optimizer as unknown as { learningRate: number; embedding: 'lazy' | 'dense' };
  return new Trainer({
    data,
    model,
    loss: definitions.objective.build({ params: config.objective as never, rng: rng.fork('objective') }),
    sampler: definitions.sampler.build({
      params: config.sampler as never,
      data,
      batchSize: config.training['batchSize'] as number,
    }),
    rule: definitions.optimizer.rule(config.optimizer as never),
    learningRate: optimizer.learningRate,
    embedding: optimizer.embedding,
    settings: trainingSettings.parse(config.training),
    rng,
  });
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
});
