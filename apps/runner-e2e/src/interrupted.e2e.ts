import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openStoreWriter, type AttemptRow } from '@towerbench/tracking';
import { fixtures, run, start, towerbench, type Started } from './command.js';
import { childrenOf, isRunning, read, signal, until } from './processes.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-interrupted-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A sweep of three runs: popularity, which takes no time, and two that take long enough to be interrupted. */
function sweepInto(name: string, epochs = 20): { readonly store: string; readonly args: readonly string[] } {
  const store = join(folder, name, 'store.sqlite');
  const config = join(fixtures, 'sweeps/small.yaml');
  return {
    store,
    args: ['sweep', '--config', config, '--store', store, '--set', `training.epochs=${epochs}`, '--set', 'seeds=[1]'],
  };
}

function attemptsOf(store: string): readonly AttemptRow[] {
  return read(store, (reader) => reader.runs('small').flatMap(({ id }) => reader.attempts(id)), []);
}

/** Waits until two runs train and the short one is done. */
async function training(store: string): Promise<void> {
  const states = (): string => attemptsOf(store).map(({ status }) => status).sort().join(); // prettier-ignore
  await until(() => states() === 'finished,running,running', 'two runs are under way');
}

/** No run was begun anew, and all that was under way is put back. */
function expectCleanStop(store: string): void {
  expect(attemptsOf(store).map(({ status, error }) => [status, error]).sort()).toEqual([
    ['finished', null],
    ['lost', 'interrupted'],
    ['lost', 'interrupted'],
  ]); // prettier-ignore
}

async function expectResumed(store: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await towerbench(...args);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('2 runs finished, 1 already done');
  expect(read(store, (reader) => reader.runs('small').map(({ status }) => status), [])).toEqual(
    Array.from({ length: 3 }, () => 'finished'),
  );
}

async function interrupted({ ended }: Started, workers: readonly number[]): Promise<void> {
  const { code, stderr } = await ended;
  expect(code, stderr).toBe(130);
  await until(() => !workers.some(isRunning), 'the workers end', 20_000);
}

describe('a sweep that is interrupted', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s stops cleanly with code 130', async (name) => {
    const { store, args } = sweepInto(name);
    const sweep = start(args);
    await training(store);
    const workers = childrenOf(sweep.child.pid as number);
    expect(workers).toHaveLength(2);
    sweep.child.kill(name);
    await interrupted(sweep, workers);
    expect((await sweep.ended).stderr).toContain('run the same command again to go on');
    expectCleanStop(store);
  });

  it('twice ends at once, and resumes', async () => {
    const { store, args } = sweepInto('twice');
    const sweep = start(args);
    await training(store);
    const workers = childrenOf(sweep.child.pid as number);
    for (const worker of workers) signal(worker, 'SIGSTOP'); // as one that is long about something
    sweep.child.kill('SIGINT');
    await sleep(300);
    expect(sweep.child.exitCode).toBeNull();
    sweep.child.kill('SIGINT');
    expect((await sweep.ended).code).toBe(130);
    expect(attemptsOf(store).filter(({ status }) => status === 'running')).toHaveLength(2); // it has not waited for them
    for (const worker of workers) signal(worker, 'SIGCONT');
    await until(() => !workers.some(isRunning), 'the workers end', 20_000);
    await expectResumed(store, args);
  });

  it('with its whole tree of processes, workers first, begins no run anew', async () => {
    const { store, args } = sweepInto('tree');
    const sweep = start(args);
    await training(store);
    const workers = childrenOf(sweep.child.pid as number);
    for (const worker of workers) signal(worker, 'SIGTERM');
    await until(() => !workers.some(isRunning), 'the workers end', 20_000);
    await sleep(100);
    sweep.child.kill('SIGTERM');
    await interrupted(sweep, workers);
    expectCleanStop(store);
  });

  it('under npx and Nx, by Ctrl-C to the process group, stops cleanly and resumes', async () => {
    const { store, args } = sweepInto('nx');
    const sweep = run('npx', ['nx', 'run', `runner:${args[0]}`, ...args.slice(1)], { detached: true });
    await training(store);
    process.kill(-(sweep.child.pid as number), 'SIGINT');
    const { code, signal: by } = await sweep.ended;
    expect(code ?? by).toBeOneOf([130, 'SIGINT']); // npm ends itself by the signal, which a shell reports as 130
    await until(() => attemptsOf(store).every(({ status }) => status !== 'running'), 'the sweep ends', 20_000);
    expectCleanStop(store);
    await expectResumed(store, args);
  });

  it.runIf(existsSync('/usr/bin/script'))('under npx and Nx, by Ctrl-C on a terminal, ends with 130', async () => {
    const { store, args } = sweepInto('terminal');
    const command = ['npx', 'nx', 'run', `runner:${args[0]}`, ...args.slice(1)].map((word) => `'${word}'`).join(' ');
    const sweep = run('/usr/bin/script', ['--quiet', '--return', '--command', command, '/dev/null']);
    await training(store);
    sweep.child.stdin?.write('\u0003');
    const { code, stdout } = await sweep.ended;
    expect(code, stdout).toBe(130);
    expect(stdout).toContain('stopping; run the same command again to go on');
    expectCleanStop(store);
  });
});

describe('a worker that is asked to end alone', () => {
  it('has its run tried again', async () => {
    const { store, args } = sweepInto('alone');
    const sweep = start(args);
    await training(store);
    signal(childrenOf(sweep.child.pid as number)[0] as number, 'SIGTERM');
    const { code, stderr } = await sweep.ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('lost its worker and is tried again: the worker was ended by SIGTERM');
    const ends = attemptsOf(store).map(({ status, error }) => `${status} ${error}`);
    expect(ends.sort()).toEqual([
      ...Array.from({ length: 3 }, () => 'finished null'),
      'lost the worker was ended by SIGTERM',
    ]);
  });
});

describe('two sweeps on one store', () => {
  it('share the runs; where one is killed, the other takes over what it had under way', async () => {
    const { store, args } = sweepInto('shared', 80); // so long that the second starts while two runs are left
    const first = start([...args, '--jobs', '1']);
    await until(() => attemptsOf(store).length > 0, 'the first has begun');
    const second = start([...args, '--jobs', '1']);
    await training(store);
    expect(new Set(attemptsOf(store).map(({ pid }) => pid)).size).toBe(2);
    first.child.kill('SIGKILL');
    await first.ended;
    const { code, stderr } = await second.ended;
    expect(code, stderr).toBe(0);
    const attempts = attemptsOf(store);
    expect(attempts.filter(({ status }) => status === 'finished')).toHaveLength(3);
    expect(attempts.filter(({ status }) => status === 'lost')).toMatchObject([
      { pid: first.child.pid, error: 'its process ended without a word' },
    ]);
  });

  it('are told apart from a process that has been given the number of one that is dead', async () => {
    const { store, args } = sweepInto('reused');
    const sweep = start(args);
    await training(store);
    sweep.child.kill('SIGINT');
    await sweep.ended;
    const writer = openStoreWriter(store);
    const pending = read(store, (reader) => reader.runs('small').find(({ status }) => status === 'pending'), undefined);
    writer.claim(pending?.id as number, { host: hostname(), pid: process.pid, environment: {} }); // this process lives, and sweeps nothing
    writer.close();
    await expectResumed(store, args);
    const error = 'its process ended without a word';
    expect(attemptsOf(store).filter(({ pid }) => pid === process.pid)).toMatchObject([{ status: 'lost', error }]);
  });
});
