import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import { readArtifact, writeArtifact } from './artifacts.js';
import type { RunResult, StoreWriter } from './contract.js';
import { openMemoryStore, openStoreReader, openStoreWriter } from './open.js';
import { sampleExperiment, sampleResult } from './sample-experiment.js';
import { dumpSchema } from './schema.js';
import { importSpool, openSpool } from './spool.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

const worker = { pid: 4242, environment: { node: 'v20' } };

/** Plans the sample experiment and claims its first run. */
function claimed({ writer }: { readonly writer: StoreWriter }): number {
  const [run] = writer.plan(sampleExperiment());
  return writer.claim(run?.id as number, worker)?.attemptId as number;
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
    writer.finish(claimed({ writer }), sampleResult());
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

  it('gives failed runs another chance', () => {
    const { writer } = openMemoryStore();
    writer.fail(claimed({ writer }), { error: 'the loss is NaN', status: 'failed', retry: false });
    expect(writer.plan(sampleExperiment())[0]).toMatchObject({ status: 'pending', error: null, attempts: 1 });
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
    writer.fail(claimed({ writer }), { error: 'killed', status: 'lost', retry: true });
    const [run] = reader.runs('sample');
    expect(writer.claim(run?.id as number, worker)?.number).toBe(2);
    expect(reader.attempts(run?.id as number)).toMatchObject([
      { number: 1, status: 'lost', error: 'killed', environment: { node: 'v20' } },
      { number: 2, status: 'running' },
    ]);
  });
});

describe('recover', () => {
  it('puts back the runs of processes that are gone, and leaves those of others', () => {
    const { writer, reader } = openMemoryStore();
    const [first, second] = writer.plan(sampleExperiment());
    writer.claim(first?.id as number, { ...worker, pid: 1 });
    writer.claim(second?.id as number, { ...worker, pid: 2 });
    expect(writer.recover((pid) => pid === 2)).toBe(1);
    expect(reader.runs('sample').map(({ status }) => status)).toEqual(['pending', 'running', 'pending', 'pending']);
  });
});

describe('points', () => {
  it('come back in order of step, NaN and infinities as they were', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimed({ writer });
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
    const attempt = claimed({ writer });
    writer.points(attempt, [{ series: 'loss', step: 1, value: 1, time: 0 }]);
    writer.fail(attempt, { error: 'killed', status: 'lost', retry: true });
    const [run] = reader.runs('sample');
    const second = writer.claim(run?.id as number, worker);
    writer.points(second?.attemptId as number, [{ series: 'loss', step: 1, value: 2, time: 0 }]);
    expect(reader.curve(run?.id as number, 'loss')).toMatchObject([{ value: 2 }]);
  });
});

describe('finish', () => {
  it('stores metrics, per-user values, artifacts and the end in one piece', () => {
    const { writer, reader } = openMemoryStore();
    const result: RunResult = { ...sampleResult(), perUser: { 'test/hr@10': Float32Array.of(1, 0, 0.1) } };
    writer.finish(claimed({ writer }), result);
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
    const attempt = claimed({ writer });
    writer.recover(() => false);
    expect(() => writer.finish(attempt, sampleResult())).toThrow(
      'has already ended as "lost"; it cannot become "finished"',
    );
    expect(reader.runs('sample')[0]).toMatchObject({ status: 'pending', metrics: {} });
  });
});

describe('spool', () => {
  it('imported twice is imported once, and a line that was cut off waits', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimed({ writer });
    const path = join(folder, 'spool.jsonl');
    const spool = openSpool(path);
    spool.append([{ series: 'loss', step: 1, value: 0.5, time: 10 }]);
    spool.append([{ series: 'loss', step: 2, value: NaN, time: 11 }]);
    spool.close();
    appendFileSync(path, '[{"series":"loss","step":3,"va');
    const from = importSpool(writer, attempt, { path });
    importSpool(writer, attempt, { path });
    const run = reader.runs('sample')[0]?.id as number;
    expect(reader.curve(run, 'loss').map(({ step, value }) => [step, value])).toEqual([
      [1, 0.5],
      [2, NaN],
    ]);
    appendFileSync(path, 'lue":0.25,"time":12}]\n');
    importSpool(writer, attempt, { path, from });
    expect(reader.curve(run, 'loss').at(-1)).toEqual({ step: 3, value: 0.25, time: 12 });
  });
});

describe('openStoreReader', () => {
  it('sees what another process has committed, and its version grows', () => {
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

  it('says which command fills a store that is not there', () => {
    expect(() => openStoreReader(join(folder, 'none.sqlite'))).toThrow(
      /there is no run store at .*\n {2}hint {5}run a sweep first/,
    );
  });

  it('refuses a newer schema and the file of another program, and leaves them as they are', () => {
    const newer = join(folder, 'newer.sqlite');
    openStoreWriter(newer).close();
    const db = new SqliteDatabase(newer);
    db.pragma('user_version = 99');
    db.close();
    expect(() => openStoreWriter(newer)).toThrow(
      'has schema 99, and this program knows schemas up to 1\n  hint     update Towerbench',
    );
    const foreign = join(folder, 'foreign.sqlite');
    new SqliteDatabase(foreign).exec('CREATE TABLE notes (text)').close();
    expect(() => openStoreWriter(foreign)).toThrow('is a SQLite file of another program');
    const text = join(folder, 'text.sqlite');
    writeFileSync(text, 'this is no database, but it is long enough to look like one'.repeat(20));
    expect(() => openStoreReader(text)).toThrow('cannot be used as a run store');
  });

  it('opens a store that was written when schema 1 was released', () => {
    const path = join(folder, 'v1.db');
    copyFileSync(join(import.meta.dirname, '../fixtures/v1.db'), path);
    openStoreWriter(path).close();
    const reader = openStoreReader(path);
    const [run] = reader.runs('sample');
    expect(run).toMatchObject({ status: 'finished', metrics: sampleResult().metrics });
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
    expect(dumpSchema(db)).toBe(readFileSync(join(import.meta.dirname, '../fixtures/v1.sql'), 'utf8'));
    db.close();
  });
});

describe('artifacts', () => {
  const store = join(folder, 'store.sqlite');

  it('are named by their content', () => {
    const bytes = Buffer.from('weights');
    const { sha256, sizeBytes } = writeArtifact(store, 'checkpoint', bytes);
    expect(sizeBytes).toBe(7);
    expect(spawnSync('sha256sum', { input: bytes, encoding: 'utf8' }).stdout.slice(0, 64)).toBe(sha256);
    expect(Buffer.from(readArtifact(store, sha256)).toString()).toBe('weights');
  });

  it('that were changed are refused', () => {
    const { sha256 } = writeArtifact(store, 'checkpoint', Buffer.from('other weights'));
    writeFileSync(join(folder, 'artifacts', sha256.slice(0, 2), sha256), 'tampered');
    expect(() => readArtifact(store, sha256)).toThrow('has been changed');
  });
});
