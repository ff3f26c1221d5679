/**
 * What a dataset is, and what it becomes for training.
 *
 *   source or world ──▶ Dataset (three tables) ──split, features──▶ PreparedData ──assemble──▶ SideBatch
 *
 * Everything is columnar and typed; nothing here is mutated after it was made.
 */
import type { Texts } from './texts.js';

/** Ids of one column, in the narrowest type that holds them. */
export type IdArray = Uint8Array | Uint16Array | Int32Array;

/** A column of `users` or `items`. Text is encoded once: the text of row r is `values[ids[r]]`. */
export type Column =
  | { readonly kind: 'categorical'; readonly ids: IdArray; readonly values: readonly string[] }
  | { readonly kind: 'multi'; readonly offsets: Int32Array; readonly ids: IdArray; readonly values: readonly string[] }
  | { readonly kind: 'numeric'; readonly values: Float32Array }
  | { readonly kind: 'vector'; readonly width: number; readonly values: Float32Array };

export interface Table {
  readonly numRows: number;
  readonly columns: Readonly<Record<string, Column>>;
}

/** One row per interaction. `user` and `item` are row numbers of the tables, from 0. */
export interface Interactions {
  readonly user: Int32Array;
  readonly item: Int32Array;
  /** Unix seconds; NaN where unknown; null when the source has no times. Equal times keep the order of rows. */
  readonly time: Float64Array | null;
  /**
   * `within-users` where the rows of each user are in order of time, but no moment is known: `time`, unless it is null, counts from the
   * user's first row, so that times of one user can be compared and those of two users cannot. Left out, `time` says all.
   */
  readonly order?: 'within-users';
  readonly rating: Float32Array | null;
  /** 1 or 0 in a labelled (click-through) dataset; null where every row is a positive. */
  readonly label: Uint8Array | null;
  /** Other numbers of the rows, by name; left out where there are none. */
  readonly numbers?: Readonly<Record<string, Float32Array>>;
}

/** The known preference of a planted world. Scores order items of one user as the truth does. */
export interface Truth {
  /** True score of every item for each of `users`: [users, items], row-major. */
  scoreUsers(users: Int32Array): Float32Array;
  /** True log-odds (labelled worlds) or log-preference of each pair. */
  scorePairs(users: Int32Array, items: Int32Array): Float32Array;
  /** What showing each item to each of `users` brings, e.g. seconds; from 0 on: [users, items]. Left out where no more than an order is known. */
  worth?(users: Int32Array): Float32Array;
}

/** Rows that a published protocol fixes: test (and valid) rows of `interactions`, with candidates to rank each against. */
export interface FixedSplit {
  /** Rows that stand in the history of their user, before all others, and are no examples; left out where there are none. */
  readonly context?: Int32Array;
  readonly train: Int32Array;
  readonly valid: Int32Array;
  readonly test: Int32Array;
  /** `negatives[k]` are the items that test row k is ranked against (the test item itself never among them). */
  readonly negatives: { readonly name: string; readonly items: readonly Int32Array[] } | null;
}

export interface Dataset {
  readonly name: string;
  /** sha256 (hex) of the content of the inputs and of every option. */
  readonly fingerprint: string;
  readonly users: Table;
  readonly items: Table;
  readonly interactions: Interactions;
  /** How the source calls users and items; left out where it numbers them as the tables do. */
  readonly userIds?: Texts;
  readonly itemIds?: Texts;
  /** Text for people: titles of items, where the source has them. */
  readonly itemTitles: Texts | null;
  readonly truth: Truth | null;
  readonly fixedSplit: FixedSplit | null;
}

/** A set of ids that share embedding rows: 0 is padding, 1 is "unknown or rarer than min_frequency", real values start at 2. */
export interface Vocabulary {
  readonly name: string;
  /** Number of rows, padding and unknown included. */
  readonly size: number;
}

/** A categorical (width 1) or multi-valued (width > 1, padded with 0) feature of the users or of the items. */
export interface IdFeature {
  readonly name: string;
  readonly vocabulary: string;
  readonly width: number;
  /** [entities, width], row-major. */
  readonly ids: IdArray;
}

/** A number, a bucketised number's one column, or a dense vector. */
export interface DenseFeature {
  readonly name: string;
  readonly width: number;
  /** [entities, width], row-major. */
  readonly values: Float32Array;
}

/**
 * Where the session of a user begins: it is the latest entries of the history, `length` at most. With a `gap`, it also begins after the
 * last pair of neighbours that are at least so many seconds apart.
 */
export interface SessionRule {
  readonly length: number;
  readonly gap: number | null;
}

/** The user's last `length` items before the example, most recent first, as ids of the item feature `of`. */
export interface SequenceFeature {
  readonly name: string;
  readonly of: string;
  readonly vocabulary: string;
  readonly length: number;
  /** The part of the history that is listed; left out, all of it. */
  readonly window?: { readonly part: 'session' | 'before-session'; readonly session: SessionRule };
}

export interface SideFeatures {
  readonly ids: readonly IdFeature[];
  readonly dense: readonly DenseFeature[];
  /** Only on the query side. */
  readonly sequences: readonly SequenceFeature[];
}

/** Ragged lists of items: those of entry k are `items.subarray(offsets[k], offsets[k + 1])`. */
export interface Ragged {
  readonly offsets: Int32Array;
  readonly items: Int32Array;
}

/** Items that users acted on, and when. */
export interface History extends Ragged {
  /** Seconds of each of `items`, comparable within a user; null where the data has no times. */
  readonly times: Float64Array | null;
}

/** Training rows. `historyEnd[r]` is how many entries of the user's history (`PreparedData.history`) precede row r. */
export interface Examples {
  readonly user: Int32Array;
  readonly item: Int32Array;
  readonly label: Uint8Array | null;
  /** How much each row counts in a loss, 1 on average; null where all count 1. */
  readonly weight: Float32Array | null;
  /** Other numbers of the rows, as those of `Interactions`. */
  readonly numbers?: Readonly<Record<string, Float32Array>>;
  readonly historyEnd: Int32Array;
}

export interface RankingSet {
  readonly kind: 'ranking';
  /** Users with at least one positive in this part. */
  readonly users: Int32Array;
  /** The items to find, per entry of `users`. */
  readonly positives: Ragged;
  /** Items removed from the candidates, per entry of `users` (context, train; for test also valid); never one of the positives. */
  readonly seen: Ragged;
  /** How much of the user's history may be read when encoding, per entry of `users`. */
  readonly historyEnd: Int32Array;
  /** Published candidate lists, per entry of `users`; the metric's name carries `name`, e.g. `sampled-99`. */
  readonly negatives: { readonly name: string; readonly candidates: Ragged } | null;
}

export interface LabelledSet {
  readonly kind: 'labelled';
  readonly user: Int32Array;
  readonly item: Int32Array;
  readonly label: Uint8Array;
  readonly historyEnd: Int32Array;
}

export type EvaluationSet = RankingSet | LabelledSet;

/** What makes two numbers comparable; part of every metric's identity. */
export interface Protocol {
  readonly dataset: string;
  readonly fingerprint: string;
  readonly split: string;
  readonly candidates: string;
  readonly seen: 'removed' | 'kept' | 'none';
  readonly ties: 'half';
}

export interface PreparedData {
  readonly name: string;
  readonly fingerprint: string;
  readonly protocol: Protocol;
  readonly task: 'ranking' | 'labelled';
  readonly numUsers: number;
  readonly numItems: number;
  readonly vocabularies: Readonly<Record<string, Vocabulary>>;
  readonly query: SideFeatures;
  readonly candidate: SideFeatures;
  /** Per user, the items of the context and the training part in time order, followed by those of valid and test. */
  readonly history: History;
  readonly train: Examples;
  readonly valid: EvaluationSet;
  readonly test: EvaluationSet;
  /** Training interactions (positives) of each item. */
  readonly itemCounts: Int32Array;
  /** Category of each item; null where the dataset names none. */
  readonly itemCategories: Int32Array | null;
  /** How the source calls users and items; null where it numbers them as the tables do, from 1. */
  readonly userIds: Texts | null;
  readonly itemIds: Texts | null;
  readonly itemTitles: Texts | null;
  readonly truth: Truth | null;
}

/** The features of one side for a list of users or items, ready for the engine. */
export interface SideBatch {
  readonly size: number;
  /** Per id feature and sequence: [size, width], row-major, padded with 0. */
  readonly ids: Readonly<Record<string, Int32Array>>;
  /** Per dense feature: [size, width], row-major. */
  readonly dense: Readonly<Record<string, Float32Array>>;
}
