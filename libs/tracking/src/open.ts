import { closeSync, existsSync, mkdirSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import type { StoreReader, StoreWriter } from './contract.js';
import { asStoreError, fullDisk, isBusy, StoreError } from './errors.js';
import { createReader } from './reader.js';
import { inspect, isStoreOf, migrate, schemaVersion } from './schema.js';
import { createWriter } from './writer.js';

/** How long a transaction waits for another process, in milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;
/** What every file of SQLite begins with. */
const SQLITE_FILE = 'SQLite format 3';
/** Free space without which no store is begun: its tables and their log take 400 kB. */
const LEAST_FREE_BYTES = 1 << 20;
/** How often it is tried to switch a new file to WAL while another process is opening it too. */
const WAL_RETRY_MS = 10;

/**
 * Opens a run store for writing; makes it, and its folder, when it is not there. A call of the writer is one transaction, on disk
 * when it returns.
 *
 * @throws {StoreError} `unusable` when the file is none of ours, newer than this program, or its folder cannot be made; what is
 *   there stays as it is
 */
export function openStoreWriter(
  path: string,
  {
    now = Date.now,
    busyTimeoutMs,
    isDurable = true,
  }: {
    readonly now?: () => number;
    readonly busyTimeoutMs?: number;
    /** False where what is written can be made again, as in specs: a crash of the machine may then lose the store. */
    readonly isDurable?: boolean;
  } = {},
): StoreWriter {
  const db = openForWriting(path, busyTimeoutMs);
  if (!isDurable) db.pragma('synchronous = OFF');
  return createWriter(db, now);
}

/**
 * Opens a run store for reading; never blocks a writer. An older schema is brought up to date first.
 *
 * @throws {StoreError} `missing`, or `unusable`
 */
export function openStoreReader(path: string): StoreReader {
  if (!existsSync(path)) {
    throw new StoreError(
      'missing',
      `there is no run store at ${path}`,
      'run a sweep first: npx nx run runner:sweep --config configs/senet.yaml',
    );
  }
  let db = open(path, { readonly: true });
  try {
    const found = inspect(db, path);
    if (found.kind === 'empty') {
      throw new StoreError(
        'missing',
        `the run store at ${path} is empty`,
        'run a sweep first: npx nx run runner:sweep --config configs/senet.yaml',
      );
    }
    if (found.version < schemaVersion) {
      db.close();
      openForWriting(path).close();
      db = open(path, { readonly: true });
    }
    return createReader(db);
  } catch (error) {
    db.close();
    throw asStoreError(error, path);
  }
}

/** Whether the file at `path` is a run store, of whatever schema. */
export function isStore(path: string): boolean {
  const start = Buffer.alloc(SQLITE_FILE.length);
  const file = openSync(path, 'r');
  try {
    readSync(file, start);
  } finally {
    closeSync(file);
  }
  if (start.toString('latin1') !== SQLITE_FILE) return false;
  const db = open(path, { readonly: true }); // what says whose it is may still be in the log beside the file
  try {
    return isStoreOf(db);
  } finally {
    db.close();
  }
}

/** A store in memory and both its sides, for specs. Closing the writer closes it. */
export function openMemoryStore(now: () => number = Date.now): {
  readonly writer: StoreWriter;
  readonly reader: StoreReader;
} {
  const db = openForWriting(':memory:');
  return { writer: createWriter(db, now), reader: createReader(db) };
}

/** The database behind `openStoreWriter`. */
export function openForWriting(path: string, busyTimeoutMs = BUSY_TIMEOUT_MS): Database {
  if (path !== ':memory:') {
    if (!existsSync(path)) refuseFullDisk(path); // SQLite would leave an empty file behind
    makeFolder(dirname(path), path);
  }
  const db = open(path, { timeout: busyTimeoutMs });
  try {
    inspect(db, path); // before anything is written: another program's file is left alone
    switchToWal(db);
    db.pragma('synchronous = FULL');
    migrate(db, path);
    db.pragma('foreign_keys = ON');
  } catch (error) {
    db.close();
    throw asStoreError(error, path);
  }
  return db;
}

function refuseFullDisk(path: string): void {
  let folder = dirname(path);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  const { bavail, blocks, bsize } = statfsSync(folder);
  if (blocks > 0 && bavail * bsize < LEAST_FREE_BYTES) throw fullDisk(path); // some network file systems count no blocks
}

/** Makes a folder and those above it. Not `mkdirSync` with `recursive`, which tries for ever where a file system refuses with ENOENT. */
function makeFolder(folder: string, path: string): void {
  if (isFolder(folder)) return;
  makeFolder(dirname(folder), path);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isFolder(folder)) throw asStoreError(error, path); // else another process has made it meanwhile
  }
}

/** SQLite does not wait for others when it changes the journal mode, so this does. */
function switchToWal(db: Database): void {
  for (let triesLeft = BUSY_TIMEOUT_MS / WAL_RETRY_MS; ; triesLeft--) {
    try {
      db.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || triesLeft === 0) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_RETRY_MS);
    }
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function open(path: string, options: { readonly readonly?: boolean; readonly timeout?: number }): Database {
  if (isFolder(path)) {
    throw new StoreError(
      'unusable',
      `${path} cannot be used as a run store: it is a folder`,
      `name a file, for example --store ${join(path, 'store.sqlite')}`,
    );
  }
  try {
    return new SqliteDatabase(path, { timeout: BUSY_TIMEOUT_MS, ...options });
  } catch (error) {
    throw asStoreError(error, path);
  }
}
