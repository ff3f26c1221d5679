import { openMemoryStore } from '@towerbench/tracking';
import { describe, expect, it } from 'vitest';
import { experimentInput } from '../testing/experiment.js';
import { createAnalysis } from './analysis.js';

/** 30 trials of two seeds: the rate decides, the width does nothing; the last trial has not run, and only some have a gate. */
function fill() {
  const { writer, reader } = openMemoryStore();
  const runs = writer.plan({
    ...experimentInput('search'),
    trials: Array.from({ length: 30 }, (_, k) => ({
      id: `t${k}`,
      variant: 'base',
      parameters: {
        'optimizer.learning_rate': 10 ** (-4 + k / 10),
        'model.width': [16, 32][k % 2] as number,
        ...(k % 3 === 0 && { 'model.gate': k % 2 === 0 }),
      },
      config: { k },
    })),
  });
  for (const { id, trialId, seed } of runs) {
    const k = Number(trialId.slice(1));
    if (k === 29) continue;
    const { attemptId } = writer.claim(id, { host: 'here', pid: 1, environment: {} })!;
    writer.finish(attemptId, {
      metrics: { 'valid/auc': k / 100 + seed / 1000 },
      perUser: {},
      parameterCount: 1,
      indexBytesPerItem: null,
      seconds: 1,
      bestStep: 1,
      artifacts: [],
    });
  }
  return { writer, reader, runs };
}

describe('the analysis', () => {
  it('has per trial its settings and the mean of the objective over its seeds', () => {
    const { reader, runs } = fill();
    const { metric, parameters, trials, leftOut } = createAnalysis().analysis(reader, 'search');
    expect(metric.name).toBe('valid/auc');
    expect(parameters).toEqual([
      { name: 'optimizer.learning_rate', kind: 'log' },
      { name: 'model.width', kind: 'linear' },
      { name: 'model.gate', kind: 'category' },
    ]);
    expect(trials[2]).toEqual({
      variant: 'base',
      runId: runs.find(({ trialId }) => trialId === 't2')!.id,
      n: 2,
      failed: 0,
      values: [10 ** -3.8, 16, null],
      objective: expect.closeTo(0.0215, 12) as number,
    });
    expect(trials[0]!.values[2]).toBe('true');
    expect(trials[29]).toMatchObject({ n: 0, failed: 0, objective: null });
    expect(leftOut).toEqual(['model.gate']);
  });

  it('tells the parameter that decides, of those that every trial has', () => {
    const { importance } = createAnalysis().analysis(fill().reader, 'search');
    if (importance.kind !== 'told') throw new Error(importance.kind);
    expect(importance.trials).toBe(29);
    expect(importance.parameters.map(({ name }) => name)).toEqual(['optimizer.learning_rate', 'model.width']);
    expect(importance.parameters[0]!.share).toBeGreaterThan(0.9);
  });

  it('is made anew when a run has finished', () => {
    const { writer, reader, runs } = fill();
    const { analysis } = createAnalysis();
    expect(analysis(reader, 'search')).toBe(analysis(reader, 'search'));
    const { attemptId } = writer.claim(runs.at(-1)!.id, { host: 'here', pid: 1, environment: {} })!;
    writer.fail(attemptId, { error: 'no', status: 'failed', retry: false });
    const before = analysis(reader, 'search');
    expect(before.trials[29]).toMatchObject({ n: 0, failed: 1, objective: null });
    expect(analysis(reader, 'search')).toBe(before);
  });

  it('says that a store has no such experiment', () => {
    expect(() => createAnalysis().analysis(fill().reader, 'none')).toThrow('the store has no experiment "none"');
  });
});
