import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { importSpool, isLocked, StoreError, takeLock, type Lock, type StoreWriter } from '@towerbench/tracking';

/**
 * The folder `<store>-spool`, which holds what the coordinators on a store have under way: `<pid>.lock` is held by a coordinator
 * as long as it lives, `<pid>-<attempt>.jsonl` takes the points of an attempt until they are in the store, and
 * `<pid>-<attempt>.checkpoint` its best checkpoint until the attempt ends.
 */
export class Spools {
  readonly #folder: string;
  readonly #writer: StoreWriter;
  readonly #lock: Lock;
  /** Bytes of each attempt's file that are in the store. */
  readonly #imported = new Map<number, number>();

  /** @throws {StoreError} `busy` when a process of the same number, on another machine or in another container, is at work here */
  constructor(storePath: string, writer: StoreWriter) {
    this.#folder = `${storePath}-spool`;
    this.#writer = writer;
    mkdirSync(this.#folder, { recursive: true });
    this.#lock = takeLock(this.#lockOf(process.pid));
  }

  pathOf(attemptId: number): string {
    return join(this.#folder, `${process.pid}-${attemptId}.jsonl`);
  }

  checkpointOf(attemptId: number): string {
    return join(this.#folder, `${process.pid}-${attemptId}.checkpoint`);
  }

  import(attemptId: number): void {
    const from = this.#imported.get(attemptId) ?? 0;
    this.#imported.set(attemptId, importSpool(this.#writer, attemptId, { path: this.pathOf(attemptId), from }));
  }

  /** What the attempt has said goes into the store; what else it has left goes. */
  close(attemptId: number): void {
    this.import(attemptId);
    rmSync(this.pathOf(attemptId), { force: true });
    rmSync(this.checkpointOf(attemptId), { force: true });
  }

  /**
   * Takes over what coordinators left that are no more: their attempts are lost, the points of these go into the store, and their
   * checkpoints away. To be called when no attempt of this process is under way.
   */
  recover(): void {
    const isAlive = (pid: number): boolean => pid !== process.pid && isLocked(this.#lockOf(pid));
    this.#writer.recover(({ pid }) => isAlive(pid));
    for (const name of readdirSync(this.#folder)) {
      const [, pid, attemptId, kind] = /^(\d+)-(\d+)\.(jsonl|checkpoint)$/.exec(name) ?? [];
      if (pid === undefined || isAlive(Number(pid))) continue;
      const path = join(this.#folder, name);
      if (kind === 'jsonl') this.#take(path, Number(attemptId));
      else rmSync(path, { force: true });
    }
  }

  /** Lets others know that this process has nothing under way any more. */
  release(): void {
    this.#lock.release();
  }

  #take(path: string, attemptId: number): void {
    try {
      importSpool(this.#writer, attemptId, { path });
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'ended') throw error;
      // of a store that was at this place before: there is nothing left that its points could belong to
    }
    rmSync(path, { force: true });
  }

  #lockOf(pid: number): string {
    return join(this.#folder, `${pid}.lock`);
  }
}
