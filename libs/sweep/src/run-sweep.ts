import type { RunRow, StoreReader, StoreWriter } from '@towerbench/tracking';
import type { ExecutedRun, Places } from '@towerbench/training';
import { Coordinator } from './coordinator.js';
import type { SweepPlan } from './plan.js';
import { Spools } from './spools.js';

/** What happens during a sweep, for whoever shows it. */
export type SweepEvent =
  | { readonly type: 'started'; readonly run: RunRow; readonly resumedAtStep: number }
  | {
      readonly type: 'finished';
      readonly run: RunRow;
      readonly metrics: ExecutedRun['metrics'];
      readonly seconds: number;
    }
  | { readonly type: 'failed'; readonly run: RunRow; readonly error: string; readonly retried: boolean }
  /** Another sweep has taken the run over, because this one did not renew its lease. */
  | { readonly type: 'taken-over'; readonly run: RunRow }
  /** The store cannot be written for now; what runs say is kept until it can. */
  | { readonly type: 'paused'; readonly reason: string }
  | { readonly type: 'resumed' }
  | { readonly type: 'damaged'; readonly message: string }
  | { readonly type: 'stop-requested' }
  | { readonly type: 'oracle-failed'; readonly error: string }
  | { readonly type: 'moved'; readonly state: SweepState }
  | { readonly type: 'waiting'; readonly runs: number };

/** How far the sweep is, several times a second. */
export interface SweepState {
  readonly total: number;
  readonly done: number;
  readonly running: readonly { readonly run: RunRow; readonly share: number }[];
  readonly secondsLeft: number | null;
}

export interface SweepOutcome {
  /** Runs that were done before. */
  readonly skipped: number;
  readonly finished: number;
  readonly failed: number;
  /** Runs that the search has given up. */
  readonly pruned: number;
  /** Whether it was told to stop before all was done. */
  readonly interrupted: boolean;
  /** Whether `time_cap` was over before all was done. */
  readonly isTimeUp: boolean;
}

export interface SweepRequest {
  readonly plan: SweepPlan;
  readonly storePath: string;
  readonly writer: StoreWriter;
  readonly reader: StoreReader;
  readonly places: Places;
  /** Working copy whose commit is recorded. */
  readonly root: string;
  /** Worker processes. */
  readonly jobs: number;
  /** Time between two states that a run saves to go on from, in milliseconds. */
  readonly saveEveryMs: number;
  readonly onEvent: (event: SweepEvent) => void;
  /** Stops the workers; what they were at is put back and done again next time. */
  readonly signal: AbortSignal;
}

/**
 * Runs what is missing of a plan, in a pool of worker processes, and records it. Any process may be killed at any moment: what
 * was recorded stays, finished runs are not done again, and the next sweep does the rest, from where it was saved last.
 *
 * Another sweep on the same store takes its own runs; this one waits for those they share.
 */
export async function runSweep(request: SweepRequest): Promise<SweepOutcome> {
  const { plan, storePath, writer, reader, onEvent } = request;
  const onDamage = (message: string): void => onEvent({ type: 'damaged', message });
  const spools = new Spools({ storePath, writer, reader, onDamage });
  try {
    spools.recover();
    const runs = writer.plan(plan.input);
    const skipped = runs.filter(({ status }) => status === 'finished').length;
    const coordinator = new Coordinator(request, spools, runs);
    const interrupted = await coordinator.run();
    return {
      skipped,
      ...coordinator.counts,
      pruned: coordinator.numPruned,
      interrupted,
      isTimeUp: coordinator.isTimeUp,
    };
  } finally {
    spools.release();
  }
}
