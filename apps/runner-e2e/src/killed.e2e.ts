import { appendFileSync, linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openStoreReader, readSpool } from '@towerbench/tracking';
import { attemptsIn, Audit, resultsOf, spoolsOf } from './audit.js';
import { fixtures, start, towerbench } from './command.js';
import { childrenOf, isRunning, read, signal, until } from './processes.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-killed-'));
const args = ['sweep', '--config', join(fixtures, 'sweeps/small.yaml'), '--set', 'training.epochs=30'];
const NUM_RUNS = 6;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Printed, so that a failure can be repeated with TOWERBENCH_TEST_SEED. */
const seed = Number(process.env['TOWERBENCH_TEST_SEED'] ?? Date.now() % 100_000);
let state = seed;
/** Park and Miller's generator: good enough for choosing moments. */
const random = (): number => (state = (state * 48_271 + 11) % 2_147_483_647) / 2_147_483_647;

/**
 * What is done in a round, to a sweep with two workers:
 * - `start`: the coordinator is killed at some moment of its start, when it may be making the store
 * - `coordinator`, `worker`, `all`: these are killed while runs train; the coordinator is also who writes the store
 * - `beside`: a second sweep shares the store, and one of the two is killed
 * - `stopped`: a worker is stopped for a while, then the coordinator is killed
 * - `clock`: the clock of the machine is set by days, forth and back, while runs train, then all are killed
 */
const kinds = ['start', 'worker', 'coordinator', 'all', 'beside', 'stopped', 'clock'] as const;
type Kind = (typeof kinds)[number];

/** `npx nx run runner:chaos --rounds N` sets these: so many rounds, and a file that takes a line for each. */
const rounds = Number(process.env['TOWERBENCH_CHAOS_ROUNDS'] ?? kinds.length);
const results = process.env['TOWERBENCH_CHAOS_RESULTS'];

/** Takes the clock of a process over, where it is installed; what never goes back is left alone. */
const fakeClock = process.env['TOWERBENCH_FAKETIME'];
const clockFile = join(folder, 'clock');

function clockEnvironment(kind: Kind): NodeJS.ProcessEnv {
  if (kind !== 'clock' || fakeClock === undefined) return {};
  writeFileSync(clockFile, '+0');
  return {
    LD_PRELOAD: fakeClock,
    FAKETIME_TIMESTAMP_FILE: clockFile,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
}

/** One round; returns the code of the sweep, null where it was killed. */
async function round(kind: Kind, store: string): Promise<number | null> {
  // what is saved last is so near that a run goes on from it even when it is killed at once
  const command = [...args, '--store', store, '--save-every', '0'];
  const before = read(store, (reader) => attemptsIn(reader).length, 0);
  const sweep = start([...command, '--jobs', '2'], clockEnvironment(kind));
  const second = kind === 'beside' ? start([...command, '--jobs', '1']) : null;
  const pids = [sweep, second].flatMap((started) => started?.child.pid ?? []);
  const workers = new Set<number>();
  const look = (): void => pids.flatMap(childrenOf).forEach((worker) => workers.add(worker));
  const some = (): number => [...workers][Math.floor(random() * workers.size)] ?? 0;
  const hasEnded = (): boolean => sweep.child.exitCode !== null;
  const isTraining = (reader: Parameters<typeof attemptsIn>[0]): boolean =>
    attemptsIn(reader)
      .slice(before)
      .some(({ id, status }) => status === 'running' && reader.points(id).length > 0);

  if (kind === 'start') await sleep(random() * 2000);
  else {
    await until(() => hasEnded() || read(store, isTraining, false), 'a run has begun');
    await sleep(random() * 1000);
  }
  look();
  if (kind === 'worker' && workers.size > 0) {
    signal(some(), 'SIGKILL');
    await sleep(random() * 2000);
    look();
  }
  if (kind === 'stopped' && workers.size > 0) {
    const worker = some();
    signal(worker, 'SIGSTOP');
    await sleep(random() * 1000);
    signal(worker, 'SIGCONT');
  }
  if (kind === 'clock') {
    for (const days of ['+2d', '-3d']) {
      writeFileSync(clockFile, days);
      await sleep(random() * 500);
    }
  }
  if (kind === 'all' || kind === 'clock') for (const worker of workers) signal(worker, 'SIGKILL');
  if (!hasEnded()) signal(sweep.child.pid as number, 'SIGKILL');
  const { code } = await sweep.ended;
  if (second !== null) {
    const { code, stderr } = await second.ended; // it takes over what the killed one had under way
    expect(code, stderr).toBe(0);
    return 0;
  }
  await until(() => ![...workers].some(isRunning), 'workers end when their coordinator has', 20_000);
  return code;
}

describe(`a sweep whose processes are killed (seed ${seed})`, () => {
  it(
    'loses no acknowledged point, retrains nothing finished, and ends with the numbers of an undisturbed one',
    async () => {
      const calm = join(folder, 'calm/store.sqlite');
      expect((await towerbench(...args, '--store', calm)).code).toBe(0);
      const expected = resultsOf(calm);

      const counts = { lost: 0, resumed: 0, points: 0, sweeps: 0 };
      let disturbed = new Disturbed(0);
      for (let done = 0; done < rounds; done++) {
        const kind = kinds[rounds === kinds.length ? done : Math.floor(random() * kinds.length)] as Kind;
        const code = await round(kind, disturbed.store);
        disturbed.audit.check();
        const { numFinished, numPoints } = disturbed.audit;
        if (results !== undefined) {
          const line = { round: done + 1, kind, sweep: disturbed.number, finished: numFinished, points: numPoints };
          appendFileSync(results, `${JSON.stringify(line)}\n`);
        }
        if (code === 0 || numFinished === NUM_RUNS || done === rounds - 1) {
          await disturbed.finish(expected, counts);
          disturbed = new Disturbed(disturbed.number + 1);
        }
      }
      if (results !== undefined) appendFileSync(results, `${JSON.stringify({ rounds, seed, ...counts })}\n`);
      expect(counts.points).toBeGreaterThan(0);
      expect(counts.lost).toBeGreaterThanOrEqual(Math.min(4, rounds / 2)); // the kills hit something
      expect(counts.resumed).toBeGreaterThan(0);
    },
    600_000 + rounds * 60_000,
  );

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

/** A store whose sweep is disturbed until it is done. */
class Disturbed {
  readonly number: number;
  readonly store: string;
  readonly audit: Audit;

  constructor(number: number) {
    this.number = number;
    this.store = join(folder, String(number), 'store.sqlite');
    this.audit = new Audit(this.store);
  }

  /** Lets the sweep end in peace, and compares it with one that was never disturbed. */
  async finish(
    expected: unknown,
    counts: { lost: number; resumed: number; points: number; sweeps: number },
  ): Promise<void> {
    const last = await towerbench(...args, '--store', this.store, '--jobs', '2');
    expect(last.code, last.stderr).toBe(0);
    this.audit.checkEnd(NUM_RUNS);
    expect(resultsOf(this.store)).toEqual(expected);
    expect(integrityOf(this.store)).toBe('ok');
    const attempts = read(this.store, attemptsIn, []);
    counts.lost += attempts.filter(({ status }) => status === 'lost').length;
    counts.resumed += attempts.filter(({ resumedAtStep }) => resumedAtStep > 0).length;
    counts.points += this.audit.numPoints;
    counts.sweeps++;
    rmSync(join(this.store, '..'), { recursive: true });
  }
}

/** What SQLite finds when it looks at every page of the store. */
function integrityOf(store: string): string {
  const reader = openStoreReader(store);
  try {
    return reader.integrity();
  } finally {
    reader.close();
  }
}
