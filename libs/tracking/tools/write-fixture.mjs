// Writes fixtures/v<N>.db and fixtures/v<N>.sql. Run once when schema N is released, after `npx nx run tracking:build`; a fixture that
// was released never changes.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { openStoreWriter } from '../dist/open.js';
import { sampleExperiment, sampleResult } from '../dist/sample-experiment.js';
import { dumpSchema } from '../dist/schema.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-fixture-'));
const path = join(folder, 'store.sqlite');
const writer = openStoreWriter(path);
const [run] = writer.plan(sampleExperiment());
const { attemptId } = writer.claim(run.id, { host: 'here', pid: 1, environment: { node: 'v20' } });
writer.points(
  attemptId,
  [1, 2, 3].map((step) => ({ series: 'train/loss', step, value: 1 / step, time: step })),
);
writer.finish(attemptId, sampleResult());
writer.close();
const db = new SqliteDatabase(path);
const target = join(import.meta.dirname, '../fixtures', `v${db.pragma('user_version', { simple: true })}`);
if (existsSync(`${target}.db`)) throw new Error(`${target}.db is there; a released fixture never changes`);
db.pragma('journal_mode = DELETE');
db.prepare('VACUUM INTO ?').run(`${target}.db`);
writeFileSync(`${target}.sql`, dumpSchema(db));
db.close();
rmSync(folder, { recursive: true });
