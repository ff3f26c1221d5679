import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  importSpool,
  isLocked,
  StoreError,
  takeLock,
  type Lock,
  type StoreReader,
  type StoreWriter,
} from '@towerbench/tracking';
import { LeaseWatch } from './lease-watch.js';

/** What an attempt leaves until it ends: its points, its best checkpoint, the state it can go on from, and what is read beside them. */
type Kind = 'points' | 'checkpoint' | 'state' | 'lists' | 'users';

/** Files of a lost attempt, from which the next one of its run may go on. */
export interface LeftFiles {
  readonly attemptId: number;
  readonly checkpoint: string;
  readonly state: string;
}

interface SpoolFile {
  readonly path: string;
  readonly pid: number;
  readonly attemptId: number;
  readonly kind: Kind;
  /** It was being written when its process ended. */
  readonly isPart: boolean;
}

/**
 * The folder `<store>-spool`, which holds what the coordinators on a store have under way: `<pid>.lock` is held by a coordinator
 * as long as it lives, and `<pid>-<attempt>.<kind>` are the files of an attempt until it ends. Of an attempt that was lost, checkpoint and
 * state stay until the next attempt of its run takes them.
 */
export class Spools {
  readonly #folder: string;
  readonly #writer: StoreWriter;
  readonly #reader: StoreReader;
  readonly #onDamage: (message: string) => void;
  readonly #lock: Lock;
  readonly #leases: LeaseWatch;
  /** Bytes of each attempt's points that are in the store. */
  readonly #imported = new Map<number, number>();

  /**
   * @param onDamage is told of points that cannot be read on, and where they were put
   * @throws {StoreError} `busy` when a process of the same number, on another machine or in another container, is at work here
   */
  constructor(options: {
    readonly storePath: string;
    readonly writer: StoreWriter;
    readonly reader: StoreReader;
    readonly onDamage: (message: string) => void;
  }) {
    this.#folder = `${options.storePath}-spool`;
    this.#writer = options.writer;
    this.#reader = options.reader;
    this.#onDamage = options.onDamage;
    mkdirSync(this.#folder, { recursive: true });
    this.#lock = takeLock(this.#lockOf(process.pid));
    this.#leases = new LeaseWatch({
      host: hostname(),
      isRunning: (pid) => this.#isOthers(pid),
      now: () => performance.now(),
    });
  }

  /** The file of an attempt under way here. */
  pathOf(attemptId: number, kind: Kind): string {
    return join(this.#folder, `${process.pid}-${attemptId}.${kind}`);
  }

  /** What the newest of these lost attempts that has left something has left. */
  leftBy(attemptIds: readonly number[]): LeftFiles | null {
    const wanted = new Set(attemptIds);
    const left = this.#files()
      .filter(({ attemptId, pid, isPart }) => wanted.has(attemptId) && !isPart && !this.#isOthers(pid))
      .filter(({ kind }) => kind === 'checkpoint' || kind === 'state')
      .sort((a, b) => b.attemptId - a.attemptId);
    const [newest] = left;
    if (newest === undefined) return null;
    const { pid, attemptId } = newest;
    const path = (kind: Kind): string => join(this.#folder, `${pid}-${attemptId}.${kind}`);
    return { attemptId, checkpoint: path('checkpoint'), state: path('state') };
  }

  /** Gives the files of a lost attempt to a new one. */
  handOver({ attemptId: from }: LeftFiles, attemptId: number): void {
    for (const { path, attemptId: of, kind } of this.#files())
      if (of === from && (kind === 'checkpoint' || kind === 'state')) renameSync(path, this.pathOf(attemptId, kind));
  }

  /** Puts the points that an attempt under way has written since last time into the store. */
  import(attemptId: number): void {
    const from = this.#imported.get(attemptId) ?? 0;
    this.#imported.set(attemptId, this.#take(this.pathOf(attemptId, 'points'), attemptId, from));
  }

  /** What the attempt has said goes into the store; what else it has left goes, or waits for the next attempt of its run. */
  close(attemptId: number, { isResumable }: { readonly isResumable: boolean }): void {
    this.import(attemptId);
    for (const file of this.#files()) if (file.attemptId === attemptId) this.#settle(file, isResumable);
  }

  /**
   * Takes over what coordinators left that are no more: their attempts are lost, and the points of these go into the store. The attempts
   * of those that live and have not renewed their leases are lost, too; their files stay where they may still be written. `own` are the
   * attempts under way here.
   */
  recover(own: ReadonlySet<number> = new Set()): void {
    this.#writer.recover((holder) => own.has(holder.attemptId) || this.#leases.isHeld(holder));
    for (const file of this.#files()) {
      const { path, pid, attemptId, kind, isPart } = file;
      if (own.has(attemptId) || this.#isOthers(pid)) continue;
      if (kind === 'points' && !isPart) this.#take(path, attemptId, 0);
      const status = this.#reader.runOfAttempt(attemptId)?.status;
      this.#settle(file, status === 'pending' || status === 'running');
    }
  }

  /** Lets others know that this process has nothing under way any more. */
  release(): void {
    this.#lock.release();
  }

  #settle({ path, kind, isPart }: SpoolFile, isResumable: boolean): void {
    const stays = isResumable && !isPart && (kind === 'checkpoint' || kind === 'state');
    if (!stays) rmSync(path, { force: true });
  }

  /** Imports a file; one that cannot be read on is put aside. */
  #take(path: string, attemptId: number, from: number): number {
    try {
      return importSpool(this.#writer, attemptId, { path, from });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code === 'ended') return from; // of a store that was at this place before: its points belong to nothing
      if (error.code !== 'unusable') throw error;
      const aside = `${path}.damaged`;
      renameSync(path, aside);
      this.#onDamage(`${error.message}\n  kept as  ${aside}`);
      return from;
    }
  }

  #files(): SpoolFile[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const [, pid, attemptId, kind, part] =
        /^(\d+)-(\d+)\.(points|checkpoint|state|lists|users)(\.part)?$/.exec(name) ?? [];
      if (kind === undefined) return [];
      const path = join(this.#folder, name);
      return [{ path, pid: Number(pid), attemptId: Number(attemptId), kind: kind as Kind, isPart: part !== undefined }];
    });
  }

  /** Whether a coordinator of that number lives, and is not this one. */
  #isOthers(pid: number): boolean {
    return pid !== process.pid && isLocked(this.#lockOf(pid));
  }

  #lockOf(pid: number): string {
    return join(this.#folder, `${pid}.lock`);
  }
}
