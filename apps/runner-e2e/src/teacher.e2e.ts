import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RunRow } from '@towerbench/tracking';
import { fixtures, start, towerbench } from './command.js';
import { childrenOf, isRunning, read, signal, until } from './processes.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-teacher-'));
const config = join(fixtures, 'sweeps/taught.yaml');
afterAll(() => rmSync(folder, { recursive: true }));

function runsOf(store: string): readonly RunRow[] {
  return read(store, (reader) => reader.runs('taught'), []);
}
function resultsOf(store: string): unknown {
  return runsOf(store).map(({ variant, seed, status, metrics }) => ({ variant, seed, status, metrics }));
}
const isOf =
  (variant: string) =>
  (run: RunRow): boolean =>
    run.variant === variant;

describe('a variant that learns from another', () => {
  const calm = join(folder, 'calm/store.sqlite');

  it('waits for the run of its teacher with the same seed, and imitates it', async () => {
    const { code, stderr } = await towerbench('sweep', '--config', config, '--store', calm, '--jobs', '2');
    expect(code, stderr).toBe(0);
    const runs = runsOf(calm);
    for (const { seed, startedAt, status } of runs.filter(isOf('student'))) {
      const teacher = runs.find((run) => run.variant === 'ranker' && run.seed === seed);
      expect(status).toBe('finished');
      expect(startedAt).toBeGreaterThanOrEqual(teacher?.endedAt as number);
    }
    const recall = (variant: string): number[] =>
      runs.filter(isOf(variant)).map(({ metrics }) => metrics['test/recall@20'] as number);
    expect(new Set(recall('student'))).not.toEqual(new Set(recall('base')));
    const [student] = runs.filter(isOf('student'));
    const shown = await towerbench('show', String(student?.id), '--format', 'json', '--store', calm);
    expect(JSON.parse(shown.stdout)).toMatchObject({ config: { teacher: { model: { type: 'ranker-mlp' } } } });
    const evaluated = await towerbench('evaluate', String(student?.id), '--protocol', 'full', '--format', 'json', '--store', calm); // prettier-ignore
    expect(JSON.parse(evaluated.stdout)).toMatchObject({
      metrics: { 'test/recall@20': student?.metrics['test/recall@20'] },
    });
    const again = await towerbench('sweep', '--config', config, '--store', calm);
    expect(again.stderr).toContain('6 already done');
  });

  it.each(['ranker', 'student'])(
    'goes on after a kill while the %s trains, and ends with the same numbers',
    async (variant) => {
      const store = join(folder, variant, 'store.sqlite');
      const args = ['sweep', '--config', config, '--store', store, '--jobs', '1'];
      const { child, ended } = start(args);
      await until(
        () => runsOf(store).some((run) => run.variant === variant && run.status === 'running'),
        `${variant} trains`,
      );
      const workers = childrenOf(child.pid as number);
      signal(child.pid as number, 'SIGKILL');
      await ended;
      await until(() => !workers.some(isRunning), 'the workers end', 20_000);
      const { code, stderr } = await towerbench(...args);
      expect(code, stderr).toBe(0);
      if (existsSync(calm)) expect(resultsOf(store)).toEqual(resultsOf(calm));
    },
  );

  it('fails when its teacher does, and says whose run that was; others go on', async () => {
    const store = join(folder, 'failed/store.sqlite');
    const broken = ['--set', '+variants.ranker.optimizer.learning_rate=1e30', '--set', 'seeds=[1]'];
    const { code, stderr } = await towerbench('sweep', '--config', config, '--store', store, '--jobs', '2', ...broken);
    expect(code, stderr).toBe(1);
    const runs = runsOf(store);
    const teacher = runs.find(isOf('ranker'));
    expect(runs.find(isOf('student'))).toMatchObject({
      status: 'failed',
      error: expect.stringContaining(
        `its teacher, "ranker" with seed 1 (run ${teacher?.id}), failed: RangeError: the loss is`,
      ) as unknown,
    });
    expect(runs.find(isOf('base'))?.status).toBe('finished');
    expect(stderr).toContain('student seed 1 failed: its teacher, "ranker" with seed 1');
  });
});
