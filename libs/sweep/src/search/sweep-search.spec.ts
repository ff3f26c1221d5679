import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadExperiment, type Experiment } from '@towerbench/config';
import type { PlannedTrial, RunRow } from '@towerbench/tracking';
import { describe, expect, it, onTestFinished } from 'vitest';
import { vocabulary } from '../vocabulary.js';
import { SweepSearch, type SearchMemory } from './sweep-search.js';

const text = `name: searched
dataset: { name: world/movies }
model: { type: dssm }
objective: { type: in-batch-softmax }
variants: { base: {}, senet: { model: { type: senet } } }
method: tpe
run_cap: 96
seeds: [1, 2, 3]
parameters:
  optimizer.learning_rate: { distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-1 }
  model.embedding_dim: { values: [4, 8, 16] }
metric: { name: valid/ndcg@10 }
report: [test/ndcg@10]
early_terminate: { type: median, min_trials: 3 }
`;

function experimentOf(lines: string): Experiment {
  const folder = mkdtempSync(join(tmpdir(), 'towerbench-search-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'searched.yaml');
  writeFileSync(file, lines);
  return loadExperiment({ file, vocabulary });
}

const nothing: SearchMemory = { key: null, trials: [], runs: [], userValues: new Map(), prior: null };

function searchOf(experiment: Experiment, memory = nothing): SweepSearch {
  return new SweepSearch(experiment, {
    memory,
    prior: {},
    identify: ({ variant }, parameters): PlannedTrial => {
      return { id: `${variant} ${JSON.stringify(parameters)}`, variant, parameters, config: {} };
    },
  });
}

/** A row as the store gives it; its metrics follow from trial and seed, those of the test part by `testOf`. */
function finished(key: string, testOf: (objective: number) => number): RunRow {
  const [, rate = '0', dim = '0'] = /learning_rate":([^,]+),"model.embedding_dim":(\d+)/.exec(key) ?? [];
  const at = key.lastIndexOf(' ');
  const seed = Number(key.slice(at + 1));
  const objective = 1 - Math.abs(Math.log10(Number(rate)) + 2.5) / 5 + Number(dim) / 100 + 0.02 * Math.sin(seed * 7);
  const metrics = {
    'valid/ndcg@10': objective,
    'test/ndcg@10': testOf(objective),
    'test/recall@50': testOf(objective),
  };
  return { trialId: key.slice(0, at), seed, status: 'finished', metrics } as unknown as RunRow;
}

/** Does all runs that are released until nothing is left; gives what was decided, in order. */
function played(experiment: Experiment, testOf: (objective: number) => number): unknown {
  const search = searchOf(experiment);
  const rows = new Map<string, RunRow>();
  const log: unknown[] = [];
  for (;;) {
    const { added, released, stopped } = search.advance([...rows.values()]);
    log.push([added.map(({ id }) => id), [...released], [...stopped]]);
    const next = [...released].find((key) => !rows.has(key));
    if (next === undefined) return log;
    rows.set(next, finished(next, testOf));
  }
}

describe('the search of a sweep', () => {
  it('never sees the test part: whatever stands there, every suggestion and every pruning is the same, bit for bit', () => {
    const experiment = experimentOf(text);
    const honest = JSON.stringify(played(experiment, (objective) => objective));
    for (const poison of [(v: number) => -1000 * v, () => NaN, () => 7, (v: number) => Math.sin(1e6 * v)]) {
      expect(JSON.stringify(played(experiment, poison))).toBe(honest);
    }
    expect(honest).toContain('worse than the median');
    const trained = text.replace('metric: { name: valid/ndcg@10 }', 'metric: { name: valid/ndcg@10, goal: minimize }');
    expect(JSON.stringify(played(experimentOf(trained), (objective) => objective))).not.toBe(honest);
  });

  it('shows a pruner over users the objective of each, turned, and nothing of the test part', () => {
    const experiment = experimentOf(
      text.replace('type: median, min_trials: 3', 'type: wilcoxon, over: users').replace('tpe', 'random'),
    );
    const search = searchOf(experiment);
    const asked = new Set<number>();
    /** Of every trial, the first one of each variant is the best for all users. */
    const userValues = (runId: number): Float32Array => {
      asked.add(runId);
      return Float32Array.from({ length: 30 }, (_, user) => (runId < 6 ? 0.5 : 0.2) + 0.001 * ((user * 7) % 11));
    };
    const rows = new Map<string, RunRow>();
    for (;;) {
      const { released } = search.advance([...rows.values()], userValues);
      const next = [...released].find((key) => !rows.has(key));
      if (next === undefined) break;
      const id = rows.size;
      const metrics = { 'valid/ndcg@10': id < 6 ? 0.505 : 0.205 };
      rows.set(next, { ...finished(next, () => NaN), id, metrics });
    }
    const { stopped } = search.advance([...rows.values()], () => null); // what was read once is not asked for again
    expect(new Set(stopped.values())).toEqual(
      new Set(['after 1 seed worse for 30 of 30 users than the best earlier trial, p = 0.0000']),
    );
    expect(stopped.size).toBeGreaterThan(40);
    expect(asked.size).toBe(rows.size);
  });

  it('gives every variant the same number of trials, and tries the same points first', () => {
    const experiment = experimentOf(text.replace(/early_terminate.*\n/, ''));
    const search = searchOf(experiment);
    const { added, mostTrials } = search.advance([]);
    expect(mostTrials).toBe(32);
    const pointsOf = (of: string) => added.filter(({ variant }) => variant === of).map(({ parameters }) => parameters);
    expect(pointsOf('base')).toHaveLength(3);
    expect(pointsOf('senet')).toEqual(pointsOf('base'));
    expect(search.mostAtOnce).toBe(2 * 3 * 3);
  });

  it('knows every trial from the start where results decide nothing', () => {
    const search = searchOf(experimentOf(text.replace('tpe', 'sobol').replace(/early_terminate.*\n/, '')));
    const { added, released } = search.advance([]);
    expect([search.isAdaptive, search.memory, added.length, released.size]).toEqual([false, null, 32, 96]);
  });

  it('keeps what the store remembers, as long as it follows from the same file', () => {
    const experiment = experimentOf(text);
    const search = searchOf(experiment);
    const trials = search
      .advance([])
      .added.map((trial) => ({ ...trial, experiment: 'searched', ordinal: trial.number }));
    const other = trials.map((trial) => ({ ...trial, parameters: { ...trial.parameters, 'model.embedding_dim': 16 } }));
    const stored = other.map((trial) => ({ ...trial, id: `${trial.variant} ${JSON.stringify(trial.parameters)}` }));
    const { key } = search.memory as { readonly key: string };
    const memory: SearchMemory = { ...nothing, key, trials: stored };
    expect(searchOf(experiment, memory).trials.map(({ id }) => id)).toEqual(stored.map(({ id }) => id));
    const more = experimentOf(text.replace('run_cap: 96', 'run_cap: 192'));
    expect(searchOf(more, memory).trials).toHaveLength(6);
    for (const change of ['search_seed: 4\n', 'search_lag: 1\n', 'impute: ignore\n']) {
      expect(searchOf(experimentOf(text + change), memory).trials).toEqual([]);
    }
    const changed = { ...memory, trials: stored.map((trial) => ({ ...trial, id: 'of another dataset' })) };
    expect(searchOf(experiment, changed).trials).toEqual([]);
  });
});
