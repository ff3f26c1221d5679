import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { readSpool, type AttemptRow, type RunRow, type StoreReader } from '@towerbench/tracking';
import { fixtures, start, towerbench } from './command.js';
import { childrenOf, isRunning, read, signal, until } from './processes.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-killed-'));
const store = join(folder, 'store.sqlite');
const args = ['sweep', '--config', join(fixtures, 'sweeps/small.yaml'), '--set', 'training.epochs=30'];
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Printed, so that a failure can be repeated with TOWERBENCH_TEST_SEED. */
const seed = Number(process.env['TOWERBENCH_TEST_SEED'] ?? Date.now() % 100_000);
let state = seed;
/** Park and Miller's generator: good enough for choosing moments. */
const random = (): number => (state = (state * 48_271 + 11) % 2_147_483_647) / 2_147_483_647;

/** What is killed in each round; in the first, the coordinator at some moment of its start, when it may be making the store. */
const rounds = ['start', 'worker', 'coordinator', 'all', 'worker'] as const;

function runsOf(reader: StoreReader): readonly RunRow[] {
  return reader.experiments().flatMap(({ name }) => reader.runs(name));
}

function attemptsOf(reader: StoreReader): readonly AttemptRow[] {
  return runsOf(reader).flatMap(({ id }) => reader.attempts(id));
}

/** A point as one text: attempt, series, step, value, and when it was measured. */
type PointText = string;

function pointsInStore(): ReadonlySet<PointText> {
  return read(
    store,
    (reader) =>
      new Set(
        attemptsOf(reader).flatMap(({ id }) =>
          reader.points(id).map(({ series, step, value, time }) => `${id} ${series} ${step} ${value} ${time}`),
        ),
      ),
    new Set(),
  );
}

/** Names of the files that hold points which may not be in the store yet. */
function spoolsOf(path: string): readonly string[] {
  const spool = `${path}-spool`;
  return existsSync(spool) ? readdirSync(spool).filter((name) => name.endsWith('.points')) : [];
}

/** Files of attempts that are under way, or that the next attempt of their run could go on from. */
function draftsOf(path: string): readonly string[] {
  return readdirSync(`${path}-spool`).filter((name) => !name.endsWith('.lock'));
}

/** Names of the files that are kept beside the store, and the hashes of what is in them. */
function keptFiles(): readonly { readonly name: string; readonly sha256: string }[] {
  const files = readdirSync(join(folder, 'artifacts'), { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => {
      const sha256 = createHash('sha256').update(readFileSync(join(parentPath, name)));
      return { name, sha256: sha256.digest('hex') };
    });
}

/** Points whose record in a spool is complete. */
function pointsInSpools(): readonly PointText[] {
  return spoolsOf(store).flatMap((name) => {
    const [, attempt] = /^\d+-(\d+)\.points$/.exec(name) as RegExpExecArray;
    return readSpool(join(`${store}-spool`, name)).map(
      ({ series, step, value, time }) => `${attempt} ${series} ${step} ${value} ${time}`,
    );
  });
}

/** Finished runs as they are in the store, by id. */
function finishedRuns(): ReadonlyMap<number, RunRow> {
  return read(
    store,
    (reader) => new Map(runsOf(reader).flatMap((run) => (run.status === 'finished' ? [[run.id, run]] : []))),
    new Map<number, RunRow>(),
  );
}

/** Everything about the results of a sweep that does not depend on the clock. */
function results(path: string): unknown {
  return read(
    path,
    (reader) =>
      [...reader.runs('small')]
        .sort((a, b) => a.variant.localeCompare(b.variant) || a.seed - b.seed)
        .map(({ id, variant, seed: of, metrics, parameterCount, bestStep }) => ({
          ...{ variant, of, metrics, parameterCount, bestStep },
          artifacts: reader.run(id)?.artifacts,
          perUser: Object.keys(metrics).map((name) => reader.perUser(id, name)),
          curves: reader
            .seriesNames(id)
            .filter((name) => !['train/examples_per_second', 'train/seconds'].includes(name))
            .map((name) => [name, reader.curve(id, name).map(({ step, value }) => [step, value])]),
        })),
    null,
  );
}

describe(`a sweep whose processes are killed (seed ${seed})`, () => {
  const acknowledged = new Set<PointText>();
  const finished = new Map<number, RunRow>();

  /** What was acknowledged or finished before must be there now, and what is there now must be there from now on. */
  function audit(): void {
    const stored = pointsInStore();
    const now = new Set([...stored, ...pointsInSpools()]);
    expect([...acknowledged].filter((point) => !now.has(point))).toEqual([]);
    for (const point of now) acknowledged.add(point);
    const runs = finishedRuns();
    for (const [id, run] of finished) expect(runs.get(id)).toEqual(run);
    for (const [id, run] of runs) finished.set(id, run);
  }

  it('loses no acknowledged point, retrains nothing finished, and ends with the numbers of an undisturbed one', async () => {
    for (const round of rounds) {
      const lost = read(store, (reader) => attemptsOf(reader).length, 0);
      const { child, ended } = start([...args, '--store', store, '--jobs', '2']);
      const pid = child.pid as number;
      const workers = new Set<number>();
      const look = (): void => childrenOf(pid).forEach((worker) => workers.add(worker));
      const isTraining = (): boolean =>
        read(store, (reader) => attemptsOf(reader).some(({ id, status }) => id > lost && status === 'running' && reader.points(id).length > 0), false); // prettier-ignore

      if (round === 'start') await sleep(random() * 2000);
      else {
        await until(isTraining, 'a run has begun');
        await sleep(random() * 1000);
      }
      look();
      if (round === 'worker') {
        const before = read(store, (reader) => attemptsOf(reader).length, 0);
        signal([...workers][Math.floor(random() * workers.size)] as number, 'SIGKILL');
        await until(() => read(store, (reader) => attemptsOf(reader).length, 0) > before, 'the run is tried again');
        await sleep(random() * 1000);
        look();
      }
      if (round === 'all') for (const worker of workers) signal(worker, 'SIGKILL');
      signal(pid, 'SIGKILL');
      await ended;
      await until(() => ![...workers].some(isRunning), 'workers end when their coordinator has', 20_000);
      audit();
    }
    expect(acknowledged.size).toBeGreaterThan(0);
    const lost = read(store, (reader) => attemptsOf(reader).filter(({ status }) => status !== 'finished').length, 0);
    expect(lost).toBeGreaterThanOrEqual(rounds.length - 1); // the kills hit something

    const last = await towerbench(...args, '--store', store, '--jobs', '2');
    expect(last.code, last.stderr).toBe(0);
    audit();
    const stored = pointsInStore();
    expect([...acknowledged].filter((point) => !stored.has(point))).toEqual([]);
    expect(spoolsOf(store)).toEqual([]);
    expect(draftsOf(store)).toEqual([]);
    for (const { name, sha256 } of keptFiles()) expect(sha256).toBe(name);
    const kept = new Set(keptFiles().map(({ name }) => name));
    const recorded = read(store, (reader) => [...finished.keys()].flatMap((id) => reader.run(id)?.artifacts ?? []), []);
    expect(recorded).toHaveLength(3 * 6); // checkpoint, lists and users of each
    for (const { sha256 } of recorded) expect(kept).toContain(sha256);
    expect(finished.size).toBe(6);
    const ends = read(store, (reader) => attemptsOf(reader).map(({ status }) => status), []);
    expect(ends.filter((status) => status === 'finished')).toHaveLength(6);
    expect(ends.filter((status) => status === 'running')).toEqual([]);

    const calm = join(folder, 'calm/store.sqlite');
    expect((await towerbench(...args, '--store', calm)).code).toBe(0);
    expect(results(store)).toEqual(results(calm));
  }, 600_000);

  it('has no worker that writes on where nobody would read it', async () => {
    const path = join(folder, 'orphan/store.sqlite');
    const one = [...args, '--store', path, '--jobs', '1', '--set', 'seeds=[1]', '--set', 'training.epochs=8']; // so short that every step has a point
    const { child, ended } = start(one);
    const spoolOf = (): string | undefined => spoolsOf(path)[0];
    const hasPoints = (name: string | undefined): boolean =>
      name !== undefined && statSync(join(`${path}-spool`, name)).size > 0;
    await until(() => spoolOf() !== undefined, 'a run begins');
    const [worker] = childrenOf(child.pid as number);
    await until(() => hasPoints(spoolOf()), 'the run writes points');
    signal(worker as number, 'SIGSTOP');
    signal(child.pid as number, 'SIGKILL');
    await ended;
    const kept = join(folder, 'kept.points');
    linkSync(join(`${path}-spool`, spoolOf() as string), kept); // stays when the spool is taken over and removed
    const resuming = start(one);
    await until(() => spoolOf()?.startsWith(`${resuming.child.pid}-`) === true, 'the next sweep has taken over');
    const taken = readSpool(kept);
    signal(worker as number, 'SIGCONT');
    await until(() => !isRunning(worker as number), 'the worker ends', 20_000);
    const written = readSpool(kept);
    expect(written.slice(0, taken.length)).toEqual(taken);
    // it may have been stopped between asking whose child it is and writing
    expect(new Set(written.slice(taken.length).map(({ step }) => step)).size).toBeLessThanOrEqual(1);
    expect((await resuming.ended).code).toBe(0);
  }, 600_000);
});
