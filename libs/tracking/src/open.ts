import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import type { StoreReader, StoreWriter } from './contract.js';
import { StoreError } from './errors.js';
import { createReader } from './reader.js';
import { inspect, migrate } from './schema.js';
import { createWriter } from './writer.js';

/** How long a transaction waits for another process, in milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;
/** How often it is tried to switch a new file to WAL while another process is opening it too. */
const WAL_RETRY_MS = 10;

/**
 * Opens a run store for writing; makes it, and its folder, when it is not there. A call of the writer is one transaction, on disk
 * when it returns.
 *
 * @throws {StoreError} `unusable` when the file is none of ours, newer than this program, or its folder cannot be made; what is
 *   there stays as it is
 */
export function openStoreWriter(path: string, { now = Date.now }: { readonly now?: () => number } = {}): StoreWriter {
  return createWriter(openForWriting(path), now);
}

/**
 * Opens a run store for reading; never blocks a writer.
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
  const db = open(path, { readonly: true });
  try {
    if (inspect(db, path).kind === 'empty') {
      throw new StoreError(
        'missing',
        `the run store at ${path} is empty`,
        'run a sweep first: npx nx run runner:sweep --config configs/senet.yaml',
      );
    }
    return createReader(db);
  } catch (error) {
    db.close();
    throw asStoreError(error, path);
  }
}

/** A store in memory and both its sides, for specs. Closing the writer closes it. */
export function openMemoryStore(): { readonly writer: StoreWriter; readonly reader: StoreReader } {
  const db = openForWriting(':memory:');
  return { writer: createWriter(db, Date.now), reader: createReader(db) };
}

/** The database behind `openStoreWriter`. */
export function openForWriting(path: string): Database {
  if (path !== ':memory:') makeFolder(dirname(path), path);
  const db = open(path, {});
  try {
    inspect(db, path); // before anything is written: another program's file is left alone
    switchToWal(db);
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    migrate(db, path);
  } catch (error) {
    db.close();
    throw asStoreError(error, path);
  }
  return db;
}

function makeFolder(folder: string, path: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw unusable(path, error as Error);
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

function open(path: string, options: { readonly readonly?: boolean }): Database {
  try {
    return new SqliteDatabase(path, { ...options, timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw asStoreError(error, path);
  }
}

function asStoreError(error: unknown, path: string): unknown {
  return error instanceof SqliteDatabase.SqliteError ? unusable(path, error) : error;
}

function unusable(path: string, cause: Error): StoreError {
  const hint = isBusy(cause)
    ? 'another process is writing to it; try again when it is done'
    : 'choose another path with --store';
  return new StoreError('unusable', `${path} cannot be used as a run store: ${cause.message}`, hint, { cause });
}

function isBusy(error: unknown): boolean {
  return error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY');
}
