import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import type { PlannedTrial, RunResult, StoreWriter } from './contract.js';
import { openForWriting, openMemoryStore, openStoreReader, openStoreWriter } from './open.js';
import { claimFirstRun, sampleExperiment, sampleResult } from './sample-experiment.js';
import { dumpSchema } from './schema.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

const worker = { host: 'here', pid: 4242, environment: { node: 'v20' } };

/** Another process that has `path` locked, and lets it go after some time of waiting. */
async function lockForAWhile(path: string, milliseconds = 300): Promise<void> {
  const script = `
    const db = new (require('better-sqlite3'))(process.argv[1]);
    db.exec('BEGIN IMMEDIATE');
    console.log('locked');
    setTimeout(() => db.exec('COMMIT'), ${milliseconds});`;
  const child = spawn(process.execPath, ['-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  await once(child.stdout, 'data');
}

describe('plan', () => {
  it('makes a run of every trial and seed, once', () => {
    const { writer } = openMemoryStore();
    const runs = writer.plan(sampleExperiment());
    expect(runs.map(({ variant, seed, status }) => [variant, seed, status])).toEqual([
      ['base', 1, 'pending'],
      ['base', 2, 'pending'],
      ['senet', 1, 'pending'],
      ['senet', 2, 'pending'],
    ]);
    expect(writer.plan(sampleExperiment()).map(({ id }) => id)).toEqual(runs.map(({ id }) => id));
  });

  it('keeps finished runs when the experiment changes, and shares them between experiments', () => {
    const { writer, reader } = openMemoryStore();
    writer.finish(claimFirstRun(writer), sampleResult());
    const extended = { ...sampleExperiment(), seeds: [1, 2, 3] };
    expect(writer.plan(extended).filter(({ status }) => status === 'finished')).toHaveLength(1);
    const other = writer.plan({ ...sampleExperiment(), name: 'other' });
    expect(other.filter(({ status }) => status === 'finished')).toHaveLength(1);
    expect(reader.run(other[0]?.id as number)?.experiments).toEqual(['other', 'sample']);
    expect(reader.experiments().map(({ name, counts }) => [name, counts.finished, counts.pending])).toEqual(
      expect.arrayContaining([
        ['sample', 1, 5],
        ['other', 1, 3],
      ]),
    );
  });

  it('gives the failed runs of its seeds another chance', () => {
    const { writer, reader } = openMemoryStore();
    writer.fail(claimFirstRun(writer), { error: 'the loss is NaN', status: 'failed', retry: false });
    const failed = reader.runs('sample')[0]?.id as number;
    const narrower = { ...sampleExperiment(), seeds: [2] };
    writer.plan(narrower);
    expect(reader.run(failed)?.status).toBe('failed'); // nobody asks for its seed now
    expect(writer.plan(sampleExperiment())[0]).toMatchObject({ status: 'pending', error: null, attempts: 1 });
  });

  it('replaces variants, and keeps the runs of those that are gone', () => {
    const { writer, reader } = openMemoryStore();
    writer.finish(claimFirstRun(writer), sampleResult());
    const [base, senet] = sampleExperiment().trials;
    if (base === undefined || senet === undefined) throw new Error('the sample has two trials');
    writer.plan({ ...sampleExperiment(), trials: [senet] });
    expect(reader.trials('sample').map(({ variant }) => variant)).toEqual(['senet']);
    const again = writer.plan({ ...sampleExperiment(), trials: [{ ...base, variant: 'plain' }] });
    expect(again[0]).toMatchObject({ variant: 'plain', status: 'finished', metrics: sampleResult().metrics });
  });

  it('counts a run once where two variants share a trial', () => {
    const { writer, reader } = openMemoryStore();
    const [base] = sampleExperiment().trials;
    if (base === undefined) throw new Error('the sample has two trials');
    writer.plan({ ...sampleExperiment(), trials: [base, { ...base, variant: 'same' }] });
    const [run] = reader.runs('sample');
    writer.finish(writer.claim(run?.id as number, worker)?.attemptId as number, sampleResult());
    expect(reader.experiment('sample')?.counts).toEqual({ pending: 1, running: 0, finished: 1, failed: 0, pruned: 0 });
    expect(reader.runs('sample').map(({ metrics }) => Object.keys(metrics).length)).toEqual([3, 0, 3, 0]);
  });

  it('forgets the oracle when the data changes', () => {
    const { writer, reader } = openMemoryStore();
    writer.plan(sampleExperiment());
    writer.oracle('sample', { 'test/auc': 0.9 });
    writer.plan(sampleExperiment());
    expect(reader.experiment('sample')?.oracle).toEqual({ 'test/auc': 0.9 });
    writer.plan({ ...sampleExperiment(), fingerprint: 'other' });
    expect(reader.experiment('sample')?.oracle).toBeNull();
  });
});

describe('claim', () => {
  it('gives a run to one process only', () => {
    const path = join(folder, 'claim.sqlite');
    const writers = [openStoreWriter(path), openStoreWriter(path)];
    const [run] = (writers[0] as StoreWriter).plan(sampleExperiment());
    const claims = writers.map((writer) => writer.claim(run?.id as number, worker));
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
    for (const writer of writers) writer.close();
  });

  it('numbers attempts, and keeps their environment', () => {
    const { writer, reader } = openMemoryStore();
    writer.fail(claimFirstRun(writer), { error: 'killed', status: 'lost', retry: true });
    const [run] = reader.runs('sample');
    expect(writer.claim(run?.id as number, worker)?.number).toBe(2);
    expect(reader.attempts(run?.id as number)).toMatchObject([
      { number: 1, status: 'lost', error: 'killed', environment: { node: 'v20' } },
      { number: 2, status: 'running' },
    ]);
  });
});

describe('environment', () => {
  it('is stored once, whatever the order of its keys', () => {
    const path = join(folder, 'environment.sqlite');
    const writer = openStoreWriter(path);
    const [first, second] = writer.plan(sampleExperiment());
    writer.claim(first?.id as number, { host: 'here', pid: 1, environment: { node: 'v20', engine: 'simd' } });
    writer.claim(second?.id as number, { host: 'here', pid: 1, environment: { engine: 'simd', node: 'v20' } });
    writer.close();
    const db = new SqliteDatabase(path, { readonly: true });
    expect(db.prepare('SELECT content FROM environments').pluck().all()).toEqual(['{"engine":"simd","node":"v20"}']);
    db.close();
  });
});

describe('recover', () => {
  it('puts back the runs of processes that are gone, and leaves those of others', () => {
    const { writer, reader } = openMemoryStore();
    const [first, second] = writer.plan(sampleExperiment());
    writer.claim(first?.id as number, { ...worker, pid: 1 });
    writer.claim(second?.id as number, { ...worker, pid: 2 });
    const lost = writer.recover(({ pid }) => pid === 2);
    expect(lost).toMatchObject([{ host: 'here', pid: 1, renewals: 0 }]);
    expect(reader.runs('sample').map(({ status }) => status)).toEqual(['pending', 'running', 'pending', 'pending']);
    expect(reader.attempts(first?.id as number)).toMatchObject([
      { status: 'lost', error: 'its process ended without a word' },
    ]);
    expect(writer.recover(({ pid }) => pid === 2)).toEqual([]);
  });
});

describe('a lease', () => {
  it('grows with every renewal, and is told to be over by whom it was taken from', () => {
    const { writer } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    expect(writer.renew([attempt])).toEqual([{ attemptId: attempt, isHeld: true, isStopRequested: false }]);
    expect(writer.recover(() => false)).toMatchObject([{ attemptId: attempt, renewals: 1 }]);
    expect(writer.renew([attempt])).toEqual([{ attemptId: attempt, isHeld: false, isStopRequested: false }]);
    expect(() => writer.fail(attempt, { error: '', status: 'failed', retry: false })).toThrow(
      'already ended as "lost"',
    );
  });

  it('says when somebody wants its run to stop', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const [run, other] = reader.runs('sample').map(({ id }) => id) as [number, number];
    expect(writer.requestStop({ runId: other })).toBe(false); // nobody runs it
    expect(writer.requestStop({ runId: run })).toBe(true);
    expect(writer.renew([attempt])).toMatchObject([{ isHeld: true, isStopRequested: true }]);
  });

  it('has an id that is never given again', () => {
    const path = join(folder, 'fencing.sqlite');
    const writer = openStoreWriter(path);
    const attempt = claimFirstRun(writer);
    const db = new SqliteDatabase(path);
    db.pragma('foreign_keys = ON');
    db.exec('DELETE FROM runs');
    db.close();
    expect(claimFirstRun(writer)).toBeGreaterThan(attempt);
    writer.close();
  });
});

describe('a resumed attempt', () => {
  it('has the points of the one before up to the step where it goes on', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const points = [1, 2, 3].map((step) => ({ series: 'loss', step, value: step / 2, time: step }));
    writer.points(attempt, [...points, { series: 'auc', step: 3, value: 1, time: 3 }]);
    writer.recover(() => false);
    const runId = reader.runs('sample')[0]?.id as number;
    const second = writer.claim(runId, { ...worker, resume: { attemptId: attempt, step: 2 } })?.attemptId as number;
    expect(reader.points(second)).toEqual(points.slice(0, 2));
    writer.points(second, [{ series: 'loss', step: 3, value: 9, time: 30 }]);
    expect(reader.curve(runId, 'loss').map(({ value }) => value)).toEqual([0.5, 1, 9]);
    expect(reader.attempts(runId)).toMatchObject([{ resumedAtStep: 0 }, { resumedAtStep: 2 }]);
  });
});

describe('a search', () => {
  it('adds trials to the end of the plan', () => {
    const { writer, reader } = openMemoryStore();
    writer.plan({ ...sampleExperiment(), search: { method: 'tpe' } });
    const third = { id: 't3', variant: 'senet', parameters: { x: 1 }, config: {}, number: 1 };
    const added = writer.extend('sample', [third]);
    writer.extend('sample', [third]); // another sweep that has come as far
    expect(added.map(({ trialId, seed, status }) => [trialId, seed, status])).toEqual([
      ['t3', 1, 'pending'],
      ['t3', 2, 'pending'],
    ]);
    expect(reader.trials('sample').map(({ id, ordinal }) => [id, ordinal])).toEqual([
      ['t1', 0],
      ['t2', 1],
      ['t3', 2],
    ]);
    expect(reader.experiment('sample')?.search).toEqual({ method: 'tpe' });
  });

  it('gives up a run under way or waiting, which a plan without a search takes up again', () => {
    const { writer, reader } = openMemoryStore();
    const input = { ...sampleExperiment(), search: {} };
    const [first, second] = writer.plan(input).map(({ id }) => id) as [number, number];
    const attempt = writer.claim(first, worker)?.attemptId as number;
    writer.prune(attempt, 'below the median');
    expect(writer.skip([first, second], 'its trial was given up')).toBe(1);
    expect(reader.runs('sample').map(({ status, error }) => [status, error])).toEqual([
      ['pruned', 'below the median'],
      ['pruned', 'its trial was given up'],
      ['pending', null],
      ['pending', null],
    ]);
    expect(reader.attempts(first)).toMatchObject([{ status: 'pruned', error: 'below the median' }]);
    expect(reader.experiment('sample')?.counts.pruned).toBe(2);
    expect(writer.plan(input).filter(({ status }) => status === 'pruned')).toHaveLength(2);
    expect(writer.plan(sampleExperiment()).filter(({ status }) => status === 'pruned')).toHaveLength(0);
  });
});

describe('runs that no experiment names', () => {
  it('are told, and dropped with what only they referred to', () => {
    const path = join(folder, 'unplanned.sqlite');
    const writer = openStoreWriter(path);
    writer.finish(claimFirstRun(writer), sampleResult());
    const [, senet] = sampleExperiment().trials;
    const [kept] = writer.plan({ ...sampleExperiment(), seeds: [2], trials: [senet as PlannedTrial] });
    const reader = openStoreReader(path);
    expect(reader.unplannedRuns()).toMatchObject([
      { id: 1, status: 'finished', seed: 1 },
      { id: 2, status: 'pending', seed: 2 },
      { id: 3, status: 'pending', seed: 1 },
    ]);
    expect(reader.artifactHashes()).toEqual([sampleResult().artifacts[0]?.sha256]);
    expect(writer.drop([1, 2, 3])).toBe(3);
    expect(reader.unplannedRuns()).toEqual([]);
    expect(reader.artifactHashes()).toEqual([]);
    expect(reader.runs('sample').map(({ id }) => id)).toEqual([kept?.id]);
    const db = new SqliteDatabase(path, { readonly: true });
    const count = (table: string): unknown => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    expect(['trials', 'attempts', 'run_metrics', 'per_user', 'artifacts', 'environments'].map(count)).toEqual([
      ...[1, 0, 0, 0, 0, 0],
    ]);
    db.close();
    reader.close();
    writer.close();
  });

  it('stay while they are under way', () => {
    const { writer, reader } = openMemoryStore();
    claimFirstRun(writer);
    writer.plan({ ...sampleExperiment(), seeds: [2] });
    expect(writer.drop(reader.unplannedRuns().map(({ id }) => id))).toBe(1);
    expect(reader.unplannedRuns()).toMatchObject([{ id: 1, status: 'running' }]);
  });
});

describe('a person', () => {
  it('asks for a run to be done again, which holds for what failed or was given up', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const runId = reader.runs('sample')[0]?.id as number;
    expect(writer.retry(runId)).toBe(false); // it is running
    writer.fail(attempt, { error: 'the loss is NaN', status: 'failed', retry: false });
    expect(writer.retry(runId)).toBe(true);
    expect(reader.run(runId)).toMatchObject({ status: 'pending', error: null });
    expect(writer.retry(99)).toBe(false);
  });

  it('asks for a sweep to stop, which the next plan takes back', () => {
    const { writer, reader } = openMemoryStore();
    writer.plan(sampleExperiment());
    expect(writer.requestStop({ experiment: 'none' })).toBe(false);
    expect(writer.requestStop({ experiment: 'sample' })).toBe(false); // nobody runs it
    claimFirstRun(writer);
    expect(writer.requestStop({ experiment: 'sample' })).toBe(true);
    expect(reader.experiment('sample')?.isStopRequested).toBe(true);
    writer.plan(sampleExperiment());
    expect(reader.experiment('sample')?.isStopRequested).toBe(false);
  });

  it('writes notes, which a plan keeps', () => {
    const { writer, reader } = openMemoryStore();
    const [run] = writer.plan(sampleExperiment());
    expect(writer.note({ experiment: 'sample' }, '**why**')).toBe(true);
    expect(writer.note({ runId: run?.id as number }, 'odd')).toBe(true);
    expect(writer.note({ runId: 99 }, '')).toBe(false);
    writer.plan(sampleExperiment());
    expect(reader.experiment('sample')?.notes).toBe('**why**');
    expect(reader.runs('sample')[0]?.notes).toBe('odd');
  });
});

describe('points', () => {
  it('come back in order of step, NaN and infinities as they were', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const values = [Infinity, NaN, -0.5];
    writer.points(
      attempt,
      values.map((value, k) => ({ series: 'train/loss', step: 3 - k, value, time: k })),
    );
    const [run] = reader.runs('sample');
    expect(reader.curve(run?.id as number, 'train/loss')).toEqual([
      { step: 1, value: -0.5, time: 2 },
      { step: 2, value: NaN, time: 1 },
      { step: 3, value: Infinity, time: 0 },
    ]);
  });

  it('are those of the newest attempt', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    writer.points(attempt, [{ series: 'loss', step: 1, value: 1, time: 0 }]);
    writer.fail(attempt, { error: 'killed', status: 'lost', retry: true });
    const [run] = reader.runs('sample');
    const second = writer.claim(run?.id as number, worker);
    writer.points(second?.attemptId as number, [{ series: 'loss', step: 1, value: 2, time: 0 }]);
    expect(reader.curve(run?.id as number, 'loss')).toMatchObject([{ value: 2 }]);
  });

  it('of every attempt can be read', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const points = [
      { series: 'auc', step: 2, value: NaN, time: 5 },
      { series: 'loss', step: 1, value: 1, time: 4 },
      { series: 'loss', step: 2, value: 0.5, time: 6 },
    ];
    writer.points(attempt, points.toReversed());
    writer.fail(attempt, { error: 'killed', status: 'lost', retry: true });
    const second = writer.claim(reader.runs('sample')[0]?.id as number, worker)?.attemptId as number;
    expect(reader.points(attempt)).toEqual(points);
    expect(reader.points(second)).toEqual([]);
  });
});

describe('progress and log', () => {
  it('are those of the attempt under way, and what an ended one still says changes no progress', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    writer.progress(attempt, { step: 30, totalSteps: 100, stepsPerEpoch: 50, batchSize: 8 });
    writer.log(attempt, 'one\n');
    writer.log(attempt, 'two\n');
    const [run] = reader.runs('sample');
    expect(run).toMatchObject({ status: 'running', step: 30, totalSteps: 100, stepsPerEpoch: 50, batchSize: 8 });
    expect(reader.attempts(run?.id as number)).toMatchObject([{ log: 'one\ntwo\n' }]);
    writer.recover(() => false);
    writer.progress(attempt, { step: 40, totalSteps: 100, stepsPerEpoch: 50, batchSize: 8 });
    expect(reader.runs('sample')[0]).toMatchObject({ status: 'pending', step: 0, totalSteps: 0 });
  });

  it('are told of what is under way in an experiment, with when it has begun and was alive last', () => {
    let time = 1000;
    const { writer, reader } = openMemoryStore(() => time);
    const attemptId = claimFirstRun(writer);
    time = 3000;
    writer.renew([attemptId]);
    const { runId } = reader.runOfAttempt(attemptId)!;
    const attempt = { id: attemptId, runId, startedAt: 1000, aliveAt: 3000, resumedAtStep: 0 };
    expect(reader.runningAttempts('sample')).toEqual([attempt]);
    expect(reader.runningAttempts('other')).toEqual([]);
    writer.fail(attemptId, { error: 'no', status: 'failed', retry: false });
    expect(reader.runningAttempts('sample')).toEqual([]);
  });

  it('have an end of the log that is read without the rest', () => {
    const { writer, reader } = openMemoryStore();
    const attemptId = claimFirstRun(writer);
    const { runId } = reader.runOfAttempt(attemptId)!;
    for (const line of ['one\n', 'two\n', 'three\n']) writer.log(attemptId, line);
    expect(reader.logTail(runId, 8)).toBe('o\nthree\n');
    expect(reader.logTail(runId, 100)).toBe('one\ntwo\nthree\n');
    expect(reader.logTail(runId + 1, 100)).toBe('');
  });

  it('of an attempt that is not in the store are refused', () => {
    const { writer } = openMemoryStore();
    const text = 'attempt 7 does not exist\n  hint     is this the store that the attempt was started in?';
    expect(() => writer.log(7, 'text')).toThrow(text);
    expect(() => writer.points(7, [])).toThrow(text);
    expect(() => writer.finish(7, sampleResult())).toThrow(text);
  });
});

describe('finish', () => {
  it('stores metrics, per-user values, artifacts and the end in one piece', () => {
    const { writer, reader } = openMemoryStore();
    const result: RunResult = { ...sampleResult(), perUser: { 'test/hr@10': Float32Array.of(1, 0, 0.1) } };
    writer.finish(claimFirstRun(writer), result);
    const run = reader.run(reader.runs('sample')[0]?.id as number);
    expect(run).toMatchObject({
      status: 'finished',
      metrics: result.metrics,
      seconds: 1.5,
      artifacts: result.artifacts,
    });
    expect(reader.perUser(run?.id as number, 'test/hr@10')).toEqual(Float32Array.of(1, 0, 0.1));
    expect(reader.perUser(run?.id as number, 'test/auc')).toBeNull();
  });

  it('is refused, and writes nothing, when the attempt was taken over', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    writer.recover(() => false);
    expect(() => writer.finish(attempt, sampleResult())).toThrow(
      'has already ended as "lost"; it cannot become "finished"',
    );
    expect(reader.runs('sample')[0]).toMatchObject({ status: 'pending', metrics: {} });
  });
});

describe('openStoreWriter', () => {
  it('makes the folder, and writes so that a commit is on disk', () => {
    const path = join(folder, 'a/b/new.sqlite');
    const db = openForWriting(path);
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('synchronous', { simple: true })).toBe(2); // FULL
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    db.close();
  });

  it('says what is in the way when it cannot make the folder', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => openStoreWriter(join(file, 'store.sqlite'))).toThrow(
      /cannot be used as a run store: .*\n {2}hint {5}choose another path with --store/,
    );
  });

  it.runIf(existsSync('/proc'))('says so where no folder can be made', () => {
    expect(() => openStoreWriter('/proc/towerbench/store.sqlite')).toThrow(
      /^\/proc\/towerbench\/store\.sqlite cannot be used as a run store: ENOENT/,
    );
  });

  it('waits for another process that is writing', async () => {
    const path = join(folder, 'busy.sqlite');
    const writer = openStoreWriter(path);
    await lockForAWhile(path);
    expect(writer.plan(sampleExperiment())).toHaveLength(4);
    writer.close();
  });

  it('waits for another process that is making the same store', async () => {
    const path = join(folder, 'new-and-busy.sqlite');
    await lockForAWhile(path);
    const writer = openStoreWriter(path);
    expect(writer.plan(sampleExperiment())).toHaveLength(4);
    writer.close();
  });

  it('says "busy", and writes nothing, when another process is writing for too long', async () => {
    const path = join(folder, 'too-busy.sqlite');
    const writer = openStoreWriter(path, { busyTimeoutMs: 50 });
    await lockForAWhile(path, 1000);
    expect(() => writer.plan(sampleExperiment())).toThrow(
      expect.objectContaining({
        code: 'busy',
        message: `${path} cannot be written: database is locked\n  hint     another process is writing to it; try again when it is done`,
      }) as Error,
    );
    writer.close();
    const reader = openStoreReader(path);
    expect(reader.experiments()).toEqual([]);
    reader.close();
  });

  it('goes on where a process that was making the store has ended', () => {
    const empty = join(folder, 'made-but-empty.sqlite');
    writeFileSync(empty, '');
    const walOnly = join(folder, 'made-but-wal-only.sqlite');
    new SqliteDatabase(walOnly).exec('PRAGMA journal_mode = WAL').close();
    for (const path of [empty, walOnly]) {
      expect(() => openStoreReader(path)).toThrow(expect.objectContaining({ code: 'missing' }) as Error);
      const writer = openStoreWriter(path);
      expect(writer.plan(sampleExperiment())).toHaveLength(4);
      writer.close();
    }
  });

  it('makes the schema whole or not at all', () => {
    const path = join(folder, 'half.sqlite');
    const other = new SqliteDatabase(path);
    other.exec('CREATE TABLE runs (id)'); // in the way of the migration, after other tables have been made
    other.pragma(`application_id = ${0x54575242}`);
    other.close();
    expect(() => openStoreWriter(path)).toThrow('cannot be used as a run store: table runs already exists');
    const db = new SqliteDatabase(path, { readonly: true });
    expect(db.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['runs']);
    expect(db.pragma('user_version', { simple: true })).toBe(0);
    db.close();
  });

  it('refuses a newer schema and the files of other programs, and leaves them as they are', () => {
    const newer = join(folder, 'newer.sqlite');
    openStoreWriter(newer).close();
    const db = new SqliteDatabase(newer);
    db.pragma('user_version = 99');
    db.close();
    const foreign = join(folder, 'foreign.sqlite');
    new SqliteDatabase(foreign).exec('CREATE TABLE notes (text)').close();
    const text = join(folder, 'text.sqlite');
    writeFileSync(text, 'this is no database, but it is long enough to look like one'.repeat(20));
    for (const [path, message] of [
      [newer, 'has schema 99, and this program knows schemas up to 4\n  hint     update Towerbench'],
      [foreign, 'is a SQLite file of another program\n  hint     choose another path with --store'],
      [text, 'cannot be used as a run store: file is not a database\n  hint     choose another path with --store'],
    ] as const) {
      const before = readFileSync(path);
      expect(() => openStoreWriter(path)).toThrow(`${path} ${message}`);
      expect(() => openStoreReader(path)).toThrow(`${path} ${message}`);
      expect(readFileSync(path)).toEqual(before);
    }
  });
});

describe('openStoreReader', () => {
  it('sees what another connection has committed, and its version grows', () => {
    const path = join(folder, 'live.sqlite');
    const writer = openStoreWriter(path);
    const reader = openStoreReader(path);
    const before = reader.version();
    writer.plan(sampleExperiment());
    expect(reader.version()).toBeGreaterThan(before);
    expect(reader.runs('sample')).toHaveLength(4);
    reader.close();
    writer.close();
  });

  it('says which command fills a store that is not there, or has nothing in it', () => {
    const none = join(folder, 'none.sqlite');
    expect(() => openStoreReader(none)).toThrow(expect.objectContaining({ code: 'missing' }) as Error);
    expect(() => openStoreReader(none)).toThrow(/there is no run store at .*\n {2}hint {5}run a sweep first/);
    expect(existsSync(none)).toBe(false);
    const empty = join(folder, 'empty.sqlite');
    writeFileSync(empty, '');
    expect(() => openStoreReader(empty)).toThrow(expect.objectContaining({ code: 'missing' }) as Error);
  });

  it.each([1, 2, 3, 4])('opens a store that was written when schema %i was released', (version) => {
    const path = join(folder, `v${version}.db`);
    copyFileSync(join(import.meta.dirname, `../fixtures/v${version}.db`), path);
    const reader = openStoreReader(path);
    const [run] = reader.runs('sample');
    expect(run).toMatchObject({ status: 'finished', metrics: sampleResult().metrics });
    expect(run?.indexBytesPerItem).toBe(version === 1 ? null : 128);
    expect(run?.cost).toEqual(version < 4 ? null : sampleResult().cost);
    expect(reader.attempts(run?.id as number)).toMatchObject([{ number: 1, status: 'finished' }]);
    expect(reader.curve(run?.id as number, 'train/loss')).toHaveLength(3);
    expect(reader.perUser(run?.id as number, 'test/hr@10')).toEqual(sampleResult().perUser['test/hr@10']);
    reader.close();
  });
});

describe('schema', () => {
  it('is the reviewed one', () => {
    const path = join(folder, 'schema.sqlite');
    openStoreWriter(path).close();
    const db = new SqliteDatabase(path, { readonly: true });
    expect(dumpSchema(db)).toBe(readFileSync(join(import.meta.dirname, '../fixtures/v4.sql'), 'utf8'));
    db.close();
  });
});

describe('points', () => {
  it.each([1, 63, 64, 65, 200])(
    'are all there, each once, where %i come at once and some were there before',
    (count) => {
      const { writer, reader } = openMemoryStore();
      const attemptId = claimFirstRun(writer);
      const points = Array.from({ length: count }, (_, k) => ({
        series: `s${k % 3}`,
        step: Math.floor(k / 3),
        value: k === 7 ? NaN : k / 7,
        time: k + 0.4,
      }));
      writer.points(attemptId, points.slice(0, Math.floor(count / 3)));
      writer.points(attemptId, points);
      const stored = points.map((point) => ({ ...point, time: Math.round(point.time) }));
      const bySeries = stored.sort((a, b) => a.series.localeCompare(b.series) || a.step - b.step);
      expect(reader.points(attemptId)).toEqual(bySeries);
      writer.close();
    },
  );
});
