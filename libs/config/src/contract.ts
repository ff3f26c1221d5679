import type { z } from 'zod';
import type { Catalog, Definition } from './catalog.js';

/** A plain JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** One section of a trial: every key filled in, camelCase. */
export type Section = { readonly [key: string]: Json };

export type EngineChoice = 'auto' | 'simd' | 'tensorflow' | 'cpu';

/** Everything that determines a result except the seed, the data's content and the build: every default written out. */
export interface TrialConfig {
  readonly dataset: Section & { readonly name: string };
  readonly model: Section & { readonly type: string };
  readonly objective: Section & { readonly type: string };
  readonly sampler: Section & { readonly type: string };
  readonly optimizer: Section & { readonly type: string };
  readonly training: Section;
  readonly engine: EngineChoice;
  /** The trial that teaches this one; left out where a run of no other trial is needed. */
  readonly teacher?: TrialConfig;
}

/** What a file may say; handed in by the caller, because config knows no model. */
export interface ExperimentVocabulary {
  /** Sections whose first key chooses an entry of a catalogue: `dataset.name`, `model.type` ... */
  readonly catalogs: {
    readonly dataset: Catalog;
    readonly model: Catalog;
    readonly objective: Catalog;
    readonly sampler: Catalog;
    readonly optimizer: Catalog;
  };
  readonly training: z.ZodObject;
  /** How parameters may be searched; left out, every combination of listed values is tried. */
  readonly methods?: Catalog<MethodDefinition>;
  /** What may stop a trial before all of its seeds have run; left out, nothing. */
  readonly pruners?: Catalog;
  readonly engines: readonly EngineChoice[];
  /** Every metric that can be asked for, e.g. `valid/ndcg@10`. */
  readonly metrics: readonly string[];
  /** Those of which less is better. */
  readonly smallerIsBetter: readonly string[];
  /** The metrics that are measured on a dataset. */
  metricsOf(dataset: TrialConfig['dataset']): readonly string[];
  /** What in a trial does not go together. Paths are those of the file, e.g. `sampler.type`; places are found by them. */
  conflicts(config: TrialConfig): readonly ConfigIssue[];
}

/** What a method of search says about itself. */
export interface MethodDefinition extends Definition {
  /** Whether it takes ranges, out of which it draws as many trials as `run_cap` allows; else it tries every combination of values. */
  readonly takesRanges: boolean;
  /** Whether what it suggests depends on the results of earlier trials. */
  readonly usesResults: boolean;
  /** The most parameters that it can search; left out, any number. */
  readonly maxParameters?: number;
}

/** The values that a parameter may have: one of a list, or a number of a range; with a `step`, a multiple of it. */
export type Domain =
  | { readonly kind: 'choice'; readonly values: readonly Json[] }
  | {
      readonly kind: 'range';
      /** What a draw is uniform in: the value, or its logarithm. */
      readonly scale: 'linear' | 'log';
      readonly min: number;
      readonly max: number;
      readonly step: number | null;
    };

/** One parameter that is searched. */
export interface SearchParameter {
  /** Path in snake_case, e.g. `optimizer.learning_rate`. */
  readonly name: string;
  readonly domain: Domain;
  /** It is set only where each of these, which stand before it in the space, is set to one of the values. */
  readonly when: readonly { readonly parameter: string; readonly values: readonly Json[] }[];
}

/** Values of the parameters that are set, by name. */
export type Point = Readonly<Record<string, Json>>;

/** The search of one variant over the parameters that it has. */
export interface VariantSearch {
  readonly variant: string;
  /** In an order in which conditions look back only; empty where the variant has no parameter. */
  readonly space: readonly SearchParameter[];
  /** The most trials. */
  readonly numTrials: number;
  /** Points that are tried first. */
  readonly warmPoints: readonly Point[];
  /** @throws {ConfigError} when values that are allowed one by one do not go together */
  trialAt(point: Point): VariantTrial;
}

/** How the parameters of an experiment are searched. */
export interface SearchSettings {
  readonly method: string;
  readonly seed: number;
  /** Suggestion k looks at the results of trials 0 to k − 1 − lag, whatever else is done by then. */
  readonly lag: number;
  /** The search of a variant ends when the mean over seeds of a trial reaches it; null where there is none. */
  readonly target: number | null;
  /** What a failed trial counts as: the worst result so far, a number, or nothing. */
  readonly impute: 'worst' | 'ignore' | number;
  /** No run starts later than this after the sweep; null where there is no limit. */
  readonly timeCapSeconds: number | null;
  /** The pruner's `type` with its parameters; null where every trial gets all of its seeds. */
  readonly earlyTerminate: (Section & { readonly type: string }) | null;
  /** Earlier experiments whose results the search begins with. */
  readonly warmSweeps: readonly string[];
  /** An error at `warm_start.sweeps[index]`. */
  warmSweepError(index: number, issue: Omit<ConfigIssue, 'at' | 'source' | 'path'>): Error;
  /** An error at `early_terminate`. */
  earlyTerminateError(issue: Omit<ConfigIssue, 'at' | 'source' | 'path'>): Error;
}

/** A cell of the paper's table. */
export interface PublishedCell {
  readonly variant: string;
  readonly metric: string;
  readonly value: number;
  readonly source: string;
  readonly protocol: { readonly dataset: string; readonly split: string; readonly candidates: string };
}

/** One variant at one point of its space. */
export interface VariantTrial {
  readonly variant: string;
  /** What the search set. */
  readonly parameters: Point;
  readonly config: TrialConfig;
  /** The trial that it learns from, whose config stands in its own; null where it names no teacher. */
  readonly teacher: VariantTrial | null;
  /** An error whose issues have their places in the file: what is found wrong only when data and engine are there. Others stay as they are. */
  placed<E>(error: E): E;
}

/** A checked, composed, frozen experiment file. */
export interface Experiment {
  readonly name: string;
  readonly description: string;
  /** Absolute path. */
  readonly file: string;
  /** `base`, or the first variant. */
  readonly baseVariant: string;
  readonly variants: readonly string[];
  readonly seeds: readonly number[];
  readonly metric: { readonly name: string; readonly goal: 'maximize' | 'minimize' };
  readonly report: readonly string[];
  readonly published: readonly PublishedCell[];
  /** A worker that gives no sign of life for so long is ended. */
  readonly stallMinutes: number;
  readonly search: SearchSettings;
  /** One per variant, in the order of the file. */
  readonly searches: readonly VariantSearch[];
  /**
   * What is known from the file alone, in its order: variants × grid; where the method draws, the variants that have nothing to search.
   */
  readonly trials: readonly VariantTrial[];
}

export interface Position {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** One thing wrong with the input. The text a person sees is made of these fields at the edge. */
export interface ConfigIssue {
  readonly code: string;
  /** e.g. `model.hidden_units[1]`. */
  readonly path: string;
  readonly message: string;
  readonly received?: string;
  readonly allowed?: string;
  readonly at?: Position;
  /** The command-line override it comes from, e.g. `--set model.dim=32`; then there is no position. */
  readonly source?: string;
  readonly hint?: string;
}
