import type { TrialConfig } from '@towerbench/config';
import type { prepareData, Protocol } from '@towerbench/data';
import type { Cost } from './cost.js';
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

/** What makes the data of a run. */
export type PrepareData = typeof prepareData;

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
  /** Per-user values of the test metrics and of the objective, by metric name. */
  readonly perUser: Readonly<Record<string, Float32Array>>;
  readonly parameterCount: number;
  /** What an index of the candidate vectors takes, 4 · dim; null for a model without vectors. */
  readonly indexBytesPerItem: number | null;
  readonly bestStep: number;
  /** Wall time of training and evaluation, seconds. */
  readonly seconds: number;
  /** Of this process from the beginning to the end of the run; null where it went on from another one. */
  readonly cost: Cost | null;
  /** The file that was asked for: safetensors, with the manifest as its metadata. */
  readonly checkpoint: WrittenFile;
  /** What else was asked for and could be had, by kind. */
  readonly files: readonly (WrittenFile & { readonly kind: 'lists' | 'users'; readonly path: string })[];
}

/** Files that a run leaves beside its checkpoint where it is asked to. */
export interface RunFiles {
  /** Takes everything that the next step depends on, again and again, so that another attempt can go on from there. */
  readonly state: string;
  /** Time between two states, in milliseconds; more where writing one takes more than a twentieth of that; 0 saves after every step. */
  readonly saveEveryMs: number;
  /** Takes the best items of users and the ranks of what they had to find, see `ListsFile`; only of a ranking part. */
  readonly lists: string;
  /** Takes what these lists are read with, see `UsersFile`; the same content for all runs that are measured alike. */
  readonly users: string;
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
  /** What the data was when the run was planned, which it must still be; left out, any is right. */
  readonly fingerprint?: string;
  /** Path of the file that takes the best checkpoint; written anew whenever there is a better one. */
  readonly checkpoint: string;
  /** Validation metric whose values per user are kept beside those of the test part; left out, none is. */
  readonly objective?: string;
  readonly files?: RunFiles;
  /** Goes on from what an attempt before it has left in `checkpoint` and `files.state`; see `resumePoint`. */
  readonly resume?: { readonly secondsBefore: number };
  /** The run that is imitated, of the trial under `config.teacher` with the same seed; left out where there is none. */
  readonly teacher?: TeacherRun;
  readonly hooks: RunHooks;
  readonly signal?: AbortSignal;
  /** Left out, the data is prepared anew. */
  readonly prepare?: PrepareData;
}
