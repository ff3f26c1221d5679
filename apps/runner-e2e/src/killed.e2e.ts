import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { openStoreReader } from '@towerbench/tracking';
import { fixtures, start, towerbench } from './command.js';

const ROUNDS = 5;
const folder = mkdtempSync(join(tmpdir(), 'towerbench-killed-'));
const store = join(folder, 'store.sqlite');
const config = join(fixtures, 'sweeps/small.yaml');
const epochs = ['--set', 'training.epochs=30'];
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Printed, so that a failure can be repeated with TOWERBENCH_TEST_SEED. */
const seed = Number(process.env['TOWERBENCH_TEST_SEED'] ?? Date.now() % 100_000);
let state = seed;
/** Park and Miller's generator: good enough for choosing moments. */
const random = (): number => (state = (state * 48_271 + 11) % 2_147_483_647) / 2_147_483_647;

function childrenOf(pid: number): number[] {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
      .filter(Boolean)
      .map(Number);
  } catch {
    return []; // ps ends with 1 when there are none
  }
}

interface Snapshot {
  readonly finished: Readonly<Record<number, { readonly attempts: number; readonly endedAt: number | null }>>;
  readonly points: number;
}

/** What the store holds: how each finished run ended, and how many points all attempts have. */
function snapshot(): Snapshot {
  if (!existsSync(store)) return { finished: {}, points: 0 };
  const reader = openStoreReader(store);
  const runs = reader.experiments().flatMap(({ name }) => [...reader.runs(name)]);
  const points = reader.countPoints();
  reader.close();
  return {
    finished: Object.fromEntries(
      runs
        .filter(({ status }) => status === 'finished')
        .map(({ id, attempts, endedAt }) => [id, { attempts, endedAt }]),
    ),
    points,
  };
}

describe(`a sweep whose processes are killed (seed ${seed})`, () => {
  it(`keeps what was recorded over ${ROUNDS} rounds, retrains nothing finished, and ends with the numbers of an undisturbed one`, async () => {
    const args = ['sweep', '--config', config, '--store', store, ...epochs, '--jobs', '2'];
    for (let round = 0; round < ROUNDS; round++) {
      const before = snapshot();
      const { child, ended } = start(args);
      await sleep(1500 + random() * 2500);
      const pid = child.pid as number;
      const workers = childrenOf(pid);
      // by turns the workers, the coordinator, or all at once
      const victims = round % 3 === 0 ? workers.slice(0, 1) : round % 3 === 1 ? [pid] : [pid, ...workers];
      for (const victim of victims) {
        try {
          process.kill(victim, 'SIGKILL');
        } catch {
          // it had ended already
        }
      }
      if (round % 3 === 0) {
        await sleep(1000 + random() * 1000);
        child.kill('SIGKILL');
      }
      await ended;
      const after = snapshot();
      expect(after.points).toBeGreaterThanOrEqual(before.points);
      for (const [id, run] of Object.entries(before.finished)) expect(after.finished[Number(id)]).toEqual(run);
    }
    const before = snapshot();
    const last = await towerbench(...args);
    expect(last.code, last.stderr).toBe(0);
    const after = snapshot();
    for (const [id, run] of Object.entries(before.finished)) expect(after.finished[Number(id)]).toEqual(run);
    expect(Object.keys(after.finished)).toHaveLength(6);
    expect(Math.max(...Object.values(after.finished).map(({ attempts }) => attempts))).toBeGreaterThan(1); // the kills hit something
    expect(after.points).toBeGreaterThanOrEqual(before.points);

    const calm = join(folder, 'calm/store.sqlite');
    expect((await towerbench('sweep', '--config', config, '--store', calm, ...epochs)).code).toBe(0);
    const metricsOf = (path: string): unknown => {
      const reader = openStoreReader(path);
      const runs = reader.runs('small').map(({ variant, seed: of, metrics }) => ({ variant, seed: of, metrics }));
      reader.close();
      return runs.sort((a, b) => a.variant.localeCompare(b.variant) || a.seed - b.seed);
    };
    expect(metricsOf(store)).toEqual(metricsOf(calm));
  });
});
