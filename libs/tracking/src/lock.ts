import { existsSync, rmSync } from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { asStoreError, isBusy } from './errors.js';

/** A file that this process holds. */
export interface Lock {
  release(): void;
}

/**
 * Takes hold of the file at `path`, which is made when it is not there. Whether a process still runs can be read from a file that it
 * holds: the operating system lets go of it when the process ends, however it ends, which no number of a process can tell, as
 * numbers are given again.
 *
 * @throws {StoreError} `busy` when another process holds it; `unusable` when the file cannot be made
 */
export function takeLock(path: string, { timeoutMs = 2000 }: { readonly timeoutMs?: number } = {}): Lock {
  const db = open(path, timeoutMs);
  try {
    hold(db);
  } catch (error) {
    db.close();
    throw asStoreError(error, path, 'be locked');
  }
  return {
    release: () => {
      db.close();
      rmSync(path, { force: true });
    },
  };
}

/** Whether a process holds the file at `path`. */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  const db = open(path, 0);
  try {
    hold(db);
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw asStoreError(error, path, 'be locked');
  } finally {
    db.close();
  }
}

function open(path: string, timeout: number): Database {
  try {
    return new SqliteDatabase(path, { timeout });
  } catch (error) {
    throw asStoreError(error, path, 'be locked');
  }
}

/** Nothing is ever written: the file stays empty, and no journal lies beside it, which would stay there when the process is killed. */
function hold(db: Database): void {
  db.pragma('journal_mode = MEMORY');
  db.exec('BEGIN EXCLUSIVE');
}
