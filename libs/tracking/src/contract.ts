/**
 * What the run store holds and what can be asked of it. The words are those of the design: an experiment is one file, a trial
 * is what determines a result without the seed, a run is one trial and one seed, an attempt is one try at a run.
 */

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** Where a run stands. Planning puts a failed run back to pending. */
export type RunStatus = 'pending' | 'running' | 'finished' | 'failed';
/** How an attempt stands or ended; `lost` is one whose process ended without a result. */
export type AttemptStatus = 'running' | 'finished' | 'failed' | 'lost';

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
  readonly parameterCount: number;
  /** What the index of the items takes; null for a model without vectors. */
  readonly indexBytesPerItem: number | null;
  readonly seconds: number;
  readonly bestStep: number;
  readonly artifacts: readonly ArtifactRef[];
}

/** An attempt that has just been started: what to run, and under which id its points go. */
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
 * throws a StoreError, `busy` where another process has been writing for too long.
 */
export interface StoreWriter {
  /** Adds or updates the experiment, its trials and their runs; returns the runs with their status. */
  plan(input: ExperimentInput): readonly RunRow[];
  /** Marks attempts without a living process as lost and their runs as pending; returns how many. `isAlive` is asked per pid. */
  recover(isAlive: (pid: number) => boolean): number;
  /** Starts the next attempt of a pending run; null when it is no longer pending. */
  claim(runId: number, worker: { pid: number; environment: Json }): Claim | null;
  points(attemptId: number, points: readonly Point[]): void;
  log(attemptId: number, text: string): void;
  progress(attemptId: number, progress: { step: number; totalSteps: number }): void;
  finish(attemptId: number, result: RunResult): void;
  /** Ends an attempt without a result. `retry` puts the run back to pending, otherwise it is failed. */
  fail(attemptId: number, failure: { error: string; status: 'failed' | 'lost'; retry: boolean }): void;
  oracle(experiment: string, metrics: Readonly<Record<string, number>>): void;
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
  readonly oracle: Readonly<Record<string, number>> | null;
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
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly seconds: number | null;
  readonly parameterCount: number | null;
  /** Null for a model without vectors, for a run that has not finished, and where the store was written before it was recorded. */
  readonly indexBytesPerItem: number | null;
  readonly bestStep: number | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly error: string | null;
}

/** One try at a run, with the environment and the log of its process. Times are in milliseconds since the epoch. */
export interface AttemptRow {
  readonly id: number;
  readonly number: number;
  readonly status: AttemptStatus;
  readonly pid: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly error: string | null;
  readonly environment: Json;
  readonly log: string;
}

/** One value of a series that is already named. `time` is in milliseconds since the epoch. */
export interface CurvePoint {
  readonly step: number;
  readonly value: number;
  readonly time: number;
}

/** The reading side; opens the file read-only and never blocks the writer. */
export interface StoreReader {
  experiments(): readonly ExperimentRow[];
  experiment(name: string): ExperimentRow | null;
  trials(experiment: string): readonly TrialRow[];
  /** The runs of an experiment: its trials × its seeds. */
  runs(experiment: string): readonly RunRow[];
  run(id: number):
    | (RunRow & {
        readonly config: Json;
        readonly experiments: readonly string[];
        readonly artifacts: readonly ArtifactRef[];
      })
    | null;
  attempts(runId: number): readonly AttemptRow[];
  /** Names of the series of a run. */
  seriesNames(runId: number): readonly string[];
  /** The points of one series of the run's newest attempt, in order of step. */
  curve(runId: number, series: string): readonly CurvePoint[];
  /** All points of one attempt, lost ones too, in order of series and step. */
  points(attemptId: number): readonly Point[];
  perUser(runId: number, metric: string): Float32Array | null;
  /** Points of all attempts, lost ones among them. */
  countPoints(): number;
  /** Grows with every committed write; cheap to ask. */
  version(): number;
  close(): void;
}
