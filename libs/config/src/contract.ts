import type { z } from 'zod';
import type { Catalog } from './catalog.js';

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

/** A cell of the paper's table. */
export interface PublishedCell {
  readonly variant: string;
  readonly metric: string;
  readonly value: number;
  readonly source: string;
  readonly protocol: { readonly dataset: string; readonly split: string; readonly candidates: string };
}

/** One variant at one point of the grid. */
export interface VariantTrial {
  readonly variant: string;
  /** What the grid set, by path in snake_case, e.g. `optimizer.learning_rate`. */
  readonly parameters: Readonly<Record<string, Json>>;
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
  readonly method: 'grid';
  readonly metric: { readonly name: string; readonly goal: 'maximize' | 'minimize' };
  readonly report: readonly string[];
  readonly published: readonly PublishedCell[];
  /** Variants × grid, in the order of the file. */
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
