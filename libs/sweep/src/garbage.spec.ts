import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStoreReader, openStoreWriter, takeLock, type ExperimentInput } from '@towerbench/tracking';
import { findGarbage, removeGarbage } from './garbage.js';

const hash = (digit: string): string => digit.repeat(64);

const experiment: ExperimentInput = {
  name: 'sample',
  file: 'sample.yaml',
  config: {},
  dataset: 'world/movies',
  fingerprint: 'f',
  protocol: {},
  metric: { name: 'valid/auc', goal: 'maximize' },
  report: [],
  published: [],
  baseVariant: 'base',
  seeds: [1, 2],
  trials: [{ id: 't', variant: 'base', parameters: {}, config: {} }],
};

/** A store in a folder of its own with one finished run, whose artifact is `a…`, and one that was lost with a state. */
function storeIn(folder: string, name = 'store.sqlite') {
  const storePath = join(folder, name);
  const writer = openStoreWriter(storePath);
  const reader = openStoreReader(storePath);
  const worker = { host: hostname(), pid: 1, environment: {} };
  const [first, second] = writer.plan(experiment);
  const finished = writer.claim(first?.id as number, worker)?.attemptId as number;
  writer.finish(finished, {
    ...{ metrics: {}, perUser: {}, parameterCount: 1, indexBytesPerItem: null, seconds: 1, bestStep: 1 },
    artifacts: [{ kind: 'checkpoint', sha256: hash('a'), sizeBytes: 1 }],
  });
  const lost = writer.claim(second?.id as number, worker)?.attemptId as number;
  writer.recover(() => false);
  onTestFinished(() => (reader.close(), writer.close()));
  const file = (path: string): string => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'text');
    return path;
  };
  const artifact = (digit: string): string => file(join(folder, 'artifacts', digit.repeat(2), hash(digit)));
  const spool = (name: string): string => file(join(`${storePath}-spool`, name));
  const place = { storePath, now: 4_000_000_000_000 }; // by then, every file is old
  const found = (unplanned = false) => findGarbage(reader, { ...place, unplanned });
  const remove = () => removeGarbage(found(true), { ...place, reader, writer });
  return { storePath, writer, reader, finished, lost, artifact, spool, place, found, remove };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'towerbench-garbage-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('garbage', () => {
  it('is what no run names or can go on from, and nothing else', () => {
    const { finished, lost, artifact, spool, found, remove } = storeIn(temporaryFolder());
    const kept = [artifact('a'), spool(`9-${lost}.state`), spool(`9-${lost}.checkpoint`), spool(`9-${lost}.points`)];
    kept.push(spool(`9-${finished}.points.damaged`), spool('notes.txt'));
    const gone = [artifact('b'), spool(`9-${finished}.state`), spool(`9-${lost}.state.part`), spool(`9-${lost}.lists`)];
    gone.push(spool('9-77.checkpoint'));
    const lock = spool('9.lock');
    writeFileSync(lock, '');
    gone.push(lock);
    expect(found().flatMap((each) => (each.kind === 'run' ? [] : [each.path])).sort()).toEqual(gone.sort()); // prettier-ignore
    expect(remove()).toBe(4 * (gone.length - 1));
    expect(kept.filter((path) => !existsSync(path))).toEqual([]);
    expect(gone.filter((path) => existsSync(path))).toEqual([]);
  });

  it('leaves alone what has just been put there', () => {
    const { reader, storePath, artifact } = storeIn(temporaryFolder());
    const now = statSync(artifact('b')).ctimeMs + 1000;
    expect(findGarbage(reader, { storePath, now, unplanned: false })).toEqual([]);
  });

  it('leaves alone what another store in the folder names', () => {
    const folder = temporaryFolder();
    storeIn(folder, 'other.sqlite'); // names a…
    const { storePath, writer, found, artifact, reader } = storeIn(folder);
    writer.plan({ ...experiment, trials: [] });
    writer.drop(reader.unplannedRuns().map(({ id }) => id));
    artifact('a');
    expect(found()).toEqual([]);
    rmSync(join(folder, 'other.sqlite'));
    expect(found()).toMatchObject([{ kind: 'artifact' }]);
    expect(storePath).toContain(folder);
  });

  it('of runs that no experiment names is found on request', () => {
    const { writer, reader, found, remove, artifact } = storeIn(temporaryFolder());
    const path = artifact('a');
    writer.plan({ ...experiment, seeds: [2] });
    expect(found()).toEqual([]);
    expect(found(true)).toEqual([
      { kind: 'run', runId: 1, sizeBytes: 0, why: 'finished, seed 1: no experiment names it' },
    ]);
    remove();
    expect(reader.unplannedRuns()).toEqual([]);
    expect(existsSync(path)).toBe(true); // listed the next time, now that nothing names it
    expect(found()).toMatchObject([{ kind: 'artifact', path }]);
  });

  it('stays while a sweep is at work, here or on another machine', () => {
    const { storePath, writer, remove, artifact, spool, reader } = storeIn(temporaryFolder());
    const path = artifact('b');
    spool('x');
    const lock = takeLock(join(`${storePath}-spool`, '5.lock'));
    expect(() => remove()).toThrow(
      /a sweep is at work on .*\n {2}hint {5}wait until it is done, or stop it; nothing was/,
    );
    lock.release();
    const [pending] = reader.runs('sample').filter(({ status }) => status === 'pending');
    writer.claim(pending?.id as number, { host: 'elsewhere', pid: 1, environment: {} });
    expect(() => remove()).toThrow('on elsewhere');
    expect(existsSync(path)).toBe(true);
  });
});
