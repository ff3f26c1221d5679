import type { Database } from 'better-sqlite3';
import { StoreError } from './errors.js';

/** "TWRB", in the file's header: tells a run store from any other SQLite file. */
const applicationId = 0x54575242;

/**
 * One entry per released schema, applied in order; entry k brings `user_version` k to k + 1. An entry that was released never changes.
 *
 * Conventions: JSON is RFC 8259 text; times are integer milliseconds since the epoch; in a REAL column that holds a measured value
 * NULL is NaN (SQLite stores NaN as NULL) and ±∞ are stored as they are; per-user values are little-endian float32, zlib-compressed.
 */
const migrations: readonly string[] = [
  `
CREATE TABLE changes (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL
) STRICT;
INSERT INTO changes (id, version) VALUES (1, 0);

CREATE TABLE experiments (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  file TEXT NOT NULL,
  config TEXT NOT NULL,
  dataset TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  protocol TEXT NOT NULL,
  metric_name TEXT NOT NULL,
  metric_goal TEXT NOT NULL CHECK (metric_goal IN ('maximize', 'minimize')),
  report TEXT NOT NULL,
  published TEXT NOT NULL,
  base_variant TEXT NOT NULL,
  seeds TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE trials (
  id TEXT NOT NULL PRIMARY KEY,
  config TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE experiment_trials (
  experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  trial_id TEXT NOT NULL REFERENCES trials (id),
  variant TEXT NOT NULL,
  parameters TEXT NOT NULL,
  PRIMARY KEY (experiment_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX experiment_trials_by_trial ON experiment_trials (trial_id);

CREATE TABLE oracles (
  experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  metric TEXT NOT NULL,
  value REAL,
  PRIMARY KEY (experiment_id, metric)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  trial_id TEXT NOT NULL REFERENCES trials (id),
  seed INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'finished', 'failed')),
  step INTEGER NOT NULL DEFAULT 0,
  total_steps INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER,
  ended_at INTEGER,
  seconds REAL,
  parameter_count INTEGER,
  best_step INTEGER,
  error TEXT,
  UNIQUE (trial_id, seed)
) STRICT;

CREATE TABLE environments (
  hash TEXT NOT NULL PRIMARY KEY,
  content TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'finished', 'failed', 'lost')),
  pid INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  error TEXT,
  environment_hash TEXT NOT NULL REFERENCES environments (hash),
  UNIQUE (run_id, number)
) STRICT;
CREATE UNIQUE INDEX attempts_one_running ON attempts (run_id) WHERE status = 'running';

CREATE TABLE logs (
  id INTEGER PRIMARY KEY,
  attempt_id INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX logs_by_attempt ON logs (attempt_id);

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  attempt_id INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  UNIQUE (attempt_id, name)
) STRICT;

CREATE TABLE points (
  series_id INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  value REAL,
  time INTEGER NOT NULL,
  PRIMARY KEY (series_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_metrics (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value REAL,
  PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE per_user (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  metric TEXT NOT NULL,
  length INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (run_id, metric)
) STRICT;

CREATE TABLE artifacts (
  sha256 TEXT NOT NULL PRIMARY KEY,
  size_bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run_artifacts (
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  sha256 TEXT NOT NULL REFERENCES artifacts (sha256),
  PRIMARY KEY (run_id, kind, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_artifacts_by_sha256 ON run_artifacts (sha256);
`,
  `
ALTER TABLE runs ADD COLUMN index_bytes_per_item INTEGER;
`,
  `
CREATE TABLE new_runs (
  id INTEGER PRIMARY KEY,
  trial_id TEXT NOT NULL REFERENCES trials (id),
  seed INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'finished', 'failed', 'pruned')),
  step INTEGER NOT NULL DEFAULT 0,
  total_steps INTEGER NOT NULL DEFAULT 0,
  steps_per_epoch INTEGER,
  batch_size INTEGER,
  started_at INTEGER,
  ended_at INTEGER,
  seconds REAL,
  parameter_count INTEGER,
  index_bytes_per_item INTEGER,
  best_step INTEGER,
  error TEXT,
  notes TEXT NOT NULL DEFAULT '',
  UNIQUE (trial_id, seed)
) STRICT;
INSERT INTO new_runs (id, trial_id, seed, status, step, total_steps, started_at, ended_at, seconds, parameter_count, index_bytes_per_item,
                      best_step, error)
SELECT id, trial_id, seed, status, step, total_steps, started_at, ended_at, seconds, parameter_count, index_bytes_per_item, best_step, error
FROM runs;
DROP TABLE runs;
ALTER TABLE new_runs RENAME TO runs;

CREATE TABLE new_attempts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'finished', 'failed', 'lost', 'pruned')),
  host TEXT NOT NULL DEFAULT '',
  pid INTEGER NOT NULL,
  renewals INTEGER NOT NULL DEFAULT 0,
  heartbeat_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  resumed_at_step INTEGER NOT NULL DEFAULT 0,
  stop_requested INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  environment_hash TEXT NOT NULL REFERENCES environments (hash),
  UNIQUE (run_id, number)
) STRICT;
INSERT INTO new_attempts (id, run_id, number, status, pid, heartbeat_at, started_at, ended_at, error, environment_hash)
SELECT id, run_id, number, status, pid, heartbeat_at, started_at, ended_at, error, environment_hash FROM attempts;
DROP TABLE attempts;
ALTER TABLE new_attempts RENAME TO attempts;
CREATE UNIQUE INDEX attempts_one_running ON attempts (run_id) WHERE status = 'running';

ALTER TABLE experiments ADD COLUMN search TEXT;
ALTER TABLE experiments ADD COLUMN stop_requested INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN notes TEXT NOT NULL DEFAULT '';

CREATE INDEX run_metrics_by_name ON run_metrics (name, run_id, value);
`,
  `
ALTER TABLE runs ADD COLUMN cpu_seconds REAL;
ALTER TABLE runs ADD COLUMN peak_bytes INTEGER;
`,
];

/** The schema this program writes: the number of migrations. */
export const schemaVersion = migrations.length;

/** Whether a database is a run store. */
export function isStoreOf(db: Database): boolean {
  return db.pragma('application_id', { simple: true }) === applicationId;
}

/** What a file's header says about it. */
type Found = { readonly kind: 'empty' } | { readonly kind: 'store'; readonly version: number };

/**
 * Reads the header and refuses what is no store of ours.
 *
 * @throws {StoreError} when the schema is newer than `schemaVersion` or the file belongs to another program
 */
export function inspect(db: Database, path: string): Found {
  // one state of the file: another process may be making the store
  const { id, version, tables } = db.transaction(() => ({
    id: db.pragma('application_id', { simple: true }) as number,
    version: db.pragma('user_version', { simple: true }) as number,
    tables: db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number,
  }))();
  if (id !== applicationId) {
    if (id === 0 && version === 0 && tables === 0) return { kind: 'empty' };
    throw new StoreError('unusable', `${path} is a SQLite file of another program`, 'choose another path with --store');
  }
  if (version > schemaVersion) {
    throw new StoreError(
      'unusable',
      `${path} has schema ${version}, and this program knows schemas up to ${schemaVersion}`,
      'update Towerbench, or choose another path with --store',
    );
  }
  return { kind: 'store', version };
}

/**
 * Brings the file to `schemaVersion` in one exclusive transaction; does nothing when it is there already.
 *
 * @throws {StoreError} as `inspect`
 */
export function migrate(db: Database, path: string): void {
  const current = (): number => {
    const found = inspect(db, path);
    return found.kind === 'empty' ? 0 : found.version;
  };
  if (current() === schemaVersion) return;
  db.pragma('foreign_keys = OFF'); // a table that is made anew would take with it what refers to it
  db.transaction(() => {
    for (const sql of migrations.slice(current())) db.exec(sql); // asked again: another process may have migrated meanwhile
    const broken = db.pragma('foreign_key_check') as unknown[];
    if (broken.length > 0) throw new Error(`${broken.length} rows of ${path} refer to what is not there`);
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${schemaVersion}`);
  }).exclusive();
}

/** Every statement of the schema as SQLite holds it, tables and indexes by name: the text of the reviewed snapshot. */
export function dumpSchema(db: Database): string {
  const statements = db
    .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .pluck()
    .all() as string[];
  return `-- schema ${schemaVersion}\n${statements.map((sql) => `${sql};\n`).join('\n')}`;
}
