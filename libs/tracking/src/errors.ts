import SqliteDatabase from 'better-sqlite3';

/** A run store that cannot be used as asked. The command line answers it with exit code 2. */
export class StoreError extends Error {
  /**
   * - `missing`: there is no store at the path yet
   * - `unusable`: the file is newer than this program, of another program, or not readable
   * - `busy`: another process has been writing for too long; nothing was written
   * - `ended`: the attempt has already ended in another way, or is not in this store; nothing was written
   * - `artifact`: an artifact is not where its hash says
   */
  readonly code: 'missing' | 'unusable' | 'busy' | 'ended' | 'artifact';

  constructor(code: StoreError['code'], message: string, hint: string, options?: ErrorOptions) {
    super(`${message}\n  hint     ${hint}`, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** What SQLite or the file system says about the file at `path`, as a StoreError; any other error as it is. */
export function asStoreError(error: unknown, path: string, cannot = 'be used as a run store'): unknown {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? '') : '';
  if (!(error instanceof SqliteDatabase.SqliteError) && !/^E[A-Z]+$/.test(code)) return error;
  const busy = isBusy(error);
  const hint = busy
    ? 'another process is writing to it; try again when it is done'
    : code.startsWith('SQLITE_READONLY')
      ? 'the file and its folder must be writable, for reading too; copy it to such a folder, or choose another path with --store'
      : code.startsWith('SQLITE_FULL') || code === 'ENOSPC'
        ? 'the disk is full; free some space'
        : 'choose another path with --store';
  return new StoreError(busy ? 'busy' : 'unusable', `${path} cannot ${cannot}: ${(error as Error).message}`, hint, {
    cause: error,
  });
}

/** Whether another process holds what SQLite was asked for. */
export function isBusy(error: unknown): boolean {
  return error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY');
}
