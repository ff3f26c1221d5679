import { describe, expect, it } from 'vitest';
import { issuesOf, load, sound, textOf } from './stand-in/files.js';

const config = (...overrides: string[]) => load(sound, overrides).trials[0]?.config;

describe('overrides', () => {
  it('change a key of the file, and a key that has its default', () => {
    expect(config('model.embedding_dim=64', 'training.epochs=3')).toMatchObject({
      model: { embeddingDim: 64, hiddenUnits: [64] },
      training: { epochs: 3 },
    });
  });

  it('read values as YAML', () => {
    expect(
      config('model.hidden_units=[32, 16]', 'model.output_dim=null', 'optimizer.learning_rate=1e-2', 'engine=simd'),
    ).toMatchObject({
      model: { hiddenUnits: [32, 16], outputDim: null },
      optimizer: { learningRate: 0.01 },
      engine: 'simd',
    });
    expect(load(sound, ['description=a = b:"c"']).description).toBe('a = b:"c"');
    expect(config('training={epochs: 2, batch_size: 8}')?.training).toMatchObject({ epochs: 2, batchSize: 8 });
  });

  it('reach every part of the file', () => {
    const { seeds, metric, name } = load(sound, ['seeds=[4, 5]', 'metric.name=valid/auc', 'name=other']);
    expect([seeds, metric.name, name]).toEqual([[4, 5], 'valid/auc', 'other']);
  });

  it('choose another type and drop what only the old one has', () => {
    expect(config('objective.type=bce')?.objective).toEqual({ type: 'bce', temperature: 1, bias: true });
    expect(config('model.type=senet', 'model.reduction=2')?.model).toMatchObject({
      type: 'senet',
      reduction: 2,
      embeddingDim: 8,
    });
    expect(config('model.reduction=2', 'model.type=senet')).toEqual(config('model.type=senet', 'model.reduction=2'));
  });

  it('stand under what a variant changes', () => {
    const text = `${sound}variants: { base: {}, wide: { model: { embedding_dim: 32 } } }\n`;
    const dims = (...overrides: string[]) =>
      load(text, overrides).trials.map((trial) => trial.config.model['embeddingDim']);
    expect(dims('model.embedding_dim=2')).toEqual([2, 32]);
    expect(dims('variants.wide.model.embedding_dim=2')).toEqual([8, 2]);
  });

  it('set one key of a parameter by its whole name', () => {
    const text = `${sound}parameters: { optimizer.learning_rate: { values: [0.1, 0.2] } }\n`;
    const rates = (...overrides: string[]) =>
      load(text, overrides).trials.map((trial) => trial.config.optimizer['learningRate']);
    expect(rates('parameters.optimizer.learning_rate.values=[0.5]')).toEqual([0.5]);
    expect(rates('parameters.optimizer.learning_rate={value: 0.25}')).toEqual([0.25]);
    expect(rates('+parameters.training.epochs.values=[1, 2]')).toEqual([0.1, 0.1, 0.2, 0.2]);
    expect(rates('~parameters.optimizer.learning_rate')).toEqual([0.001]);
  });

  it('add with + what the file does not say', () => {
    expect(config('+training.epochs=3')?.training).toMatchObject({ epochs: 3 });
    expect(load(sound, ['+variants.wide.model.embedding_dim=2']).variants).toEqual(['wide']);
  });

  it('remove with ~', () => {
    expect(config('~model.embedding_dim')?.model['embeddingDim']).toBe(16);
    expect(issuesOf(sound, ['~model'])).toMatchObject([{ code: 'missing-key', path: 'model' }]);
  });

  it('let the last of several win', () => {
    expect(config('training.epochs=3', 'training.epochs=4')?.training['epochs']).toBe(4);
  });

  it('refuse to add what is there, to change a new name without +, and to remove what is not there', () => {
    expect(textOf(sound, ['+model.embedding_dim=2', 'variants.wide.model.embedding_dim=2', '~training.epochs'])).toBe(
      `training.epochs: there is nothing to remove
  at       --set ~training.epochs
  hint     the file does not have this key

model.embedding_dim: this key is there already
  at       --set +model.embedding_dim=2
  hint     leave out the + to change it

variants.wide.model.embedding_dim: the file does not have this key
  at       --set variants.wide.model.embedding_dim=2
  hint     write +variants.wide.model.embedding_dim to add it`,
    );
  });

  it('name the override an issue comes from, after the issues of the file', () => {
    expect(textOf(`${sound}seed: [1]\n`, ['model.embeding_dim=2', 'training.epochs=0'])).toBe(
      `seed: an experiment has no key "seed"
  at       a.yaml:6:1
  allowed  extends, name, description, dataset, model, objective, sampler, optimizer, training, engine, variants, seeds, method, parameters, metric, report, published, run_cap, time_cap, search_seed, search_lag, early_terminate, impute, warm_start, stall_minutes
  hint     did you mean "seeds"?

model.embeding_dim: model "dssm" has no key "embeding_dim"
  at       --set model.embeding_dim=2
  allowed  embedding_dim, hidden_units, output_dim, normalize
  hint     did you mean "embedding_dim"?

training.epochs: received 0
  at       --set training.epochs=0
  allowed  a whole number, at least 1
  hint     without the key it is 10`,
    );
  });

  it.each([
    ['model.embedding_dim', 'override-syntax'],
    ['=3', 'override-syntax'],
    ['', 'override-syntax'],
    ['model..dim=3', 'override-syntax'],
    ['__proto__.x=3', 'override-syntax'],
    ['~training.epochs=3', 'override-syntax'],
    ['model dim=3', 'override-syntax'],
    ['extends=b.yaml', 'override-unknown'],
    ['training.epochs=[1', 'yaml-syntax'],
    ['training.epochs=*a', 'yaml-alias'],
    ['constructor.x=3', 'unknown-key'],
  ])('refuse %j', (override, code) => {
    expect(issuesOf(sound, [override])).toMatchObject([{ code, source: `--set ${override}` }]);
  });
});
