/**
 * Takes runs to a real MLflow server and back: `npx nx run runner:mlflow-check`, after tools/trackers/setup.sh.
 *
 * What is checked: names, numbers (NaN and infinities too), steps and times of every point come back equal into an empty store; a second
 * export and import add nothing; an export that is killed goes on, and MLflow has every point once; runs of MLflow's own client arrive.
 * Prints one JSON line; exit code 1 when something is not so.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openStoreReader, openStoreWriter } from '@towerbench/tracking';
import { startMlflow } from './mlflow-server.mjs';

const root = resolve(import.meta.dirname, '../..');
const command = join(root, 'apps/runner/bin/towerbench.mjs');
const python = join(
  resolve(root, process.env['TOWERBENCH_TRACKERS'] ?? '.towerbench/trackers'),
  'venv',
  'bin',
  'python',
);
const RUNS = 6;
const STEPS = 1500;
const SERIES = ['train/loss', 'valid/ndcg@10', 'look_at_this', 'a//b/', `long/${'x'.repeat(300)}`];

const folder = mkdtempSync(join(tmpdir(), 'towerbench-mlflow-'));
const [from, to] = [join(folder, 'from.sqlite'), join(folder, 'to.sqlite')];
const server = await startMlflow({ python, folder });
try {
  fill(from);
  const seconds = { export: 0, import: 0 };
  const killed = await killedExport();
  seconds.export = timed(() => assert.match(towerbench('export', '--to', from), /^exported \d+ runs/));
  assert.match(towerbench('export', '--to', from), /^exported 0 runs with 0 points.*\n6 runs were there already/);
  assert.equal(await pointsThere(), RUNS * (SERIES.length * STEPS + 2));

  seconds.import = timed(() => assert.match(towerbench('import', '--from', to), /^imported 6 runs/));
  assert.match(towerbench('import', '--from', to), /^imported 0 runs with 0 points.*\n6 runs were there already/);
  assert.deepEqual(contentOf(to), contentOf(from));

  execFileSync(python, [join(import.meta.dirname, 'theirs.py'), server.url], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const theirs = towerbench('import', '--from', to, '--experiment', 'theirs');
  assert.match(
    theirs,
    /^imported 3 runs with 17 points from theirs\n1 runs are not finished there and were left out\n/,
  );
  assert.match(theirs, /numbered in order of time: loss\n/);
  const reader = openStoreReader(to);
  const runs = reader.runs('mlflow:theirs').filter(({ status }) => status === 'finished');
  assert.deepEqual(
    runs.map(({ variant, seed, metrics }) => ({ variant, seed, metrics })),
    [
      ...[1, 2].map((seed) => ({
        ...{ variant: 'forest-1', seed },
        metrics: { 'val ndcg: 10': seed + 0.4, 'precision@3': seed / 4, odd: NaN },
      })),
      { variant: 'no-steps', seed: 0, metrics: { loss: 1 } },
    ],
  );
  assert.deepEqual(
    reader.curve(runs[2]?.id ?? 0, 'loss').map(({ step, value }) => [step, value]),
    [
      [0, 3],
      [1, Infinity],
      [2, 1],
    ],
  );
  reader.close();
  const mlflow = execFileSync(python, ['-c', 'import mlflow; print(mlflow.__version__)'], { encoding: 'utf8' }).trim();
  const points = RUNS * SERIES.length * STEPS;
  process.stdout.write(
    `${JSON.stringify({ check: 'mlflow', mlflow, node: process.version, runs: RUNS, points, points_when_killed: killed, seconds, passed: true })}\n`,
  );
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** A store of finished runs whose names and numbers are hard to carry. @param {string} path */
function fill(path) {
  const writer = openStoreWriter(path);
  const runs = writer.plan({
    ...{
      name: 'hard',
      file: 'configs/hard.yaml',
      config: { text: '試験 é 😀' },
      dataset: 'world/movies',
      fingerprint: 'f1',
    },
    ...{
      protocol: { candidates: 'full' },
      metric: { name: 'valid/ndcg@10', goal: 'maximize' },
      report: ['test/ndcg@10'],
    },
    ...{ published: [], baseVariant: 'a', seeds: Array.from({ length: RUNS / 2 }, (_, k) => k + 1) },
    trials: ['a', 'b'].map((variant) => ({
      id: `t-${variant}`,
      variant,
      parameters: {},
      config: { variant, layers: [2, 1], note: 'é'.repeat(7000) },
    })),
  });
  for (const { id, seed } of runs) {
    const attemptId =
      writer.claim(id, { host: 'check', pid: process.pid, environment: { node: process.version } })?.attemptId ?? 0;
    for (const series of SERIES) {
      const values = [NaN, Infinity, -Infinity, 0, 1e-300, seed / 3];
      const points = Array.from({ length: STEPS }, (_, step) => ({
        ...{ series, step: step * 3, time: 1_700_000_000_000 + step },
        value: (values[step % values.length] ?? 0) * (1 + step),
      }));
      writer.points(attemptId, points);
    }
    writer.finish(attemptId, {
      ...{
        metrics: { 'valid/ndcg@10': seed / 7, 'test/ndcg@10': NaN },
        perUser: {},
        parameterCount: 10,
        indexBytesPerItem: null,
      },
      ...{ seconds: 1.25, bestStep: 300, artifacts: [] },
    });
  }
  writer.close();
}

/** Kills an export as soon as MLflow has some of it; returns how many points that were. */
async function killedExport() {
  const child = spawn(process.execPath, [command, 'export', 'mlflow', '--to', server.url, '--store', from], {
    stdio: 'ignore',
  });
  const ended = new Promise((done) => child.once('exit', done));
  let points = 0;
  while (points < RUNS * STEPS) points = await pointsThere();
  child.kill('SIGKILL');
  await ended;
  points = await pointsThere();
  assert.ok(points < RUNS * SERIES.length * STEPS, 'it was killed in the midst of it');
  return points;
}

/** Values that MLflow's database has, those sent twice too. */
async function pointsThere() {
  const script = `import sqlite3; db = sqlite3.connect("${join(folder, 'mlflow.db')}"); print(db.execute("select count(*) from metrics").fetchone()[0])`;
  return Number(execFileSync(python, ['-c', script], { encoding: 'utf8' }));
}

/** @param {'export' | 'import'} direction @param {'--to' | '--from'} option @param {string} store @param {readonly string[]} rest */
function towerbench(direction, option, store, ...rest) {
  const args = [command, direction, 'mlflow', option, server.url, '--store', store, ...rest];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** All that has to come back. @param {string} store */
function contentOf(store) {
  const reader = openStoreReader(store);
  const runs = reader.runs('hard').map((run) => ({
    ...{ trial: run.trialId, seed: run.seed, variant: run.variant, metrics: run.metrics, bestStep: run.bestStep },
    ...{ parameterCount: run.parameterCount, seconds: run.seconds, config: reader.run(run.id)?.config },
    curves: SERIES.map((series) => reader.curve(run.id, series)),
  }));
  const row = reader.experiment('hard');
  reader.close();
  return { runs, config: row?.config, fingerprint: row?.fingerprint, protocol: row?.protocol, report: row?.report };
}

/** @param {() => void} work */
function timed(work) {
  const start = performance.now();
  work();
  return Math.round((performance.now() - start) / 100) / 10;
}
