import { isPassing, openStoreWriter, type RunStatus, type StoreWriter, type Target } from '@towerbench/tracking';
import { RequestProblem } from './problem.js';

/** How long an action waits for another writer, in milliseconds; the server answers nobody meanwhile. */
const BUSY_TIMEOUT_MS = 1000;

/** Characters of notes. */
const MAX_NOTES = 20_000;

/** What a person changes from a page. Each opens the store for writing and closes it again; what reads is never open for writing. */
export interface Actions {
  /** @throws {RequestProblem} `conflict` when nobody runs it */
  stop(target: Target): void;
  /**
   * Puts failed and pruned runs back to pending.
   *
   * @returns how many were put back
   * @throws {RequestProblem} `conflict` when none is failed or pruned
   */
  retry(runs: readonly { readonly id: number; readonly status: RunStatus }[]): number;
  /** @throws {RequestProblem} `bad-request` when the text is none, or too long; `not-found` */
  note(target: Target, text: unknown): void;
}

/** The actions on the store at `path`, which must be there. */
export function createActions(path: string): Actions {
  const write = <T>(body: (writer: StoreWriter) => T): T => {
    try {
      const writer = openStoreWriter(path, { busyTimeoutMs: BUSY_TIMEOUT_MS });
      try {
        return body(writer);
      } finally {
        writer.close();
      }
    } catch (error) {
      if (isPassing(error)) throw new RequestProblem('unavailable', `nothing was changed: ${(error as Error).message}`);
      throw error;
    }
  };

  return {
    stop(target) {
      if (!write((writer) => writer.requestStop(target))) {
        throw new RequestProblem('conflict', 'nobody runs this now, so there is nothing to stop');
      }
    },

    retry(runs) {
      const ended = runs.filter(({ status }) => status === 'failed' || status === 'pruned');
      const count = ended.length === 0 ? 0 : write((writer) => ended.filter(({ id }) => writer.retry(id)).length);
      if (count === 0)
        throw new RequestProblem('conflict', 'only a run that has failed or was given up can be retried');
      return count;
    },

    note(target, text) {
      if (typeof text !== 'string' || text.length > MAX_NOTES) {
        throw new RequestProblem('bad-request', `text: expected at most ${MAX_NOTES} characters`);
      }
      if (!write((writer) => writer.note(target, text))) {
        throw new RequestProblem('not-found', 'the store no longer has what the notes are about');
      }
    },
  };
}
