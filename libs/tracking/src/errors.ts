/** A run store that cannot be used as asked. The command line answers it with exit code 2. */
export class StoreError extends Error {
  /**
   * - `missing`: there is no store at the path yet
   * - `unusable`: the file is newer than this program, of another program, or not readable
   * - `ended`: the attempt has already ended in another way, or is not in this store; nothing was written
   * - `artifact`: an artifact is not where its hash says
   */
  readonly code: 'missing' | 'unusable' | 'ended' | 'artifact';

  constructor(code: StoreError['code'], message: string, hint: string, options?: ErrorOptions) {
    super(`${message}\n  hint     ${hint}`, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
