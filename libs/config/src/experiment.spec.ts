import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from './error.js';
import { loadExperiment } from './experiment.js';
import { issuesOf, load, sound, textOf, writeFiles } from './stand-in/files.js';
import { standIn } from './stand-in/vocabulary.js';

const only = (text: string) => load(text).trials[0]?.config;
/** `sound` with more lines. */
const plus = (lines: string): string => `${sound}${lines}\n`;

describe('a file', () => {
  it('fills in every default, in camelCase', () => {
    expect(load(sound)).toMatchObject({
      name: 'sound',
      description: '',
      baseVariant: 'base',
      variants: ['base'],
      seeds: [1],
      search: {
        method: 'grid',
        seed: 0,
        lag: 2,
        target: null,
        impute: 'worst',
        timeCapSeconds: null,
        earlyTerminate: null,
      },
      metric: { name: 'valid/ndcg@10', goal: 'maximize' },
      report: [],
      published: [],
    });
    expect(only(sound)).toEqual({
      dataset: {
        name: 'world/movies',
        seed: 0,
        positive: 'rating >= 4',
        split: { protocol: 'leave-one-out', validation: 'second-last' },
        features: { query: ['user_id'], candidate: ['item_id'] },
      },
      model: { type: 'dssm', embeddingDim: 8, hiddenUnits: [64], outputDim: 32, normalize: true },
      objective: { type: 'in-batch-softmax', temperature: 0.1, logQ: 'standard', maskAccidentalHits: true },
      sampler: { type: 'in-batch' },
      optimizer: { type: 'adam', learningRate: 0.001, embedding: 'lazy', beta1: 0.9 },
      training: { batchSize: 512, epochs: 10, evaluateEvery: null, bestBy: null, patience: null },
      engine: 'auto',
    });
  });

  it('is frozen through and through', () => {
    const { trials, published } = load(plus('published: []'));
    const config = trials[0]?.config;
    for (const part of [trials, published, config, config?.model, config?.model['hiddenUnits']]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('says its absolute path', () => {
    const file = join(writeFiles({ 'a.yaml': sound }), 'a.yaml');
    expect(loadExperiment({ file, vocabulary: standIn }).file).toBe(file);
  });

  it('keeps the keys of a record as they are written', () => {
    const text = sound.replace(
      '{ name: world/movies }',
      '{ name: custom, columns: { watch_time: { min_frequency: 2 }, userId: {} } }',
    );
    expect(only(text)?.dataset['columns']).toEqual({ watch_time: { minFrequency: 2 }, userId: { minFrequency: 1 } });
  });

  it('takes values that have one of several forms', () => {
    const features = '{ query: [user_id, { name: history, length: 5 }] }';
    expect(only(sound.replace('world/movies', `world/movies, features: ${features}`))?.dataset['features']).toEqual({
      query: ['user_id', { name: 'history', length: 5 }],
      candidate: ['item_id'],
    });
    const wrong = sound.replace('world/movies', 'world/movies, features: { query: [{ name: history, lenght: 5 }] }');
    expect(textOf(wrong)).toBe(
      `dataset.features.query[0].lenght: dataset.features.query[0] has no key "lenght"
  at       a.yaml:2:69
  allowed  name, length
  hint     did you mean "length"?`,
    );
  });

  it('reports every issue at once, by place', () => {
    const text = `name: a\nseeds: []\nmodel: { type: dssm, normalize: 1 }\ndataset: { name: world/movie }\n`;
    expect(issuesOf(text).map(({ path, at }) => [path, at?.line, at?.column])).toEqual([
      ['metric', 1, 1],
      ['objective', 1, 1],
      ['seeds', 2, 8],
      ['model.normalize', 3, 33],
      ['dataset.name', 4, 18],
    ]);
  });

  it('says which section a key belongs to that stands too high', () => {
    expect(issuesOf(plus('log_q: none'))[0]?.hint).toBe('it is a key of objective: write objective: {log_q: ...}');
  });

  it.each(['__proto__', 'constructor', 'toString'])('has no key %s', (key) => {
    expect(issuesOf(plus(`training: { ${key}: 1 }`))).toHaveLength(1);
    expect(issuesOf(plus(`${key}: { epochs: 1 }`))).toHaveLength(1);
    expect(issuesOf(plus(`variants: { ${key}: { ${key}: {} } }`))[0]?.at?.line).toBe(6);
  });

  it('refuses more runs than run_cap', () => {
    const runs = 'seeds: [1, 2]\nparameters: { training.epochs: { values: [1, 2] } }';
    expect(load(plus(`${runs}\nrun_cap: 4`)).trials).toHaveLength(2);
    expect(textOf(plus(`${runs}\nrun_cap: 3`))).toBe(
      `run_cap: 2 trials × 2 seeds are 4 runs
  at       a.yaml:8:10
  allowed  at most 3 runs
  hint     raise run_cap, or list fewer values, variants or seeds`,
    );
  });
});

describe('what does not go together', () => {
  it('is reported for every variant at once, where it is written', () => {
    const text = plus(`training: { patience: 13 }
variants:
  base: {}
  pairs: { objective: { type: bce, bias: false } }
  drawn: { objective: { type: bce, bias: false }, sampler: { type: uniform } }
  told: { objective: { type: bce, bias: false }, sampler: { type: in-batch } }`);
    expect(issuesOf(text).map(({ path, message, at, hint }) => [path, message, at?.line, at?.column, hint])).toEqual([
      ['training.patience', '13 brings bad luck', 6, 23, 'take 12'],
      ['variants.pairs.sampler.type', 'in-batch needs a bias', 9, 3, 'take uniform'],
      ['variants.told.sampler.type', 'in-batch needs a bias', 11, 67, 'take uniform'],
    ]);
  });

  it('is reported at the file where nothing of it is written, and at a value of the grid', () => {
    const whole = sound.replace('in-batch-softmax', 'bce, bias: false');
    expect(issuesOf(whole)).toMatchObject([{ path: 'sampler.type', at: { line: 1, column: 1 } }]);
    expect(issuesOf(plus('parameters: { training.patience: { values: [12, 13] } }'))).toMatchObject([
      { path: 'parameters.training.patience.values[1]', at: { line: 6, column: 49 } },
    ]);
    expect(issuesOf(sound, ['+training.patience=13'])).toMatchObject([{ source: '--set +training.patience=13' }]);
  });
});

describe('metric, report and published', () => {
  it('takes only metrics that are measured on the dataset', () => {
    const labelled = sound.replace('world/movies', 'world/field-noise').replace('valid/ndcg@10', 'valid/auc');
    expect(load(`${labelled}report: [test/logloss]\n`).report).toEqual(['test/logloss']);
    expect(textOf(`${labelled.replace('valid/auc', 'valid/ndcg@10')}report: [test/auc, test/hr@10]\n`)).toBe(
      `metric.name: "valid/ndcg@10" is not measured on world/field-noise
  at       a.yaml:5:17
  allowed  valid/auc, valid/logloss
  hint     take one of the allowed

report[1]: "test/hr@10" is not measured on world/field-noise
  at       a.yaml:6:20
  allowed  valid/auc, valid/logloss, test/auc, test/logloss
  hint     take one of the allowed`,
    );
  });

  it('does not maximise a metric of which less is better', () => {
    const goal = (text: string): string => sound.replace('valid/ndcg@10', `valid/logloss${text}`);
    for (const text of ['', ', goal: maximize']) {
      expect(issuesOf(goal(text))).toMatchObject([
        {
          code: 'metric-goal',
          path: 'metric.name',
          message: 'less of "valid/logloss" is better',
          hint: 'write goal: minimize',
          at: { line: 5, column: 17 },
        },
      ]);
    }
  });

  it('takes a validation metric and nothing else as the metric', () => {
    const named = (name: string): string => sound.replace('valid/ndcg@10', name);
    expect(load(named('valid/auc')).metric.name).toBe('valid/auc');
    expect(issuesOf(named('test/auc'))).toMatchObject([{ code: 'test-metric', hint: 'did you mean "valid/auc"?' }]);
    expect(issuesOf(named('ndcg@10'))).toMatchObject([{ code: 'unknown-metric', path: 'metric.name' }]);
  });

  it('takes both goals', () => {
    const goal = sound.replace('valid/ndcg@10', 'valid/logloss, goal: minimize');
    expect(load(goal).metric).toEqual({ name: 'valid/logloss', goal: 'minimize' });
  });

  it('reports metrics of either part, in the order of the file', () => {
    expect(load(plus('report: [test/recall@20, valid/auc, test/auc]')).report).toEqual([
      'test/recall@20',
      'valid/auc',
      'test/auc',
    ]);
  });

  it('keeps published cells of its variants', () => {
    const cell = (variant: string): string =>
      plus(`published:
  - { variant: ${variant}, metric: test/recall@20, value: 0.3, source: Table 2, protocol: { dataset: d, split: s, candidates: all } }`);
    expect(load(cell('base')).published).toEqual([
      {
        variant: 'base',
        metric: 'test/recall@20',
        value: 0.3,
        source: 'Table 2',
        protocol: { dataset: 'd', split: 's', candidates: 'all' },
      },
    ]);
    expect(issuesOf(cell('senet'))).toMatchObject([
      {
        code: 'unknown-variant',
        path: 'published[0].variant',
        allowed: 'base',
        hint: 'name the variant that stands for the method of the paper',
      },
    ]);
  });
});

describe('variants', () => {
  const variants = (lines: string): string => plus(`variants:\n${lines}`);

  it('change single keys of the file, in the order of the file', () => {
    const { trials, variants: names } = load(
      variants(`  wide: { model: { embedding_dim: 32 } }
  base:
  slow: { optimizer: { learning_rate: 1.0e-4 }, training: { epochs: 2 }, engine: simd }`),
    );
    expect(names).toEqual(['wide', 'base', 'slow']);
    expect(trials.map(({ variant }) => variant)).toEqual(names);
    expect(
      trials.map(({ config }) => [config.model['embeddingDim'], config.training['epochs'], config.engine]),
    ).toEqual([
      [32, 10, 'auto'],
      [8, 10, 'auto'],
      [8, 2, 'simd'],
    ]);
  });

  it('are compared with base, or with the first when none has that name', () => {
    expect(load(variants('  wide: {}\n  base: {}')).baseVariant).toBe('base');
    expect(load(variants('  wide: {}\n  deep: {}')).baseVariant).toBe('wide');
  });

  it('of another type keep the keys that the new type has too, and drop the others', () => {
    const { trials } = load(
      variants(`  base: {}
  senet: { model: { type: senet, reduction: 2 } }
  popularity: { model: { type: popularity } }
  bce: { objective: { type: bce } }`).replace('in-batch-softmax', 'in-batch-softmax, temperature: 0.5, log_q: none'),
    );
    const [, senet, popularity, bce] = trials.map(({ config }) => config);
    expect(senet?.model).toEqual({
      type: 'senet',
      embeddingDim: 8,
      hiddenUnits: [64],
      outputDim: 32,
      normalize: true,
      reduction: 2,
      excitation: '2*sigmoid',
    });
    expect(popularity?.model).toEqual({ type: 'popularity' });
    expect(bce?.objective).toEqual({ type: 'bce', temperature: 0.5, bias: true });
  });

  it('of another type still hear about a key that no type has', () => {
    const text = variants('  senet: { model: { type: senet } }').replace('embedding_dim', 'embeding_dim');
    expect(issuesOf(text)).toMatchObject([{ code: 'unknown-key', path: 'model.embeding_dim' }]);
  });

  it('replace lists as a whole', () => {
    const { trials } = load(
      variants('  linear: { model: { hidden_units: [] } }').replace('embedding_dim: 8', 'hidden_units: [64, 32]'),
    );
    expect(trials[0]?.config.model['hiddenUnits']).toEqual([]);
  });

  it('share one dataset and one list of seeds', () => {
    expect(
      issuesOf(variants('  base: { dataset: { name: custom }, seeds: [1] }')).map(({ path, hint }) => [path, hint]),
    ).toEqual([
      ['variants.base.dataset', 'dataset is shared by all variants; write another experiment'],
      ['variants.base.seeds', 'seeds is shared by all variants; write another experiment'],
    ]);
  });

  it('are a map with at least one name', () => {
    const expected = { allowed: 'a map: name of a variant -> the sections it changes' };
    expect(issuesOf(plus('variants: {}'))).toMatchObject([expected]);
    expect(issuesOf(plus('variants: [base]'))).toMatchObject([expected]);
    expect(issuesOf(plus('variants: { wide: 64 }'))).toMatchObject([{ path: 'variants.wide', code: 'wrong-type' }]);
  });

  it('that bring what the file lacks are enough', () => {
    const without = sound.replace(/^model.*\n/m, '');
    expect(load(`${without}variants: { dssm: { model: { type: dssm } } }`).trials).toHaveLength(1);
    expect(textOf(`${without}variants: { dssm: { model: { type: dssm } }, wide: { training: { epochs: 1 } } }`)).toBe(
      `variants.wide.model: is missing
  at       a.yaml:5:46
  allowed  dssm, senet, popularity
  hint     write model: {type: dssm}`,
    );
  });
});

describe('extends', () => {
  it('reads files relative to the file that names them', () => {
    const { name, trials } = load({
      'a/b.yaml': 'extends: ../c/d.yaml\nname: child\n',
      'c/d.yaml': 'extends: e.yaml\ntraining: { epochs: 3 }\n',
      'c/e.yaml': sound,
    });
    expect([name, trials[0]?.config.training['epochs'], trials[0]?.config.model['embeddingDim']]).toEqual([
      'child',
      3,
      8,
    ]);
  });

  it('lets the nearer file win, and the later of several', () => {
    const files = {
      'a.yaml': 'extends: [b.yaml, c.yaml]\nname: a\noptimizer: { learning_rate: 0.5 }\n',
      'b.yaml': `${sound}optimizer: { type: sgd, learning_rate: 0.1, momentum: 0.5 }\ntraining: { epochs: 2, batch_size: 64 }\n`,
      'c.yaml': 'training: { epochs: 3 }\n',
    };
    expect(load(files).trials[0]?.config).toMatchObject({
      optimizer: { type: 'sgd', learningRate: 0.5, momentum: 0.5 },
      training: { epochs: 3, batchSize: 64 },
    });
  });

  it('drops keys of another type as a variant does', () => {
    const files = { 'a.yaml': 'extends: b.yaml\nname: a\nmodel: { type: popularity }\n', 'b.yaml': sound };
    expect(load(files).trials[0]?.config.model).toEqual({ type: 'popularity' });
  });

  it('merges variants by name, and replaces a parameter, a list and published cells', () => {
    const { variants, trials, report, seeds } = load({
      'a.yaml': `extends: b.yaml\nname: a\nseeds: [3]\nvariants: { wide: { training: { epochs: 1 } }, deep: {} }
parameters: { optimizer.learning_rate: { value: 0.5 } }\n`,
      'b.yaml': `${sound}seeds: [1, 2]\nreport: [test/auc]\nvariants: { base: {}, wide: { model: { embedding_dim: 32 } } }
parameters: { optimizer.learning_rate: { values: [0.1, 0.2] } }\n`,
    });
    expect([variants, seeds, report]).toEqual([['base', 'wide', 'deep'], [3], ['test/auc']]);
    expect(trials).toHaveLength(3);
    expect(trials[1]?.config).toMatchObject({
      model: { embeddingDim: 32 },
      training: { epochs: 1 },
      optimizer: { learningRate: 0.5 },
    });
  });

  it('does not inherit the name', () => {
    expect(issuesOf({ 'a.yaml': 'extends: b.yaml\n', 'b.yaml': sound })).toMatchObject([
      { code: 'missing-key', path: 'name', at: { file: 'a.yaml', line: 1, column: 1 } },
    ]);
  });

  it('reports the issues of every file, each at its place, the loaded file first', () => {
    const files = {
      'a.yaml': 'extends: b.yaml\nname: a\ntraining: { epocs: 1 }\n',
      'b.yaml': `${sound}seeds: [x]\n`,
    };
    expect(issuesOf(files).map(({ at }) => at)).toEqual([
      { file: 'a.yaml', line: 3, column: 13 },
      { file: 'b.yaml', line: 6, column: 9 },
    ]);
  });

  it('says the circle when files extend each other', () => {
    const files = {
      'a.yaml': 'extends: b.yaml\n',
      'b.yaml': 'name: b\nextends: [c.yaml]\n',
      'c.yaml': 'extends: a.yaml\n',
    };
    expect(textOf(files)).toBe(
      `extends: the files extend each other in a circle: a.yaml -> b.yaml -> c.yaml -> a.yaml
  at       c.yaml:1:10
  hint     remove one of these extends`,
    );
    expect(issuesOf({ 'a.yaml': 'extends: a.yaml\n' })).toMatchObject([{ code: 'extends-cycle' }]);
  });

  it('lets two files extend a third', () => {
    const files = {
      'a.yaml': 'extends: [b.yaml, c.yaml]\nname: a\n',
      'b.yaml': 'extends: d.yaml\n',
      'c.yaml': 'extends: d.yaml\ntraining: { epochs: 4 }\n',
      'd.yaml': sound,
    };
    expect(load(files).trials[0]?.config.training['epochs']).toBe(4);
  });

  it('says where a file is named that cannot be read, and which is meant', () => {
    expect(textOf({ 'a.yaml': 'extends: [b.yaml, bsae.yml]\nname: a\n', 'b.yaml': sound, 'base.yml': '' })).toBe(
      `extends[1]: cannot read "bsae.yml": there is no such file
  at       a.yaml:1:19
  hint     did you mean "base.yml"?`,
    );
    expect(issuesOf({ 'a.yaml': 'extends: sub\n', 'sub/b.yaml': sound })).toMatchObject([
      { code: 'file-unreadable', message: 'cannot read "sub": it is not a file' },
    ]);
  });

  it('names files and nothing else', () => {
    expect(issuesOf('extends: [1, {}]\nname: a\n').map(({ path, allowed }) => [path, allowed])).toEqual([
      ['extends[0]', 'a path relative to this file, or a list of paths'],
      ['extends[1]', 'a path relative to this file, or a list of paths'],
    ]);
  });
});

describe('what is found wrong with a trial after its file was read', () => {
  const text = plus(`\
variants:
  base: {}
  lookup:
    model:
      hidden_units: [8, 9]
parameters:
  training.epochs: { values: [1, 2] }`);
  const placeOf = (path: string, variant = 'base', overrides: string[] = []): string => {
    const { trials } = load(text, overrides);
    const trial = trials.find((each) => each.variant === variant);
    const [issue] = trial?.placed(new ConfigError([{ code: 'data', path, message: 'does not fit' }])).issues ?? [];
    return `${issue?.path} ${issue?.source ?? `${issue?.at?.line}:${issue?.at?.column}`}`;
  };

  it('has the place of the value, as the file or the variant wrote it', () => {
    expect(placeOf('dataset.name')).toBe('dataset.name 2:18');
    expect(placeOf('model.hidden_units[1]', 'lookup')).toBe('variants.lookup.model.hidden_units[1] 10:25');
    expect(placeOf('training.epochs')).toBe('parameters.training.epochs.values[0] 12:31');
    expect(placeOf('dataset.name', 'base', ['dataset.name=movielens-1m'])).toBe('dataset.name --set dataset.name=movielens-1m'); // prettier-ignore
  });

  it('has the place of what is written around it, when the value is a default', () => {
    expect(placeOf('dataset.features.query[1]')).toBe('dataset.features.query[1] 2:10');
    expect(placeOf('sampler.type')).toBe('sampler.type 7:3'); // the variant
  });
});

describe('the files of this repository', () => {
  const root = join(import.meta.dirname, '../../..');
  const loaded = (file: string) => loadExperiment({ file: join(root, file), vocabulary: standIn });

  it('configs/senet.yaml compares three gates with a plain tower', () => {
    const { variants, trials, seeds } = loaded('configs/senet.yaml');
    expect(variants).toEqual(['base', 'popularity', 'senet-2sigmoid', 'senet-sigmoid', 'senet-relu']);
    expect(trials.map(({ config }) => config.model['excitation'])).toEqual([
      undefined,
      undefined,
      '2*sigmoid',
      'sigmoid',
      'relu',
    ]);
    expect(trials.every(({ config }) => config.model.type === 'popularity' || config.model['embeddingDim'] === 8)).toBe(
      true,
    );
    expect(seeds).toHaveLength(3);
  });

  it('configs/dssm.yaml turns one thing off at a time', () => {
    const { trials } = loaded('configs/dssm.yaml');
    expect(
      trials.map(({ config }) => [config.model.type, config.objective['logQ'], config.model['hiddenUnits']]),
    ).toEqual([
      ['dssm', 'standard', [64]],
      ['popularity', 'standard', undefined],
      ['dssm', 'none', [64]],
      ['dssm', 'standard', []],
    ]);
  });
});
