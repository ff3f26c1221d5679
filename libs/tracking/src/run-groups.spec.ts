import { describe, expect, it } from 'vitest';
import type { ExperimentInput, StoreReader, StoreWriter } from './contract.js';
import { openMemoryStore } from './open.js';
import type { RunGroupQuery } from './run-groups.js';
import { sampleExperiment, sampleResult } from './sample-experiment.js';

const trial = (variant: string, width: number, rate: number) => ({
  id: `${variant}-${width}-${rate}`,
  variant,
  parameters: { 'model.output_dim': width },
  config: { model: { outputDim: width, 'a.b': variant }, optimizer: { learningRate: rate } },
});

/** Three trials with three seeds; the metric is width + seed / 10, of the last trial nothing is finished. */
function fill(overrides: Partial<ExperimentInput> = {}): { writer: StoreWriter; reader: StoreReader } {
  const store = openMemoryStore();
  const runs = store.writer.plan({
    ...sampleExperiment(),
    seeds: [1, 2, 3],
    trials: [trial('base', 16, 0.1), trial('base', 32, 0.1), trial('senet', 32, 0.01), trial('late', 64, 0.01)],
    ...overrides,
  });
  for (const run of runs) {
    if (run.variant === 'late') continue;
    const attempt = store.writer.claim(run.id, { host: 'here', pid: 1, environment: {} })!.attemptId;
    const width = Number(run.trialId.split('-')[1]);
    const value = run.variant === 'senet' && run.seed === 3 ? NaN : width + run.seed / 10;
    store.writer.finish(attempt, {
      ...sampleResult(),
      metrics: { 'test/ndcg@10': value, 'test/hr@10': 1 },
      seconds: run.seed,
      parameterCount: width * 10,
    });
  }
  return store;
}

const query = (reader: StoreReader, overrides: Partial<RunGroupQuery> = {}): RunGroupQuery => ({
  scope: reader.runScopes()[0]!,
  groupBy: [{ kind: 'trial' }],
  conditions: [],
  metrics: ['test/ndcg@10'],
  paths: [],
  sort: { by: { kind: 'metric', name: 'test/ndcg@10' }, order: 'desc' },
  offset: 0,
  limit: 10,
  ...overrides,
});

describe('runGroups', () => {
  it('puts the seeds of a trial together, the best mean first and what has none last', () => {
    const { reader } = fill();
    const page = reader.runGroups(query(reader));
    expect(page).toMatchObject({ totalGroups: 4, totalRuns: 12 });
    expect(page.groups.map(({ keys, runs, finished }) => [keys, runs, finished])).toEqual([
      [['base-32-0.1'], 3, 3],
      [['base-16-0.1'], 3, 3],
      [['senet-32-0.01'], 3, 3],
      [['late-64-0.01'], 3, 0],
    ]);
    const { metrics, seconds, parameterCount } = page.groups[0]!;
    expect(metrics['test/ndcg@10']!.mean).toBeCloseTo(32.2, 12);
    expect(metrics['test/ndcg@10']!.std).toBeCloseTo(0.1, 12);
    expect([metrics['test/ndcg@10']!.n, seconds, parameterCount]).toEqual([3, 2, 320]);
    expect(page.groups[2]!.metrics['test/ndcg@10']).toEqual({ n: 3, mean: NaN, std: NaN });
    expect(page.groups[3]!.metrics).toEqual({});
  });

  it('computes a mean from all runs of the group and counts all groups, whatever the page', () => {
    const { reader } = fill();
    const page = reader.runGroups(query(reader, { offset: 1, limit: 1 }));
    expect(page.totalGroups).toBe(4);
    expect(page.groups.map(({ keys }) => keys)).toEqual([['base-16-0.1']]);
    expect(page.groups[0]!.metrics['test/ndcg@10']!.mean).toBeCloseTo(16.2, 12);
  });

  it('groups by a path of the config, and says where the runs of a group differ in another', () => {
    const { reader } = fill();
    const path = ['model', 'outputDim'];
    const page = reader.runGroups(
      query(reader, {
        groupBy: [{ kind: 'config', path }],
        paths: [path, ['model', 'a.b'], ['not', 'there']],
        sort: { by: { kind: 'config', path }, order: 'asc' },
      }),
    );
    expect(page.groups.map(({ keys, runs, variants }) => [keys, runs, variants])).toEqual([
      [[16], 3, ['base']],
      [[32], 6, ['base', 'senet']],
      [[64], 3, ['late']],
    ]);
    expect(page.groups[1]!.config).toEqual([
      { value: 32, distinct: 1 },
      { value: 'base', distinct: 2 },
      { value: null, distinct: 1 },
    ]);
  });

  it('groups by seed, and lists runs alone', () => {
    const { reader } = fill();
    const seeds = reader.runGroups(
      query(reader, { groupBy: [{ kind: 'seed' }], sort: { by: { kind: 'seed' }, order: 'asc' } }),
    );
    expect(seeds.groups.map(({ keys, runs }) => [keys, runs])).toEqual([
      [[1], 4],
      [[2], 4],
      [[3], 4],
    ]);
    expect(reader.runGroups(query(reader, { groupBy: [{ kind: 'run' }] })).totalGroups).toBe(12);
  });

  it('takes only runs that meet every condition', () => {
    const { reader } = fill();
    const runs = (...conditions: RunGroupQuery['conditions'][number][]) =>
      reader.runGroups(query(reader, { conditions })).totalRuns;
    const of = { kind: 'config', path: ['optimizer', 'learningRate'] } as const;
    expect(runs({ kind: 'text', text: 'SENET' })).toBe(3);
    expect(runs({ kind: 'compare', of, op: '<', value: '0.05' })).toBe(6);
    expect(runs({ kind: 'compare', of, op: '=', value: '1e-1' }, { kind: 'text', text: 'base' })).toBe(6);
    expect(runs({ kind: 'compare', of: { kind: 'metric', name: 'test/ndcg@10' }, op: '>', value: '32.15' })).toBe(3);
    expect(runs({ kind: 'compare', of: { kind: 'variant' }, op: '!=', value: 'base' })).toBe(6);
    expect(runs({ kind: 'compare', of: { kind: 'status' }, op: '=', value: 'pending' })).toBe(3);
    expect(runs({ kind: 'compare', of: { kind: 'variant' }, op: '<', value: 'z' })).toBe(0);
  });

  it('counts a run once that two experiments share, and keeps other protocols out', () => {
    const { writer, reader } = fill();
    writer.plan({
      ...sampleExperiment(),
      name: 'again',
      seeds: [1],
      trials: [{ ...trial('base', 16, 0.1), variant: 'same' }],
    });
    writer.plan({ ...sampleExperiment(), name: 'other', protocol: { split: 'by time' } });
    const scopes = reader.runScopes();
    expect(scopes.map(({ experiments }) => experiments.toSorted())).toEqual([['other'], ['again', 'sample']]);
    const page = reader.runGroups(query(reader, { scope: scopes[1]!, conditions: [{ kind: 'text', text: '16' }] }));
    expect(page.totalRuns).toBe(3);
    expect(page.groups[0]).toMatchObject({ runs: 3, variants: ['base', 'same'], experiments: ['sample', 'again'] });
    const one = reader.runGroups(query(reader, { scope: { ...scopes[1]!, experiment: 'again' } }));
    expect([one.totalRuns, one.groups[0]!.experiments]).toEqual([1, ['again']]);
  });

  it('sees what was written since', () => {
    const { writer, reader } = fill();
    const late = query(reader, { conditions: [{ kind: 'text', text: 'late' }] });
    expect(reader.runGroups(late).groups[0]!.finished).toBe(0);
    const run = reader.runs('sample').find(({ variant }) => variant === 'late')!;
    const { attemptId } = writer.claim(run.id, { host: 'here', pid: 1, environment: {} })!;
    writer.finish(attemptId, { ...sampleResult(), metrics: { 'test/ndcg@10': 5 } });
    expect(reader.runGroups(late).groups[0]!.metrics['test/ndcg@10']!.mean).toBe(5);
  });

  it('reads a metric of many runs as it reads one of few', () => {
    const seeds = Array.from({ length: 800 }, (_, k) => k + 1);
    const { reader } = fill({ seeds, trials: [trial('base', 16, 0.1), trial('base', 32, 0.1)] });
    const [group] = reader.runGroups(query(reader, { groupBy: [], metrics: ['test/hr@10', 'test/ndcg@10'] })).groups;
    expect(group!.metrics['test/hr@10']).toEqual({ n: 1600, mean: 1, std: 0 });
    expect(group!.metrics['test/ndcg@10']!.mean).toBeCloseTo(24 + 40.05, 9);
  });
});

describe('metricNames', () => {
  it('has every name once, by the alphabet', () => {
    expect(fill().reader.metricNames()).toEqual(['test/hr@10', 'test/ndcg@10']);
    expect(openMemoryStore().reader.metricNames()).toEqual([]);
  });
});
