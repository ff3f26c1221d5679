import { openMemoryStore, type StoreReader } from '@towerbench/tracking';
import { describe, expect, it } from 'vitest';
import { experimentInput } from '../testing/experiment.js';
import { createLeaderboard, type LeaderboardRequest } from './leaderboard.js';

/** Two experiments of one protocol and one of another; every run of `base` reaches 0.7, of `gate` 0.8, plus seed / 100. */
function fill(): StoreReader {
  const { writer, reader } = openMemoryStore();
  for (const [name, fingerprint] of [
    ['first', 'f00d'],
    ['second', 'f00d'],
    ['elsewhere', 'beef'],
  ] as const) {
    const input = experimentInput(name);
    const trials = input.trials.map((trial) => ({
      ...trial,
      config: { model: { outputDim: trial.variant === 'gate' ? 32 : 16 }, optimizer: { learningRate: 0.1 } },
    }));
    for (const { id, variant, seed } of writer.plan({ ...input, fingerprint, trials })) {
      const { attemptId } = writer.claim(id, { host: 'here', pid: 1, environment: {} })!;
      const value = (variant === 'gate' ? 0.8 : 0.7) + seed / 100;
      writer.finish(attemptId, {
        metrics: { 'valid/auc': value, 'test/auc': value, 'test/logloss': 1 - value },
        perUser: {},
        parameterCount: 10,
        indexBytesPerItem: null,
        seconds: 1,
        bestStep: 1,
        artifacts: [],
      });
    }
  }
  return reader;
}

const request = (overrides: Partial<LeaderboardRequest> = {}): LeaderboardRequest => ({
  scope: undefined,
  experiment: undefined,
  groupBy: [],
  metrics: ['test/auc'],
  paths: ['model.output_dim'],
  filter: '',
  sort: undefined,
  order: undefined,
  page: 1,
  ...overrides,
});

describe('the leaderboard', () => {
  it('has experiments of one protocol together and those of another apart', () => {
    const reader = fill();
    const { choices, page } = createLeaderboard();
    const { scopes, metrics, columns, paths, lowerIsBetter } = choices(reader, { scope: undefined, experiment: 'first' }); // prettier-ignore
    expect(scopes.map(({ experiments }) => experiments.toSorted())).toContainEqual(['first', 'second']);
    expect(metrics).toEqual(['test/auc', 'test/logloss', 'valid/auc']);
    expect(columns).toEqual(['valid/auc', 'test/auc', 'test/logloss']);
    expect(lowerIsBetter).toEqual(['test/logloss']);
    expect(paths).toEqual([
      { path: 'model.output_dim', values: 2 },
      { path: 'optimizer.learning_rate', values: 1 },
    ]);
    const together = scopes.find(({ experiments }) => experiments.includes('first'))!;
    expect(page(reader, request({ scope: together.id })).totalRuns).toBe(8);
    expect(page(reader, request({ experiment: 'elsewhere' })).totalRuns).toBe(4);
  });

  it('has mean and t interval over the seeds of a trial, and its settings by their names in the file', () => {
    const board = createLeaderboard().page(fill(), request({ experiment: 'first' }));
    expect(board).toMatchObject({ groupBy: ['trial'], sort: 'test/auc', order: 'desc', totalGroups: 2, totalRuns: 4 });
    const [row] = board.rows;
    expect(row).toMatchObject({ variants: ['gate'], experiments: ['first'], runs: 2, config: [{ value: 32, distinct: 1 }] }); // prettier-ignore
    // t(0.975, 1) = 12.7062, s = 0.00707107
    expect(row!.metrics['test/auc']!.mean).toBeCloseTo(0.815, 12);
    expect(row!.metrics['test/auc']!.ci95![0]).toBeCloseTo(0.815 - 12.7062 * 0.005, 6);
  });

  it('groups by paths of the config across experiments', () => {
    const reader = fill();
    const { page, choices } = createLeaderboard();
    const { id } = choices(reader, { scope: undefined, experiment: 'first' }).scope;
    const board = page(reader, request({ scope: id, groupBy: ['model.output_dim', 'seed'], filter: 'second' }));
    expect(board.rows.map(({ keys }) => keys)).toEqual([
      [32, 2],
      [32, 1],
      [16, 2],
      [16, 1],
    ]);
  });

  it('understands comparisons of settings, metrics and fields, and texts, in a filter', () => {
    const reader = fill();
    const { page } = createLeaderboard();
    const runs = (filter: string) => page(reader, request({ experiment: 'first', filter })).totalRuns;
    expect(runs('model.output_dim=32')).toBe(2);
    expect(runs('test/auc>=0.815 variant=gate')).toBe(1);
    expect(runs('GATE')).toBe(2);
    expect(runs('seed!=1 status=finished')).toBe(2);
    expect(runs('no-such.path=1')).toBe(0);
    expect(runs('__proto__=1 constructor>2')).toBe(0);
  });

  it('orders a loss from the smallest', () => {
    const board = createLeaderboard().page(fill(), request({ experiment: 'first', metrics: ['test/logloss'] }));
    expect(board.order).toBe('asc');
    expect(board.rows.map(({ variants }) => variants)).toEqual([['gate'], ['base']]);
  });

  it('says what cannot be grouped by, and what is not there', () => {
    const reader = fill();
    const { page, choices } = createLeaderboard();
    expect(() => page(reader, request({ groupBy: ['test/auc'] }))).toThrow(
      'group: "test/auc" cannot be grouped by; take run, trial, seed, variant, experiment or a path of the config',
    );
    expect(() => choices(reader, { scope: undefined, experiment: 'none' })).toThrow('the store has no experiment "none"'); // prettier-ignore
    expect(() => page(reader, request({ scope: 'abc' }))).toThrow('the store has no such data and protocol');
  });
});
