import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fixtures, start, towerbench } from './command.js';
import { read, until } from './processes.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-search-'));
afterAll(() => rmSync(folder, { recursive: true }));

const config = join(fixtures, 'sweeps/searched.yaml');
const argsOf = (name: string, ...more: string[]): string[] => [
  ...['--config', config, '--store', join(folder, name, 'store.sqlite'), ...more],
];

interface Search {
  /** By variant, in the order of suggestion. */
  readonly trials: Readonly<Record<string, readonly string[]>>;
  readonly runs: readonly string[];
}

/** What a sweep has done, without what time it was. */
function searchOf(name: string): Search {
  const store = join(folder, name, 'store.sqlite');
  return read<Search>(
    store,
    (reader) => {
      const trials: Record<string, string[]> = {};
      for (const { variant, id, parameters } of reader.trials('searched')) {
        (trials[variant] ??= []).push(`${id} ${JSON.stringify(parameters)}`);
      }
      const runs = reader
        .runs('searched')
        .map(({ trialId, seed, status, metrics }) => `${trialId} ${seed} ${status} ${metrics['valid/ndcg@10']}`);
      return { trials, runs: runs.sort() };
    },
    { trials: {}, runs: [] },
  );
}

describe('a search', () => {
  it('tries the same trials and gives up the same runs with one process, with three, and after kill -9 at any moment', async () => {
    const alone = await towerbench('sweep', ...argsOf('alone', '--jobs', '1'));
    expect(alone.code, alone.stderr).toBe(0);
    const expected = searchOf('alone');
    expect(Object.entries(expected.trials).map(([variant, { length }]) => [variant, length])).toEqual([
      ['base', 14],
      ['popularity', 1],
    ]);
    expect(expected.runs.some((run) => run.includes('pruned'))).toBe(true);

    const three = await towerbench('sweep', ...argsOf('three', '--jobs', '3'));
    expect(three.code, three.stderr).toBe(0);
    expect(searchOf('three')).toEqual(expected);

    const numFinished = (): number => searchOf('killed').runs.filter((run) => run.includes('finished')).length;
    for (const [round, runs] of [3, 9, 15].entries()) {
      const { child, ended } = start(['sweep', ...argsOf('killed', '--jobs', String(1 + (round % 2)))]);
      await until(() => numFinished() >= runs, `${runs} runs are done`, 120_000);
      child.kill('SIGKILL');
      await ended;
    }
    const resumed = await towerbench('sweep', ...argsOf('killed', '--jobs', '2'));
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(searchOf('killed')).toEqual(expected);
  }, 300_000);

  it('is planned with what is known by now, and says how the rest comes about', async () => {
    const { code, stdout } = await towerbench('plan', ...argsOf('planned', '--jobs', '9'));
    expect(code).toBe(0);
    expect(stdout).toContain(
      'search tpe, seed 0: at most 15 trials, 4 known by now; trial k follows from the results of trials 0 to k - 3 of its variant (search_lag: 2), whatever --jobs is',
    );
    expect(stdout).toContain('4 runs at once are possible, so 5 of 9 jobs wait; raise search_lag to use them');
  });

  it('ends at its target, and after its time', async () => {
    const early = await towerbench(
      'sweep',
      ...argsOf('target', '--set', 'metric.target=0.01', '--set', 'search_lag=0'),
    );
    expect(early.code, early.stderr).toBe(0);
    expect(Object.values(searchOf('target').trials).map(({ length }) => length)).toEqual([1, 1]);

    const late = await towerbench('sweep', ...argsOf('time', '--set', 'time_cap=1s'));
    expect(late.stderr).toContain('time_cap is over, run the same command again to go on');
    expect(late.code).toBe(0);
  });

  it('begins with the results of an earlier sweep of the same store', async () => {
    const sweeps = ['--set', 'warm_start.sweeps=[searched]', '--set', 'name=warm', '--set', 'run_cap=4'];
    const missing = await towerbench('plan', ...argsOf('nowhere', ...sweeps));
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('warm_start.sweeps[0]: there is no experiment "searched" in this store');
    const { code, stdout, stderr } = await towerbench('plan', ...argsOf('alone', ...sweeps));
    expect(code, stderr).toBe(0);
    const first = await towerbench('plan', ...argsOf('alone', '--set', 'name=cold', '--set', 'run_cap=4'));
    const parametersOf = (text: string): string[] => text.match(/learning_rate=\S+/g) ?? [];
    expect(parametersOf(stdout)).toHaveLength(1);
    expect(parametersOf(stdout)).not.toEqual(parametersOf(first.stdout));
  });
});
