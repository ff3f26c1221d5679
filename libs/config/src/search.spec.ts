import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, Point, SearchParameter } from './contract.js';
import { ConfigError } from './error.js';
import { gridPoints, gridSize, hasValue, isActive } from './space.js';
import { issuesOf, load, sound, textOf } from './stand-in/files.js';

const search = (parameters: string, more = 'run_cap: 10'): string =>
  `${sound}method: tpe\n${more}\nparameters:\n${parameters}\n`;
const spaceOf = (text: string, variant = 0): readonly SearchParameter[] => load(text).searches[variant]?.space ?? [];
const domainOf = (range: string) => spaceOf(search(`  optimizer.learning_rate: ${range}`))[0]?.domain;

describe('a range', () => {
  it('is what its distribution says, between bounds that are values', () => {
    expect(domainOf('{ distribution: uniform, min: 0.25, max: 1 }')).toEqual({
      ...{ kind: 'range', scale: 'linear', min: 0.25, max: 1, step: null },
    });
    expect(domainOf('{ distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-2 }')).toEqual({
      ...{ kind: 'range', scale: 'log', min: 1e-4, max: 1e-2, step: null },
    });
    expect(domainOf('{ distribution: int_uniform, min: 1, max: 9 }')).toEqual({
      ...{ kind: 'range', scale: 'linear', min: 1, max: 9, step: 1 },
    });
  });

  it('with a step reaches from the first multiple inside to the last', () => {
    expect(domainOf('{ distribution: q_uniform, min: 0.25, max: 1, q: 0.1 }')).toMatchObject({ min: 0.3, max: 1 });
    expect(domainOf('{ distribution: q_log_uniform_values, min: 5, max: 70, q: 8 }')).toEqual({
      ...{ kind: 'range', scale: 'log', min: 8, max: 64, step: 8 },
    });
    expect(domainOf('{ distribution: q_uniform, min: 1, max: 3 }')).toMatchObject({ step: 1 });
  });

  it('has both ends checked by the key before anything runs, at their places', () => {
    const text = search('  optimizer.learning_rate: { distribution: uniform, min: 0, max: 1 }');
    expect(textOf(text)).toBe(
      `parameters.optimizer.learning_rate.min: received 0
  at       a.yaml:9:58
  allowed  a number, greater than 0
  hint     without the key it is 0.001`,
    );
    const conflict = search('  training.patience: { distribution: int_uniform, min: 5, max: 13 }');
    expect(issuesOf(conflict)).toMatchObject([{ path: 'parameters.training.patience.max', hint: 'take 12' }]);
  });

  it('is nothing for a grid', () => {
    const text = `${sound}parameters: { training.epochs: { distribution: int_uniform, min: 1, max: 2 } }\n`;
    expect(textOf(text)).toBe(
      `parameters.training.epochs: received a range to search in
  at       a.yaml:6:32
  allowed  {values: [...]}, or {value: ...}: the grid tries what is listed
  hint     write {values: [...]}, or another method than grid, with a run_cap`,
    );
  });
});

describe('a condition', () => {
  it('on a key leaves the parameter to the variants that have the value, written or by default', () => {
    const text = `${search(`  objective.log_q: { values: [none, standard], when: { model.type: senet } }
  training.batch_size: { values: [1, 2], when: { optimizer.type: adam, model.output_dim: { values: [32, 64] } } }`)}variants:
  base: {}
  senet: { model: { type: senet, output_dim: 8 } }
`;
    expect(spaceOf(text, 0).map(({ name }) => name)).toEqual(['training.batch_size']);
    expect(spaceOf(text, 1)).toMatchObject([{ name: 'objective.log_q', when: [] }]);
  });

  it('on a parameter stays open, and that parameter comes first', () => {
    const text = search(`  objective.temperature: { values: [1, 2], when: { objective.log_q: standard } }
  objective.log_q: { values: [none, standard] }`);
    expect(spaceOf(text)).toMatchObject([
      { name: 'objective.log_q', when: [] },
      { name: 'objective.temperature', when: [{ parameter: 'objective.log_q', values: ['standard'] }] },
    ]);
  });

  it('on a parameter that the variant does not have leaves both away', () => {
    const text = `${search(`  model.reduction: { values: [1, 2] }
  training.epochs: { values: [1, 2], when: { model.reduction: 2 } }`)}variants: { base: {}, senet: { model: { type: senet } } }\n`;
    expect(load(text).searches.map(({ space }) => space.length)).toEqual([0, 2]);
  });

  it('makes a grid without points that differ in nothing', () => {
    const text = `${sound}parameters:
  objective.log_q: { values: [none, standard] }
  objective.temperature: { values: [1, 2], when: { objective.log_q: standard } }
`;
    expect(load(text).trials.map(({ parameters }) => parameters)).toEqual([
      { 'objective.log_q': 'none' },
      { 'objective.log_q': 'standard', 'objective.temperature': 1 },
      { 'objective.log_q': 'standard', 'objective.temperature': 2 },
    ]);
  });

  it('looks at single values, not at a range', () => {
    const text = search(`  training.epochs: { distribution: int_uniform, min: 1, max: 3 }
  objective.temperature: { values: [1, 2], when: { training.epochs: 2 } }`);
    expect(issuesOf(text)).toMatchObject([
      { code: 'dead-condition', at: { line: 10, column: 69 }, hint: 'give training.epochs a list of values' },
    ]);
  });
});

describe('the budget', () => {
  const variants = 'variants: { base: {}, wide: { model: { output_dim: 64 } }, none: { model: { type: popularity } } }';
  const text = (cap: number): string =>
    `${search('  model.embedding_dim: { values: [4, 8] }', `run_cap: ${cap}\nseeds: [1, 2]\n${variants}`)}`;

  it('is the same number of trials for every variant with parameters, and one for the others', () => {
    expect(load(text(20)).searches.map(({ variant, numTrials }) => [variant, numTrials])).toEqual([
      ['base', 4],
      ['wide', 4],
      ['none', 1],
    ]);
    expect(load(text(20)).trials.map(({ variant }) => variant)).toEqual(['none']);
  });

  it('never makes more runs than run_cap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 200 }), (cap) => {
        const trials = load(text(cap)).searches.reduce((sum, { numTrials }) => sum + numTrials, 0);
        expect(trials * 2).toBeLessThanOrEqual(cap);
      }),
      { numRuns: 30 },
    );
  });

  it('is asked for where a method draws, and has to be enough for a trial of each', () => {
    expect(issuesOf(search('  model.embedding_dim: { values: [4, 8] }', ''))).toMatchObject([
      {
        code: 'missing-key',
        path: 'run_cap',
        at: { line: 6, column: 9 },
        hint: 'write run_cap: 10, the most runs of the sweep',
      },
    ]);
    expect(issuesOf(text(5))).toMatchObject([{ code: 'run-cap', allowed: 'a whole number, at least 6' }]);
    expect(load(`${sound}method: tpe\n`).trials).toHaveLength(1);
  });

  it('is for as many parameters as the method can search', () => {
    const four = ['embedding_dim', 'output_dim', 'hidden_units', 'normalize']
      .map((key) => `  model.${key}: { values: [null] }`)
      .join('\n');
    expect(issuesOf(search(four).replace('tpe', 'sobol')).find(({ path }) => path === 'parameters')).toMatchObject({
      message: '4 parameters are searched at once',
      allowed: 'at most 3 with method sobol',
    });
  });
});

describe('a trial', () => {
  const text = search(`  training.patience: { distribution: int_uniform, min: 5, max: 20 }
  optimizer.learning_rate: { distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-2 }`);

  it('is made at any point of the space, with every default', () => {
    const trial = load(text).searches[0]?.trialAt({ 'training.patience': 7, 'optimizer.learning_rate': 0.0025 });
    expect(trial?.parameters).toEqual({ 'training.patience': 7, 'optimizer.learning_rate': 0.0025 });
    expect(trial?.config).toMatchObject({ training: { patience: 7, epochs: 10 }, optimizer: { learningRate: 0.0025 } });
  });

  it('that does not go together is an error at the range', () => {
    const at = () => load(text).searches[0]?.trialAt({ 'training.patience': 13, 'optimizer.learning_rate': 0.001 });
    expect(at).toThrow(ConfigError);
    expect(at).toThrow(/13 brings bad luck\n {2}at {7}\S+a\.yaml:9:22/);
  });

  it('learns from a variant that has nothing to search', () => {
    const taught = (when: string): string =>
      `${search(`  training.epochs: { values: [1, 2]${when} }`)}variants: { base: {}, pupil: { model: { type: senet }, teacher: base } }\n`;
    const pupil = load(taught(', when: { model.type: senet }')).searches[1]?.trialAt({ 'training.epochs': 2 });
    expect(pupil?.teacher).toMatchObject({ variant: 'base', config: { training: { epochs: 10 } } });
    expect(issuesOf(taught(''))).toMatchObject([{ code: 'teacher-search', path: 'variants.pupil.teacher' }]);
  });
});

describe('the settings of a search', () => {
  const settings = (lines: string) =>
    load(search('  training.epochs: { values: [1, 2] }', `run_cap: 9\n${lines}`)).search;

  it('read times as minutes or with a unit', () => {
    const caps = ['10', '0.5', '90s', '30m', '1.5h'].map((text) => settings(`time_cap: ${text}`).timeCapSeconds);
    expect(caps).toEqual([600, 30, 90, 1800, 5400]);
  });

  it('have the parameters of the pruner with their defaults', () => {
    expect(settings('early_terminate: { type: asha, min_iter: 2 }').earlyTerminate).toEqual({
      ...{ type: 'asha', minIter: 2, eta: 3 },
    });
  });

  it('take the target with the metric, and the other numbers as they are', () => {
    const text = search('  training.epochs: { values: [1] }', 'run_cap: 9\nsearch_seed: 7\nsearch_lag: 0\nimpute: 0.5');
    expect(load(text.replace('valid/ndcg@10', 'valid/ndcg@10, target: 0.4')).search).toMatchObject({
      ...{ seed: 7, lag: 0, impute: 0.5, target: 0.4 },
    });
  });
});

describe('a warm start', () => {
  const parameters = `  objective.log_q: { values: [none, standard] }
  objective.temperature: { distribution: uniform, min: 1, max: 2, when: { objective.log_q: standard } }`;
  const warm = (points: string, method = 'tpe'): string =>
    search(parameters, `run_cap: 9\nwarm_start: ${points}`).replace('method: tpe', `method: ${method}`);

  it('gives the points first, without what is not set there', () => {
    const text = warm(
      `{ points: [{ objective.log_q: none, objective.temperature: 1.5 }, { objective.temperature: 2, objective.log_q: standard }] }`,
    );
    expect(load(text).searches[0]?.warmPoints).toEqual([
      { 'objective.log_q': 'none' },
      { 'objective.log_q': 'standard', 'objective.temperature': 2 },
    ]);
  });

  it('refuses what is not in the space', () => {
    expect(issuesOf(warm('{ points: [{ objective.log_q: standard }, { objective.log_q: nine }] }'))).toMatchObject([
      { code: 'missing-key', path: 'warm_start.points[0].objective.temperature', allowed: '1 to 2' },
      { code: 'wrong-value', path: 'warm_start.points[1].objective.log_q', allowed: '"none", "standard"' },
    ]);
    expect(issuesOf(warm('{ points: [{ objective.log_q: standard, objective.temperature: 3 }] }'))).toMatchObject([
      { code: 'wrong-value', path: 'warm_start.points[0].objective.temperature' },
    ]);
  });

  it('with earlier sweeps needs a method that looks at results', () => {
    expect(load(warm('{ sweeps: [earlier] }')).search.warmSweeps).toEqual(['earlier']);
    expect(issuesOf(warm('{ sweeps: [earlier] }', 'sobol'))).toMatchObject([
      { code: 'warm-start', path: 'warm_start.sweeps', allowed: 'with method tpe' },
    ]);
    expect(
      load(warm('{ sweeps: [earlier] }')).search.warmSweepError(0, { code: 'x', message: 'is not there' }),
    ).toMatchObject({
      issues: [{ path: 'warm_start.sweeps[0]', message: 'is not there', at: { line: 8, column: 24 } }],
    });
  });
});

const parameter = (name: string, parents: readonly string[]): fc.Arbitrary<SearchParameter> =>
  fc.record({
    name: fc.constant(name),
    domain: fc.record({
      kind: fc.constant('choice' as const),
      values: fc.uniqueArray(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant('a')), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
    when: fc
      .subarray([...parents], { maxLength: Math.min(1, parents.length) })
      .map((names) => names.map((parent) => ({ parameter: parent, values: [0, 'a'] as Json[] }))),
  });
const spaces = fc.tuple(parameter('p', []), parameter('q', ['p']), parameter('r', ['p', 'q']));

describe('the points of a grid', () => {
  it('are all different, set what is active and nothing else, and are as many as gridSize says', () => {
    fc.assert(
      fc.property(spaces, (space) => {
        const points = gridPoints(space);
        expect(new Set(points.map((point) => JSON.stringify(point))).size).toBe(points.length);
        expect(gridSize(space, Infinity)).toBe(points.length);
        for (const point of points) {
          space.reduce<Point>((before, each) => {
            expect(Object.hasOwn(point, each.name)).toBe(isActive(each, before));
            if (!isActive(each, before)) return before;
            expect(hasValue(each, point[each.name] as Json)).toBe(true);
            return { ...before, [each.name]: point[each.name] as Json };
          }, {});
        }
      }),
    );
  });
});
