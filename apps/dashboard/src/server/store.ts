import { statSync } from 'node:fs';
import { openStoreReader, StoreError, type StoreReader } from '@towerbench/tracking';
import type { StoreState } from '../contract/payloads.js';

/** A store that may not exist yet, may appear, be written to, be replaced or vanish while the server runs. */
export interface WatchedStore {
  readonly path: string;
  /** Looks at the file now. */
  state(): StoreState;
  /** The open reader, or null when there is nothing to read. Not to be kept: the file may be replaced. */
  reader(): StoreReader | null;
  /** Calls back whenever the state changes; returns the function that stops it. The file is polled only while somebody listens. */
  subscribe(listener: (state: StoreState) => void): () => void;
  close(): void;
}

/**
 * Watches the store at `path`. Polling, because a file that does not exist cannot be watched and SQLite's version is cheap to ask.
 *
 * @param sweepCommand the command line that sweeps into it, but for the file
 * @param intervalMs  how often the file is looked at while somebody listens
 */
export function watchStore(
  path: string,
  { sweepCommand, intervalMs = 500 }: { readonly sweepCommand: string; readonly intervalMs?: number },
): WatchedStore {
  const listeners = new Set<(state: StoreState) => void>();
  let open: { readonly reader: StoreReader; readonly file: string; hasExperiments: boolean } | null = null;
  const place = { path, sweepCommand };
  let last: StoreState = { state: 'missing', version: 0, problem: null, ...place };
  let timer: NodeJS.Timeout | null = null;

  const close = () => {
    open?.reader.close();
    open = null;
  };

  const look = (): Omit<StoreState, keyof typeof place> => {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats?.isFile()) {
      close();
      return { state: 'missing', version: 0, problem: null };
    }
    try {
      // A store that was deleted and filled again has the same path but is another file.
      const file = `${stats.dev}:${stats.ino}`;
      if (open?.file !== file) {
        close();
        open = { reader: openStoreReader(path), file, hasExperiments: false };
      }
      const version = open.reader.version();
      open.hasExperiments ||= open.reader.experiments().length > 0;
      return { state: open.hasExperiments ? 'ready' : 'empty', version, problem: null };
    } catch (error) {
      close();
      // A file that its writer has only just made and not filled with tables.
      if (error instanceof StoreError && error.code === 'missing') return { state: 'empty', version: 0, problem: null };
      return { state: 'unreadable', version: 0, problem: error instanceof Error ? error.message : String(error) };
    }
  };

  const refresh = (): StoreState => {
    const next: StoreState = { ...look(), ...place };
    if (next.state !== last.state || next.version !== last.version || next.problem !== last.problem) {
      last = next;
      for (const listener of listeners) listener(next);
    }
    return last;
  };

  return {
    path,
    state: refresh,
    reader() {
      refresh();
      return open?.reader ?? null;
    },
    subscribe(listener) {
      listeners.add(listener);
      timer ??= setInterval(refresh, intervalMs);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0 || timer === null) return;
        clearInterval(timer);
        timer = null;
      };
    },
    close() {
      if (timer !== null) clearInterval(timer);
      timer = null;
      listeners.clear();
      close();
    },
  };
}
