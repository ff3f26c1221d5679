import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';

/** A run store that cannot be used as asked. The command line answers it with exit code 2. */
export class StoreError extends Error {
  /**
   * - `missing`: there is no store at the path yet
   * - `unusable`: the file is newer than this program, of another program, or not readable
   * - `busy`: another process has been writing for too long; nothing was written
   * - `full`, `read-only`: the disk has no room, or must not be written; nothing was written
   * - `ended`: the attempt has already ended in another way, or is not in this store; nothing was written
   * - `artifact`: an artifact is not where its hash says
   */
  readonly code: 'missing' | 'unusable' | 'busy' | 'full' | 'read-only' | 'ended' | 'artifact';

  constructor(code: StoreError['code'], message: string, hint: string, options?: ErrorOptions) {
    super(`${message}\n  hint     ${hint}`, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** What SQLite or the file system says about the file at `path`, as a StoreError; any other error as it is. */
export function asStoreError(error: unknown, path: string, cannot = 'be used as a run store'): unknown {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
  if (
    code === 'ERR_DLOPEN_FAILED' ||
    (error instanceof Error && error.message.startsWith('Could not locate the bindings file'))
  ) {
    return new StoreError(
      'unusable',
      `${path} cannot ${cannot}: better-sqlite3 is not compiled for Node ${process.version}`,
      'npx nx run tools:native compiles it, also after a change of Node',
      { cause: error },
    );
  }
  if (!(error instanceof SqliteDatabase.SqliteError) && !/^E[A-Z]+$/.test(code)) return error;
  const reason = code.startsWith('SQLITE_CANTOPEN') && isReadOnly(dirname(path)) ? 'read-only' : reasonOf(error, code);
  return new StoreError(reason, `${path} cannot ${cannot}: ${(error as Error).message}`, HINTS[reason], {
    cause: error,
  });
}

function isReadOnly(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

/** That there is no room for a store at `path`, found before anything is written. */
export function fullDisk(path: string): StoreError {
  return new StoreError('full', `${path} cannot be used as a run store: no space left on the disk`, HINTS.full);
}

const PASSING: readonly string[] = ['busy', 'full', 'read-only'] satisfies StoreError['code'][];

/** Whether the same call may go well later: the store is busy, or the disk is full or must not be written. */
export function isPassing(error: unknown): boolean {
  return error instanceof StoreError && PASSING.includes(error.code);
}

/** The same of what the file system itself has said. */
export function isPassingOnDisk(error: unknown): boolean {
  return PASSING.includes(reasonOf(error, (error as NodeJS.ErrnoException).code ?? ''));
}

const HINTS = {
  busy: 'another process is writing to it; try again when it is done',
  full: 'the disk is full; free some space',
  'read-only':
    'the file and its folder must be writable, for reading too; copy it to such a folder, or choose another path with --store',
  unusable: 'choose another path with --store',
} as const;

function reasonOf(error: unknown, code: string): keyof typeof HINTS {
  if (isBusy(error)) return 'busy';
  if (code.startsWith('SQLITE_FULL') || code === 'ENOSPC' || code === 'EDQUOT') return 'full';
  if (code.startsWith('SQLITE_READONLY') || code === 'EROFS' || code === 'EACCES') return 'read-only';
  return 'unusable';
}

/** Whether another process holds what SQLite was asked for. */
export function isBusy(error: unknown): boolean {
  return error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY');
}
