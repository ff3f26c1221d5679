/**
 * What the run store holds and what can be asked of it. The words are those of the design: an experiment is one file, a trial
 * is what determines a result without the seed, a run is one trial and one seed, an attempt is one try at a run.
 */

import type { RunGroupPage, RunGroupQuery, RunScopeRow } from './run-groups.js';

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** Where a run stands. `pruned` is one that the search gave up. Planning puts a failed run back to pending. */
export type RunStatus = 'pending' | 'running' | 'finished' | 'failed' | 'pruned';
/** How an attempt stands or ended; `lost` is one whose process ended without a result, or did not renew its lease. */
export type AttemptStatus = 'running' | 'finished' | 'failed' | 'lost' | 'pruned';

/** A YAML file as it was planned. Planning the same name again replaces the description and keeps every run. */
export interface ExperimentInput {
  readonly name: string;
  readonly file: string;
  /** The composed, frozen configuration. */
  readonly config: Json;
  readonly dataset: string;
  readonly fingerprint: string;
  readonly protocol: Json;
  readonly metric: { readonly name: string; readonly goal: 'maximize' | 'minimize' };
  readonly report: readonly string[];
  readonly published: Json;
  readonly baseVariant: string;
  readonly seeds: readonly number[];
  /** What the search needs to go on; left out where every trial is known from the start. */
  readonly search?: Json;
  readonly trials: readonly PlannedTrial[];
}

/** One trial of an experiment, under the name of its variant. */
export interface PlannedTrial {
  /** Identity: hash of everything that determines the result. */
  readonly id: string;
  readonly variant: string;
  /** What the grid set, by path. */
  readonly parameters: Readonly<Record<string, Json>>;
  readonly config: Json;
}

/** A trial that a search has suggested: the `number`-th of its variant, from 0 on. */
export interface SuggestedTrial extends PlannedTrial {
  readonly number: number;
}

/** One value of one series. `time` is in milliseconds since the epoch. */
export interface Point {
  readonly series: string;
  readonly step: number;
  readonly value: number;
  readonly time: number;
}

/** A file beside the store, named by the sha256 (hex) of its content. */
export interface ArtifactRef {
  readonly kind: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** What an attempt leaves behind when it finishes; stored in one transaction. */
export interface RunResult {
  readonly metrics: Readonly<Record<string, number>>;
  /** Per-user values by metric name, in the order of the protocol's users. */
  readonly perUser: Readonly<Record<string, Float32Array>>;
  /** Null where it is not known. */
  readonly parameterCount: number | null;
  /** What the index of the items takes; null for a model without vectors. */
  readonly indexBytesPerItem: number | null;
  readonly seconds: number;
  /** Left out where it is not known. */
  readonly cost?: RunCost | null;
  readonly bestStep: number;
  readonly artifacts: readonly ArtifactRef[];
}

/** What a run took of the machine. */
export interface RunCost {
  /** Processor time of its process, user and system, in seconds. */
  readonly cpuSeconds: number;
  /** Most memory that its process held while it ran, in bytes. */
  readonly peakBytes: number;
}

/** Who holds the lease of a running attempt. */
export interface LeaseHolder {
  readonly attemptId: number;
  readonly host: string;
  readonly pid: number;
  /** Grows with every renewal; a lease is over when this has not changed for a while on the clock of whoever watches. */
  readonly renewals: number;
}

/** What the ledger says to the holder of an attempt. */
export interface Lease {
  readonly attemptId: number;
  /** False when the attempt has been ended by another: whatever it says now is refused. */
  readonly isHeld: boolean;
  readonly isStopRequested: boolean;
}

/** Where a new attempt goes on: from the state that an attempt before it has left. */
export interface Resumption {
  readonly attemptId: number;
  /** Its points up to this step are taken over. */
  readonly step: number;
}

/** How far a run is, and what a step of it is; null where it has no batches. */
export interface Progress {
  readonly step: number;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number | null;
  readonly batchSize: number | null;
}

/** What a person acts on. */
export type Target = { readonly experiment: string } | { readonly runId: number };

/** An attempt that has just been started: what to run, and under which id its points go. The id is the fencing token: it is never given again. */
export interface Claim {
  readonly runId: number;
  readonly attemptId: number;
  readonly number: number;
  readonly trialId: string;
  readonly seed: number;
  readonly config: Json;
}

/**
 * The writing side: one per store at a time; every call is one transaction and is durable when it returns. A call that cannot write
 * throws a StoreError: `busy` where another process has been writing for too long, `full` or `read-only` where the disk says so; nothing was
 * written then, and the call can be made again. What an attempt says after it was ended by another is refused with `ended`.
 */
export interface StoreWriter {
  /** Adds or updates the experiment, its trials and their runs; returns the runs with their status. A request to stop it is taken back. */
  plan(input: ExperimentInput): readonly RunRow[];
  /**
   * Adds trials that a search has suggested to the end of the plan, unless the variant has one of that number already, from another sweep
   * that has come as far; returns their runs.
   */
  extend(experiment: string, trials: readonly SuggestedTrial[]): readonly RunRow[];
  /** Marks attempts whose holder is no more as lost and their runs as pending; returns these. `isHeld` is asked per running attempt. */
  recover(isHeld: (holder: LeaseHolder) => boolean): readonly LeaseHolder[];
  /** Starts the next attempt of a pending run; null when it is no longer pending. */
  claim(
    runId: number,
    worker: {
      readonly host: string;
      readonly pid: number;
      readonly environment: Json;
      readonly resume?: Resumption;
    },
  ): Claim | null;
  /** Renews the leases of attempts, and says what became of them. */
  renew(attemptIds: readonly number[]): readonly Lease[];
  points(attemptId: number, points: readonly Point[]): void;
  log(attemptId: number, text: string): void;
  progress(attemptId: number, progress: Progress): void;
  finish(attemptId: number, result: RunResult): void;
  /** Ends an attempt without a result. `retry` puts the run back to pending, otherwise it is failed. */
  fail(attemptId: number, failure: { error: string; status: 'failed' | 'lost'; retry: boolean }): void;
  /** Ends an attempt that the search gives up. */
  prune(attemptId: number, reason: string): void;
  /** Gives up runs that are still pending; returns how many were. */
  skip(runIds: readonly number[], reason: string): number;
  oracle(experiment: string, metrics: Readonly<Record<string, number>>): void;
  /** Asks whoever runs it to stop; false when nobody does. */
  requestStop(target: Target): boolean;
  /** Puts a failed or pruned run back to pending; false when it is neither. */
  retry(runId: number): boolean;
  /** Removes runs with all that they have said, and what only they referred to; those under way stay. Returns how many it were. */
  drop(runIds: readonly number[]): number;
  /** Replaces the notes, in Markdown; false when there is no such thing. */
  note(target: Target, text: string): boolean;
  /** What `body` writes is one transaction: all of it is on disk when this returns, and nothing of it when this throws. */
  together(body: () => void): void;
  close(): void;
}

/** An experiment as it was last planned. Times are in milliseconds since the epoch; `counts` are its runs by status. */
export interface ExperimentRow {
  readonly id: number;
  readonly name: string;
  readonly file: string;
  readonly config: Json;
  readonly dataset: string;
  readonly fingerprint: string;
  readonly protocol: Json;
  readonly metric: { readonly name: string; readonly goal: 'maximize' | 'minimize' };
  readonly report: readonly string[];
  readonly published: Json;
  readonly baseVariant: string;
  readonly seeds: readonly number[];
  readonly search: Json;
  readonly oracle: Readonly<Record<string, number>> | null;
  /** In Markdown. */
  readonly notes: string;
  readonly isStopRequested: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly counts: Readonly<Record<RunStatus, number>>;
}

/** A trial as one experiment names it; `ordinal` is its place in the plan. */
export interface TrialRow {
  readonly id: string;
  readonly experiment: string;
  readonly variant: string;
  readonly ordinal: number;
  readonly parameters: Readonly<Record<string, Json>>;
  readonly config: Json;
}

/** A run. Times are in milliseconds since the epoch, `seconds` is what the training took; null is what is not known yet. */
export interface RunRow {
  readonly id: number;
  readonly trialId: string;
  /** Variant in the experiment asked about. */
  readonly variant: string;
  readonly seed: number;
  readonly status: RunStatus;
  readonly attempts: number;
  readonly step: number;
  readonly totalSteps: number;
  /** Null for a run without batches, before its first step, and where the store was written before it was recorded. */
  readonly stepsPerEpoch: number | null;
  readonly batchSize: number | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly seconds: number | null;
  /** Null for a run that has not finished, one that went on from an attempt before it, and where it was not recorded. */
  readonly cost: RunCost | null;
  readonly parameterCount: number | null;
  /** Null for a model without vectors, for a run that has not finished, and where the store was written before it was recorded. */
  readonly indexBytesPerItem: number | null;
  readonly bestStep: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly error: string | null;
  /** In Markdown. */
  readonly notes: string;
}

/** One try at a run, with the environment and the log of its process. Times are in milliseconds since the epoch. */
export interface AttemptRow {
  readonly id: number;
  readonly number: number;
  readonly status: AttemptStatus;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Step of an attempt before it that it went on from; 0 when it began anew. */
  readonly resumedAtStep: number;
  readonly error: string | null;
  readonly environment: Json;
  readonly log: string;
}

/** An attempt that its holder works on. Times are in milliseconds since the epoch; `aliveAt` is when its lease was renewed last. */
export interface RunningAttempt {
  readonly id: number;
  readonly runId: number;
  readonly startedAt: number;
  readonly aliveAt: number;
  /** As of `AttemptRow`. */
  readonly resumedAtStep: number;
}

/** One value of a series that is already named. `time` is in milliseconds since the epoch. */
export interface CurvePoint {
  readonly step: number;
  readonly value: number;
  readonly time: number;
}

/** Which part of a curve is asked for, and how much of it. */
export interface CurveWindow {
  /** What `from`, `to` and the buckets are about: steps, or milliseconds since the attempt began whose points the newest one goes on from. */
  readonly x: 'step' | 'time';
  /** Both included; null is the end of the curve. */
  readonly from: number | null;
  readonly to: number | null;
  /** Buckets of equal width on a logarithmic axis; points at x ≤ 0 are outside of it. */
  readonly isLog: boolean;
  /** Leaves values ≤ 0 out, which a logarithmic axis has no place for. */
  readonly onlyPositive: boolean;
  /** A longer curve than twice as many points is given by the smallest and the greatest point of each bucket. */
  readonly numBuckets: number;
}

/** Points of a curve within a window. */
export interface CurveSample {
  /** In order of step; each is a point of the curve, none is made up. */
  readonly points: readonly CurvePoint[];
  /** How many finite ones they stand for. */
  readonly numPoints: number;
  /** Points of the window that are NaN or infinite, and finite ones that are ≤ 0. */
  readonly notFinite: number;
  readonly notPositive: number;
}

/** Several runs at one step: those `n` that have a finite value there. */
export interface MeanPoint {
  readonly step: number;
  /** Mean time since each began, in milliseconds. */
  readonly time: number;
  readonly mean: number;
  /** Of the sample, with n − 1; null of one. */
  readonly std: number | null;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

/** The reading side; opens the file read-only and never blocks the writer. */
export interface StoreReader {
  experiments(): readonly ExperimentRow[];
  experiment(name: string): ExperimentRow | null;
  trials(experiment: string): readonly TrialRow[];
  /** The runs of an experiment: its trials × its seeds; with the metrics that are named, or all of them. */
  runs(experiment: string, metrics?: readonly string[]): readonly RunRow[];
  run(id: number):
    | (RunRow & {
        readonly config: Json;
        readonly experiments: readonly string[];
        readonly artifacts: readonly ArtifactRef[];
      })
    | null;
  attempts(runId: number): readonly AttemptRow[];
  /** The attempts of a run, oldest first. */
  attemptIds(runId: number): readonly number[];
  /** Attempts under way at runs of an experiment, the oldest first. */
  runningAttempts(experiment: string): readonly RunningAttempt[];
  /** The end of the log of a run's newest attempt, of about `length` characters. */
  logTail(runId: number, length: number): string;
  /** The run of an attempt; null when the store has no such attempt. */
  runOfAttempt(attemptId: number): { readonly runId: number; readonly status: RunStatus } | null;
  /** The runs of an experiment and where they stand; cheaper than `runs`. */
  statuses(experiment: string): readonly { readonly id: number; readonly status: RunStatus }[];
  /** Whether somebody wants the sweep of an experiment to stop. */
  isStopRequested(experiment: string): boolean;
  /** Names of the series of a run. */
  seriesNames(runId: number): readonly string[];
  /** The points of one series of the run's newest attempt, in order of step. */
  curve(runId: number, series: string): readonly CurvePoint[];
  /** A part of such a curve in as few points as a chart has use for. */
  sampleCurve(runId: number, series: string, window: CurveWindow): CurveSample;
  /** When the attempt began whose points the newest one goes on from, in milliseconds since the epoch; null before the first. */
  curveOrigin(runId: number): number | null;
  /** The curves of several runs' newest attempts at every step that any of them has, in order of step. */
  meanCurve(runIds: readonly number[], series: string): readonly MeanPoint[];
  /** The last of these, without making the others. */
  lastMean(runIds: readonly number[], series: string): MeanPoint | null;
  /** Points of these curves that are NaN or infinite. */
  countNotFinite(runIds: readonly number[], series: string): number;
  /** All points of one attempt, lost ones too, in order of series and step. */
  points(attemptId: number): readonly Point[];
  perUser(runId: number, metric: string): Float32Array | null;
  /** Machines whose processes have runs under way. */
  runningHosts(): readonly string[];
  /** Hashes of the artifacts that runs refer to. */
  artifactHashes(): readonly string[];
  /** Runs that are under no experiment any more: their trial or their seed has left the file. */
  unplannedRuns(): readonly { readonly id: number; readonly status: RunStatus; readonly seed: number }[];
  /** What SQLite finds when it looks at every page of the file: `ok`, or what is wrong. */
  integrity(): string;
  /** Data and protocols that the store has experiments on, the one planned last first. */
  runScopes(): readonly RunScopeRow[];
  /** Names of all metrics that a run has, by the alphabet. */
  metricNames(): readonly string[];
  /** One page of groups of runs; every mean is over all runs of its group, never of a page. */
  runGroups(query: RunGroupQuery): RunGroupPage;
  /** Points of all attempts, lost ones among them. */
  countPoints(): number;
  /** Grows with every committed write; cheap to ask. */
  version(): number;
  close(): void;
}
