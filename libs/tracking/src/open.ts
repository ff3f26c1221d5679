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

/**
 * Opens a run store for writing; makes it, and its folder, when it is not there. A call of the writer is one transaction, on disk
 * when it returns.
 *
 * @throws {StoreError} `unusable` when the file is none of ours or newer than this program
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
  } catch (error) {
    db.close();
    throw asStoreError(error, path);
  }
  return createReader(db);
}

/** A store in memory and both its sides, for specs. Closing the writer closes it. */
export function openMemoryStore(): { readonly writer: StoreWriter; readonly reader: StoreReader } {
  const db = openForWriting(':memory:');
  return { writer: createWriter(db, Date.now), reader: createReader(db) };
}

function openForWriting(path: string): Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const db = open(path, {});
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    migrate(db, path);
  } catch (error) {
    db.close();
    throw asStoreError(error, path);
  }
  return db;
}

function open(path: string, options: { readonly readonly?: boolean }): Database {
  try {
    return new SqliteDatabase(path, { ...options, timeout: BUSY_TIMEOUT_MS });
  } catch (error) {
    throw asStoreError(error, path);
  }
}

function asStoreError(error: unknown, path: string): unknown {
  if (!(error instanceof SqliteDatabase.SqliteError)) return error;
  return new StoreError(
    'unusable',
    `${path} cannot be used as a run store: ${error.message}`,
    'choose another path with --store',
    {
      cause: error,
    },
  );
}
