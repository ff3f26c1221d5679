import type { LeaseHolder } from '@towerbench/tracking';

/** A lease that is not renewed for so long is over, in milliseconds. */
const LEASE_MS = 12_000;
/** A gap between two looks counts for no more: whoever watches may have been asleep itself. */
const MAX_GAP_MS = 2_000;

/**
 * Tells whether running attempts are still held. Where the process of a holder is gone on this machine, that is known at once; else
 * a lease is over when it was not renewed while it was watched for `LEASE_MS`. Only the clock of the watcher counts, and of that
 * only what passes between looks, so that no clock that is set and no process that is stopped ends a lease.
 */
export class LeaseWatch {
  readonly #host: string;
  readonly #isRunning: (pid: number) => boolean;
  readonly #now: () => number;
  readonly #watched = new Map<number, { renewals: number; watchedMs: number; lookedAt: number }>();

  /** `isRunning` tells of a process of this machine; `now` gives milliseconds of a clock that is never set. */
  constructor(options: {
    readonly host: string;
    readonly isRunning: (pid: number) => boolean;
    readonly now: () => number;
  }) {
    this.#host = options.host;
    this.#isRunning = options.isRunning;
    this.#now = options.now;
  }

  isHeld({ attemptId, host, pid, renewals }: LeaseHolder): boolean {
    if (host === this.#host && !this.#isRunning(pid)) return false;
    const now = this.#now();
    const seen = this.#watched.get(attemptId);
    if (seen?.renewals !== renewals) {
      this.#watched.set(attemptId, { renewals, watchedMs: 0, lookedAt: now });
      return true;
    }
    seen.watchedMs += Math.min(MAX_GAP_MS, now - seen.lookedAt);
    seen.lookedAt = now;
    return seen.watchedMs < LEASE_MS;
  }
}
