import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openStoreWriter, type StoreWriter } from '@towerbench/tracking';
import { attemptsIn, Audit, filesOf, resultsOf } from './audit.js';
import { fixtures, program, run, start, towerbench } from './command.js';
import { canBeNobody, canMount, NOBODY } from './privileges.js';
import { childrenOf, read, signal, until } from './processes.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-ledger-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A sweep of two runs, one at a time unless said otherwise. */
function sweepInto(name: string, epochs: number, store = join(folder, name, 'store.sqlite')) {
  const settings = [`training.epochs=${epochs}`, 'seeds=[1, 2]', '~variants'].flatMap((change) => ['--set', change]);
  const config = ['--config', join(fixtures, 'sweeps/small.yaml')];
  const args = ['sweep', ...config, '--store', store, '--jobs', '1', ...settings];
  const attempts = () => read(store, attemptsIn, []);
  const hasPoints = (): boolean => read(store, (reader) => reader.countPoints() > 0, false);
  return { store, args, attempts, hasPoints };
}

/** Writes into a store as the dashboard does. */
function asking<T>(store: string, ask: (writer: StoreWriter) => T): T {
  const writer = openStoreWriter(store);
  try {
    return ask(writer);
  } finally {
    writer.close();
  }
}

/** The text that a program has written so far, again and again. */
function textOf(stream: NodeJS.ReadableStream | null): { readonly text: string } {
  const seen = { text: '' };
  stream?.on('data', (chunk: Buffer) => (seen.text += chunk.toString()));
  return seen;
}

describe('a coordinator that is stopped', () => {
  it('loses its lease to another sweep, and changes nothing of what that has done when it goes on', async () => {
    const { store, args, attempts, hasPoints } = sweepInto('stopped', 60);
    const first = start(args);
    await until(hasPoints, 'a run trains');
    const workers = childrenOf(first.child.pid as number);
    for (const pid of [first.child.pid as number, ...workers]) signal(pid, 'SIGSTOP');
    const stopped = performance.now();
    const second = start(args);
    await until(() => attempts().some(({ status }) => status === 'lost'), 'the lease is over');
    expect(performance.now() - stopped).toBeLessThan(60_000); // 12 s of watching, and a start
    const { code, stderr } = await second.ended;
    expect(code, stderr).toBe(0);
    const done = resultsOf(store);
    for (const pid of [...workers, first.child.pid as number]) signal(pid, 'SIGCONT');
    const woken = await first.ended;
    expect(woken.code, woken.stderr).toBe(0);
    expect(resultsOf(store)).toEqual(done);
    expect(attempts().map(({ status }) => status).sort()).toEqual(['finished', 'finished', 'lost']); // prettier-ignore
    expect(filesOf(store)).toEqual([]);
    new Audit(store).check();
  });
});

describe('a worker that is stopped', () => {
  it('is ended when it has given no sign of life for stall_minutes, and its run goes on', async () => {
    const { args, attempts, hasPoints } = sweepInto('stalled', 30);
    const sweep = start([...args, '--set', 'stall_minutes=0.15']);
    await until(hasPoints, 'a run trains');
    signal(childrenOf(sweep.child.pid as number)[0] as number, 'SIGSTOP');
    const { code, stderr } = await sweep.ended;
    expect(code, stderr).toBe(0);
    const error = 'the worker gave no sign of life for 0.15 minutes (stall_minutes)';
    expect(stderr).toContain(`base seed 1 lost its worker and is tried again: ${error}`);
    expect(attempts().map(({ status, error }) => `${status} ${error}`).sort()).toEqual([
      'finished null',
      'finished null',
      `lost ${error}`,
    ]); // prettier-ignore
  });
});

describe('a person', () => {
  it('stops a sweep, which goes on when the command is given again', async () => {
    const { store, args, hasPoints } = sweepInto('asked', 120);
    const sweep = start(args);
    await until(hasPoints, 'a run trains');
    expect(asking(store, (writer) => writer.requestStop({ experiment: 'small' }))).toBe(true);
    const { code, stderr } = await sweep.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('stopping, because somebody asked for it; run the same command again to go on');
    const again = await towerbench(...args);
    expect(again.code, again.stderr).toBe(0);
  });

  it('stops a run, and has it done again while the sweep still runs', async () => {
    const { store, args, attempts, hasPoints } = sweepInto('one', 60);
    const sweep = start(args);
    await until(hasPoints, 'a run trains');
    signal(childrenOf(sweep.child.pid as number)[0] as number, 'SIGSTOP'); // so that it is not done before it can be stopped
    const [first] = read(store, (reader) => reader.runs('small'), []);
    const runId = first?.id as number;
    expect(first?.status).toBe('running');
    expect(asking(store, (writer) => writer.requestStop({ runId }))).toBe(true);
    const statusOf = () => read(store, (reader) => reader.run(runId)?.status, undefined);
    await until(() => statusOf() === 'failed', 'the run is stopped');
    expect(asking(store, (writer) => writer.retry(runId))).toBe(true);
    await sweep.ended;
    expect(statusOf()).toBe('finished');
    expect(attempts().map(({ status, error }) => `${status} ${error}`)).toEqual(
      expect.arrayContaining(['failed stopped by a person']),
    );
  });
});

describe('a full disk', () => {
  it.runIf(canMount)('makes writing wait, is said once, and loses nothing', async () => {
    const small = join(folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', small]);
    try {
      const calm = sweepInto('calm', 30);
      expect((await towerbench(...calm.args)).code).toBe(0);
      const { store, args, hasPoints } = sweepInto('full', 30, join(small, 'store.sqlite'));
      const sweep = start(args);
      const said = textOf(sweep.child.stderr);
      await until(hasPoints, 'a run trains');
      const filler = join(small, 'filler');
      fill(filler);
      await until(() => said.text.includes('writing waits, nothing is lost'), 'the disk is full');
      await sleep(3000);
      rmSync(filler);
      const { code, stderr } = await sweep.ended;
      expect(code, stderr).toBe(0);
      expect(stderr.match(/writing waits/g)).toHaveLength(1);
      expect(stderr).toContain('the disk is full; free some space');
      expect(stderr).toContain('writing goes on');
      expect(resultsOf(store)).toEqual(resultsOf(calm.store));
      expect(read(store, (reader) => reader.integrity(), '')).toBe('ok');
      new Audit(store).checkEnd(2);
    } finally {
      execFileSync('umount', [small]);
    }
  });
});

describe('a folder that becomes read-only', () => {
  it.runIf(canBeNobody)('makes writing wait until it may be written again', async () => {
    const owned = mkdtempSync(join(tmpdir(), 'towerbench-nobody-'));
    try {
      chownSync(owned, NOBODY, NOBODY);
      const calm = sweepInto('calm-beside', 15);
      expect((await towerbench(...calm.args)).code).toBe(0);
      const { store, args, hasPoints } = sweepInto('read-only', 15, join(owned, 'store.sqlite'));
      const sweep = run(process.execPath, [program, ...args], { user: NOBODY });
      await until(hasPoints, 'a run trains');
      const folders = [owned, `${store}-spool`];
      for (const path of folders) chmodSync(path, 0o555);
      await until(() => read(store, (reader) => reader.attempts(1).some(({ log }) => log.includes('waiting for the disk')), false), 'it waits'); // prettier-ignore
      await sleep(1000);
      for (const path of folders) chmodSync(path, 0o755);
      const { code, stderr } = await sweep.ended;
      expect(code, stderr).toBe(0);
      expect(resultsOf(store)).toEqual(resultsOf(calm.store));
      new Audit(store).checkEnd(2);
    } finally {
      rmSync(owned, { recursive: true, force: true });
    }
  });
});

/** Takes all that is left of a disk. */
function fill(path: string): void {
  for (const bytes of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes), { flag: 'a' });
    } catch {
      // a smaller piece may still fit
    }
  }
}
