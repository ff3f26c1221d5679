import type { TrialConfig } from '@towerbench/config';
import type { Protocol } from '@towerbench/data';
import type { WrittenFile } from './safetensors.js';

/** Where a run finds and leaves its files. */
export interface Places {
  /** Folder that holds the published data sets (`ml-1m`, `ml-100k`, `ncf-ml-1m` ...). */
  readonly dataDir: string;
  /** Prepared data by fingerprint; may be deleted at any time. */
  readonly cacheDir: string;
}

/** How far a run is, and what a step of it is; null where it has no batches. */
export interface RunProgress {
  readonly step: number;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number | null;
  readonly batchSize: number | null;
}

/** What a run reports while it runs. Calls return at once; nothing here may throw into training. */
export interface RunHooks {
  points(points: readonly { readonly series: string; readonly step: number; readonly value: number }[]): void;
  progress(progress: RunProgress): void;
  log(text: string): void;
}

/** What a run leaves behind. */
export interface ExecutedRun {
  /** `valid/ndcg@10`, `test/recall@20` ... of the best checkpoint. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Per-user values of the test metrics, by metric name. */
  readonly perUser: Readonly<Record<string, Float32Array>>;
  readonly parameterCount: number;
  /** What an index of the candidate vectors takes, 4 · dim; null for a model without vectors. */
  readonly indexBytesPerItem: number | null;
  readonly bestStep: number;
  /** Wall time of training and evaluation, seconds. */
  readonly seconds: number;
  /** The file that was asked for: safetensors, with the manifest as its metadata. */
  readonly checkpoint: WrittenFile;
}

/** What the identity of a trial needs besides its config. */
export interface TrialContext {
  readonly fingerprint: string;
  readonly protocol: Protocol;
  /** The engine that `auto` was resolved to, and its kernel build. */
  readonly engine: string;
  readonly build: string;
  /** `model/dssm` -> 1 ... of every definition the trial uses. */
  readonly revisions: Readonly<Record<string, number>>;
}

/** A finished run that teaches another. */
export interface TeacherRun {
  /** Path of its checkpoint. */
  readonly checkpoint: string;
  /** Hash of what is in it, in hex. */
  readonly sha256: string;
}

export interface RunRequest {
  readonly config: TrialConfig;
  readonly seed: number;
  readonly places: Places;
  /** Path of the file that takes the best checkpoint; written anew whenever there is a better one. */
  readonly checkpoint: string;
  /** The run that is imitated, of the trial under `config.teacher` with the same seed; left out where there is none. */
  readonly teacher?: TeacherRun;
  readonly hooks: RunHooks;
  readonly signal?: AbortSignal;
}
