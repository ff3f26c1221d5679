import { openMemoryStore } from '@towerbench/tracking';
import { describe, expect, it } from 'vitest';
import { experimentInput } from '../testing/experiment.js';
import { experimentProgress } from './progress.js';

const NAME = 'sweep';
const RESULT = { metrics: {}, perUser: {}, parameterCount: 1, indexBytesPerItem: null, seconds: 5, bestStep: 1, artifacts: [] }; // prettier-ignore

/** Four planned runs, and a clock in seconds. */
function plan(overrides: { readonly search?: string; readonly mostRuns?: number } = {}) {
  const clock = { seconds: 1000 };
  const now = () => 1000 * clock.seconds;
  const { writer, reader } = openMemoryStore(now);
  const { search = null, mostRuns = 4 } = overrides;
  const runs = writer.plan({ ...experimentInput(NAME), config: { mostRuns }, search });
  const claim = (k: number) => writer.claim(runs[k]!.id, { host: 'here', pid: 1, environment: {} })!.attemptId;
  const move = (attemptId: number, step: number) =>
    writer.progress(attemptId, { step, totalSteps: 100, stepsPerEpoch: 10, batchSize: 8 });
  return { clock, writer, runs, claim, move, progress: () => experimentProgress(reader, NAME, now()) };
}

describe('the progress of a sweep', () => {
  it('is nothing at first, with nothing to be told of the time', () => {
    expect(plan().progress()).toEqual({
      runs: { finished: 0, running: 0, failed: 0, pruned: 0, pending: 4 },
      trials: { known: 2, done: 0 },
      most: null,
      secondsLeft: null,
      running: [],
      failed: [],
    });
  });

  it('tells of each run under way how long it takes still, and of the sweep', () => {
    const { clock, writer, runs, claim, move, progress } = plan();
    const first = claim(0);
    clock.seconds += 10;
    writer.finish(first, RESULT);
    const [second, third] = [claim(1), claim(2)];
    clock.seconds += 4;
    move(second, 20);
    const { running, secondsLeft, trials } = progress();
    expect(running).toMatchObject([
      { id: runs[1]!.id, variant: 'base', seed: 2, step: 20, totalSteps: 100, seconds: 4, secondsLeft: 16, silentSeconds: null }, // prettier-ignore
      { id: runs[2]!.id, seconds: 4, secondsLeft: 11 }, // as long as the mean of 10 and 20 seconds
    ]);
    expect(secondsLeft).toBe((16 + 11 + 15) / 2);
    expect(trials).toEqual({ known: 2, done: 0 });
    for (const attempt of [second, third]) writer.finish(attempt, RESULT);
    expect(progress().trials).toEqual({ known: 2, done: 1 });
  });

  it('counts what a silent process has left as waiting, and tells no time while nobody works', () => {
    const { clock, writer, claim, move, progress } = plan();
    const attempts = [claim(0), claim(1)];
    clock.seconds += 14;
    for (const attempt of attempts) move(attempt, 50);
    writer.renew([attempts[0]!]);
    clock.seconds += 2;
    const [heard, silent] = progress().running;
    expect(heard).toMatchObject({ silentSeconds: null, secondsLeft: 16 });
    expect(silent).toMatchObject({ silentSeconds: 16, secondsLeft: null });
    expect(progress().secondsLeft).toBe(16 + 3 * 32);
    clock.seconds += 60;
    expect(progress().secondsLeft).toBeNull();
  });

  it('has the failed runs with their errors and the ends of their logs, the last one first', () => {
    const { clock, writer, runs, claim, progress } = plan();
    for (const k of [1, 0]) {
      const attempt = claim(k);
      writer.log(attempt, `${'x'.repeat(5000)}the end of ${k}`);
      clock.seconds += 1;
      writer.fail(attempt, { error: `error ${k}`, status: 'failed', retry: false });
    }
    const { failed } = progress();
    expect(failed.map(({ id, error }) => [id, error])).toEqual([
      [runs[0]!.id, 'error 0'],
      [runs[1]!.id, 'error 1'],
    ]);
    expect(failed[0]!.log).toMatch(/^x+the end of 0$/);
    expect(failed[0]!.log).toHaveLength(4096);
  });

  it('has what the budget of a search allows, until all that it knows is done', () => {
    const { clock, writer, claim, progress } = plan({ search: 'memory', mostRuns: 20 });
    const first = claim(0);
    clock.seconds += 10;
    writer.finish(first, RESULT);
    const second = claim(1);
    expect(progress()).toMatchObject({ most: { runs: 20, trials: 10 }, secondsLeft: 10 + 18 * 10 });
    for (const attempt of [second, claim(2), claim(3)]) writer.finish(attempt, RESULT);
    expect(progress()).toMatchObject({ most: null, trials: { known: 2, done: 2 } });
  });

  it('is of an experiment that is there', () => {
    const { reader } = openMemoryStore();
    expect(() => experimentProgress(reader, 'none', 0)).toThrow('the store has no experiment "none"');
  });
});
