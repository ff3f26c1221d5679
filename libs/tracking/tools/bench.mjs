// Measures the store, the dashboard on it, and a sweep's cost per run; beside MLflow, Optuna and Trackio where tools/trackers/setup.sh has
// got them. `npx nx run tracking:bench -- --only points --rounds 5`; one JSON object per line, medians over the rounds.
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import { openForWriting, openStoreReader, openStoreWriter } from '../dist/open.js';
import { importSpool } from '../dist/spool.js';
import { createWriter } from '../dist/writer.js';

const root = resolve(import.meta.dirname, '../../..');
const python = join(
  resolve(root, process.env['TOWERBENCH_TRACKERS'] ?? '.towerbench/trackers'),
  'venv',
  'bin',
  'python',
);
const {
  only,
  rounds: roundsText,
  out,
} = parseArgs({
  options: { only: { type: 'string' }, rounds: { type: 'string', default: '5' }, out: { type: 'string' } },
}).values;
const rounds = Number(roundsText);

/** Points of one producer's attempt, and how many of them a step hands over. */
const POINTS = 200_000;
const BATCH = 100;
/** How often a sweep looks into the spools. */
const IMPORT_EVERY_MS = 100;

/** Results of a run. */
const METRICS = ['valid', 'test'].flatMap((part) =>
  [1, 5, 10, 20, 50].flatMap((k) => [`${part}/ndcg@${k}`, `${part}/recall@${k}`]),
);

const benches = { points, leaderboard, curve, start, 'no-op-runs': noOpRuns, trackers };
if (only !== undefined && !(only in benches)) {
  process.stderr.write(`--only: received "${only}"\n  allowed  ${Object.keys(benches).join(', ')}\n`);
  process.exit(2);
}
for (const [name, measure] of Object.entries(benches)) {
  if (only !== undefined && only !== name) continue;
  const folder = mkdtempSync(join(tmpdir(), 'towerbench-bench-'));
  try {
    for (const record of await measure(folder)) print({ bench: `tracking-${name}`, ...record });
  } catch (error) {
    process.stderr.write(`tracking-${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {Record<string, unknown>} record */
function print(record) {
  const facts = { node: process.version, cpu: cpus()[0]?.model, cores: availableParallelism(), load: loadavg()[0] };
  const line = JSON.stringify({ ...record, ...facts }, (_, value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
  );
  process.stdout.write(`${line}\n`);
  if (out !== undefined) appendFileSync(out, `${line}\n`);
}

/** Acknowledged points per second: 1, 2 and 4 processes spool, this one imports; and rows of the same table without any of that. */
async function points(folder) {
  const rates = new Map([1, 2, 4, 'raw'].map((who) => [who, []]));
  for (let round = 0; round < rounds; round++) {
    for (const who of round % 2 === 0 ? rates.keys() : [...rates.keys()].reverse()) {
      const path = join(folder, `${round}-${who}.sqlite`);
      rates.get(who).push(who === 'raw' ? rawRate(path) : await spooledRate(path, who));
    }
  }
  const raw = median(rates.get('raw'));
  return [...rates].map(([who, values]) => ({
    ...(who === 'raw' ? { peer: 'better-sqlite3, rows of the same table' } : { producers: who }),
    ...{ points: who === 'raw' ? POINTS : who * POINTS, rounds },
    ...{ points_per_second: median(values), range: [Math.min(...values), Math.max(...values)] },
    ...(who === 'raw' ? {} : { of_raw: median(values) / raw }),
  }));
}

async function spooledRate(path, producers) {
  const writer = openStoreWriter(path);
  const attempts = attemptsOf(writer, producers);
  const spools = await Promise.all(
    attempts.map(async (attemptId) => {
      const spool = `${path}-${attemptId}.points`;
      const producer = join(import.meta.dirname, 'produce.mjs');
      const child = spawn(process.execPath, [producer, spool, String(POINTS), String(BATCH)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const spooled = { attemptId, spool, child, from: 0, isOver: false };
      child.once('exit', () => (spooled.isOver = true));
      await new Promise((ready) => child.stdout.once('data', ready));
      return spooled;
    }),
  );
  const begun = performance.now();
  for (const { child } of spools) child.stdin.write('go\n');
  for (let left = spools; left.length > 0;) {
    const over = new Set(left.filter(({ isOver }) => isOver)); // before its spool is looked into
    for (const each of left) each.from = importSpool(writer, each.attemptId, { path: each.spool, from: each.from });
    left = left.filter((each) => !over.has(each));
    if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, IMPORT_EVERY_MS));
  }
  const seconds = (performance.now() - begun) / 1000;
  writer.close();
  const reader = openStoreReader(path);
  const stored = reader.countPoints();
  reader.close();
  if (stored !== producers * POINTS) throw new Error(`${stored} of ${producers * POINTS} points are in the store`);
  return stored / seconds;
}

function rawRate(path) {
  const db = new SqliteDatabase(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`CREATE TABLE points (series_id INTEGER NOT NULL, step INTEGER NOT NULL, value REAL, time INTEGER NOT NULL,
           PRIMARY KEY (series_id, step)) STRICT, WITHOUT ROWID`);
  const insert = db.prepare('INSERT INTO points VALUES (?, ?, ?, ?)');
  const some = db.transaction((from, to) => {
    for (let k = from; k < to; k++) insert.run(k % 5, Math.floor(k / 5), 1 / (k + 1), 1_700_000_000_000 + k);
  });
  const begun = performance.now();
  for (let at = 0; at < POINTS; at += 20_000) some(at, at + 20_000);
  const seconds = (performance.now() - begun) / 1000;
  db.close();
  return POINTS / seconds;
}

/** Running attempts of as many trials. */
function attemptsOf(writer, count) {
  const trials = Array.from({ length: count }, (_, k) => ({
    id: `t${k}`,
    variant: `v${k}`,
    parameters: {},
    config: {},
  }));
  return writer
    .plan(experimentOf({ name: 'bench', seeds: [1], trials }))
    .map(({ id }) => writer.claim(id, { host: 'here', pid: process.pid, environment: {} }).attemptId);
}

function experimentOf({ name, seeds, trials }) {
  return {
    ...{
      name,
      file: 'bench.yaml',
      config: {},
      dataset: 'world/movies',
      fingerprint: 'f1',
      protocol: { candidates: 'full' },
    },
    ...{
      metric: { name: 'valid/ndcg@10', goal: 'maximize' },
      report: METRICS.slice(1, 3),
      published: [],
      baseVariant: 'v0',
    },
    ...{ seeds, trials },
  };
}

/** A store of 10,000 runs, 2,000 trials with five seeds, and 20 metrics each; the first has a curve of 100,000 points. */
function bigStore(path) {
  const db = openForWriting(path);
  db.pragma('synchronous = OFF'); // only to be there sooner
  const writer = createWriter(db, () => 1_700_000_000_000);
  const trials = Array.from({ length: 2000 }, (_, k) => ({
    ...{ id: `t${k}`, variant: `v${k % 20}`, parameters: { 'optimizer.learning_rate': k / 1e5 } },
    config: {
      model: { type: `m${k % 7}`, dim: 8 * (k % 9) },
      optimizer: { learning_rate: k / 1e5 },
      training: { epochs: k % 5 },
    },
  }));
  const runs = writer.plan(experimentOf({ name: 'big', seeds: [1, 2, 3, 4, 5], trials }));
  for (const [index, { id }] of runs.entries()) {
    const { attemptId } = writer.claim(id, { host: 'here', pid: 1, environment: { node: process.version } });
    if (index === 0)
      writer.points(
        attemptId,
        Array.from({ length: 100_000 }, (_, step) => ({
          series: 'train/loss',
          step,
          value: Math.sin(step / 999) + (step % 7) / 50,
          time: 1_700_000_000_000 + step,
        })),
      );
    const metrics = Object.fromEntries(METRICS.map((name, k) => [name, ((index * 7919 + k * 104729) % 10007) / 10007]));
    writer.finish(attemptId, {
      metrics,
      perUser: {},
      parameterCount: 1000 + index,
      indexBytesPerItem: 128,
      seconds: 1,
      bestStep: 1,
      artifacts: [],
    });
  }
  writer.close();
  return runs[0].id;
}

/** Starts the dashboard on a store; `seconds` is how long its first page took. */
async function dashboardOn(store) {
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    [join(root, 'apps/dashboard/dist/server/main.js'), '--store', store, '--port', '0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.once('exit', () => child.kill()); // also when a request fails
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const address = /http:\S+/.exec((await lines.next()).value ?? '')?.[0] ?? '';
  const timed = async (path) => {
    const from = performance.now();
    const response = await fetch(new URL(path, address));
    const body = await response.arrayBuffer();
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
    return { milliseconds: performance.now() - from, bytes: body.byteLength };
  };
  await timed('/');
  const seconds = (performance.now() - begun) / 1000;
  return { seconds, timed, stop: async () => (child.kill('SIGTERM'), ended) };
}

async function leaderboard(folder) {
  const path = join(folder, 'store.sqlite');
  bigStore(path);
  const { timed, stop } = await dashboardOn(path);
  const sorts = ['', '&sort=test%2Frecall%4020&order=desc', '&sort=valid%2Fndcg%4010&order=asc'];
  const of = (page, sort) =>
    timed(
      `/api/leaderboard?${METRICS.map((name) => `metric=${encodeURIComponent(name)}`).join('&')}&page=${page}${sort}`,
    );
  const first = await of(1, '');
  const times = [];
  for (let k = 0; k < 40 * rounds; k++) times.push((await of(1 + (k % 10), sorts[k % sorts.length])).milliseconds);
  await stop();
  return [
    {
      runs: 10_000,
      metrics: METRICS.length,
      requests: times.length,
      first_ms: first.milliseconds,
      bytes: first.bytes,
      p50_ms: quantile(times, 0.5),
      p95_ms: quantile(times, 0.95),
    },
  ];
}

async function curve(folder) {
  const path = join(folder, 'store.sqlite');
  const run = bigStore(path);
  const { timed, stop } = await dashboardOn(path);
  const answers = [];
  for (let k = 0; k < 6 * rounds; k++) answers.push(await timed(`/api/runs/${run}/curve?series=train%2Floss`));
  await stop();
  const times = answers.map(({ milliseconds }) => milliseconds);
  return [
    {
      points: 100_000,
      requests: times.length,
      first_ms: times[0],
      p50_ms: median(times),
      p95_ms: quantile(times, 0.95),
      bytes: answers[0].bytes,
    },
  ];
}

async function start(folder) {
  const path = join(folder, 'store.sqlite');
  bigStore(path);
  const seconds = [];
  for (let k = 0; k < rounds; k++) {
    const dashboard = await dashboardOn(path);
    seconds.push(dashboard.seconds);
    await dashboard.stop();
  }
  return [
    { runs: 10_000, rounds, first_page_seconds: median(seconds), range: [Math.min(...seconds), Math.max(...seconds)] },
  ];
}

/** What a run costs beside its work: from the first claim to the last end, without the seconds that the runs say they took. */
async function noOpRuns(folder) {
  const costs = [];
  for (let round = 0; round < Math.min(3, rounds); round++) {
    const store = join(folder, `${round}.sqlite`);
    const config = join(folder, 'no-op.yaml');
    writeFileSync(
      config,
      `name: no-op
dataset: { name: world/movies, num_users: 50, num_items: 50 }
model: { type: popularity }
objective: { type: in-batch-softmax }
engine: simd
seeds: [${Array.from({ length: 200 }, (_, k) => k + 1).join(', ')}]
metric: { name: valid/ndcg@10, goal: maximize }
report: [test/ndcg@10]
`,
    );
    execFileSync(
      process.execPath,
      [join(root, 'apps/runner/bin/towerbench.mjs'), 'sweep', '--config', config, '--store', store, '--jobs', '1'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const reader = openStoreReader(store);
    const runs = reader.runs('no-op').filter(({ status }) => status === 'finished');
    reader.close();
    if (runs.length !== 200) throw new Error(`${runs.length} of 200 runs are finished`);
    const ends = runs.map(({ endedAt }) => endedAt).sort((a, b) => a - b);
    const work = runs.reduce((sum, { seconds }) => sum + seconds, 0) / runs.length;
    const each = (ends.at(-1) - ends[9]) / (ends.length - 10); // the worker is warm after ten
    costs.push({ each, work: 1000 * work });
  }
  const each = median(costs.map((cost) => cost.each));
  const work = median(costs.map((cost) => cost.work));
  return [{ runs: 200, jobs: 1, rounds: costs.length, ms_per_run: each, ms_of_training_per_run: work }];
}

/** The same work in MLflow, Optuna and Trackio, and ours once more beside each round of theirs. */
async function trackers(folder) {
  if (!existsSync(python)) {
    process.stderr.write('no MLflow, Optuna and Trackio here: tools/trackers/setup.sh gets them\n');
    return [];
  }
  const theirs = new Map();
  const ours = [];
  for (let round = 0; round < Math.min(3, rounds); round++) {
    ours.push(await spooledRate(join(folder, `ours-${round}.sqlite`), 1));
    const scratch = mkdtempSync(join(folder, 'peer-'));
    const text = execFileSync(python, [join(root, 'tools/trackers/measure.py'), scratch], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      cwd: scratch,
    });
    for (const line of text.trim().split('\n')) {
      const { rate, ...what } = JSON.parse(line);
      const key = JSON.stringify(what);
      theirs.set(key, [...(theirs.get(key) ?? []), rate]);
    }
  }
  const our = median(ours);
  return [...theirs].map(([key, rates]) => {
    const what = JSON.parse(key);
    const isSame = what.unit === 'points';
    return {
      ...what,
      rounds: rates.length,
      per_second: median(rates),
      range: [Math.min(...rates), Math.max(...rates)],
      ...(isSame ? { ours_per_second: our, ratio: our / median(rates) } : {}),
    };
  });
}

/** The middle value, or the mean of the two in the middle. @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/** The nearest rank. @param {readonly number[]} values @param {number} q */
function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN;
}
