import type { Definition } from '@towerbench/config';
import type { PreparedData, SideBatch, SideFeatures, Vocabulary } from '@towerbench/data';
import type { CatalogueVectors, EmbeddingTable, Lookups, Pairs, Parameter, Rng, Scope, tf } from '@towerbench/engine';
import type { z } from 'zod';

/** What a tower makes of its batch; `prepare` notes which embedding rows that needs, the result runs on the tape. */
interface Encoder<Vectors> {
  prepare(batch: SideBatch, lookups: Lookups): (scope: Scope) => Vectors;
}

/** One side of a two-tower model: vectors [batch, dim]. */
export interface Tower extends Encoder<tf.Tensor2D> {
  readonly dim: number;
  /** What the tower makes of its fields, logged as `valid/gate/<side>/<name>`. */
  readonly gates?: Gates;
}

/** Weights that a tower gives to named parts of its input: [batch, names]. */
export interface Gates extends Encoder<tf.Tensor2D> {
  readonly names: readonly string[];
}

/** A query tower of several vectors. */
export interface InterestTower extends Encoder<tf.Tensor3D> {
  readonly dim: number;
  /** Vectors of a query, K: [batch, K, dim]. */
  readonly numInterests: number;
  /** How many of the K vectors, from the first on, each query of the batch has, from 1 to K; null where all have K. @shape [batch] */
  activeInterests(batch: SideBatch): Int32Array | null;
}

/** Rows of the vectors that the examples of a batch pair. */
export interface PairedExamples {
  /** Row of the query vectors, per example. */
  readonly queryOf: Int32Array;
  /** Row of the candidate vectors that is its positive, or its labelled item, per example. */
  readonly candidateOf: Int32Array;
  /** 1 or 0 per example; null where all are positives. */
  readonly labels: Float32Array | null;
}

/** A part of the loss: `value` is logged as `train/loss/<name>`, `weight · value` is added to the objective. */
export interface LossTerm {
  readonly weight: number;
  readonly value: tf.Scalar;
}

/** Loss terms that belong to a model, beside its objective. */
export interface AuxiliaryLoss {
  prepare(
    batches: { readonly query: SideBatch; readonly candidate: SideBatch },
    lookups: Lookups,
  ): (
    scope: Scope,
    vectors: { readonly query: tf.Tensor2D; readonly candidate: tf.Tensor2D },
    examples: PairedExamples,
  ) => Readonly<Record<string, LossTerm>>;
}

interface Learned {
  readonly parameters: readonly Parameter[];
  readonly tables: readonly EmbeddingTable[];
  /**
   * Running statistics of the batches, which a step of training moves and no optimizer; a checkpoint holds them beside the weights. Left
   * out, there are none.
   */
  readonly statistics?: readonly Parameter[];
  /**
   * Whether every example of a batch needs a query vector of its own, because equal inputs may give unequal vectors while training
   * (dropout, statistics of the batch). Left out, equal users of a batch are encoded once; equal items always are, so they count once
   * in the statistics of a batch and share what dropout takes away.
   */
  readonly queryPerExample?: boolean;
}

interface TrainedModel extends Learned {
  readonly kind: 'towers';
  readonly candidate: Tower;
}

/** A trained model whose score is the dot product of one query vector and one candidate vector. */
export interface DotModel extends TrainedModel {
  readonly retrieval: 'dot';
  readonly query: Tower;
  readonly auxiliary?: AuxiliaryLoss;
}

/** A trained model whose score is the largest dot product of a candidate vector with one of the query's vectors. */
export interface MultiInterestModel extends TrainedModel {
  readonly retrieval: 'multi-interest';
  readonly query: InterestTower;
  /**
   * The one vector per example that the objective trains.
   *
   * @param active see `activeInterests`
   * @shape interests [batch, K, dim], targets [batch, dim] (the positive's vector), result [batch, dim]
   */
  readout(
    scope: Scope,
    inputs: { readonly interests: tf.Tensor3D; readonly active: Int32Array | null; readonly targets: tf.Tensor2D },
  ): tf.Tensor2D;
  /**
   * Changes a user's scores of all items into those that lists are made by, where that is not the score itself. `seen` are the items
   * that no list has.
   */
  readonly aggregate?: (scores: Float32Array, seen: Int32Array) => void;
}

export type TowerModel = DotModel | MultiInterestModel;

/** Scores of pairs. @shape result [pairs.queryOf.length, candidates per query] */
export type PrepareScores = (
  batches: { readonly query: SideBatch; readonly candidate: SideBatch },
  pairs: Pairs,
  lookups: Lookups,
) => (scope: Scope) => tf.Tensor2D;

/** A trained model that scores a pair by the features of both sides together, so that it has no vectors to search by. */
export interface RankingModel extends Learned {
  readonly kind: 'ranker';
  readonly retrieval: 'exhaustive';
  readonly prepare: PrepareScores;
  /**
   * The scores of a step of training, with loss terms that belong to the model, beside its objective. Left out, there are none.
   *
   * @param labels 1 or 0 per query, of its first candidate; null where all are positives. Other candidates were drawn
   */
  prepareTraining?(
    batches: { readonly query: SideBatch; readonly candidate: SideBatch },
    pairs: Pairs,
    labels: Float32Array | null,
    lookups: Lookups,
  ): (scope: Scope) => { readonly scores: tf.Tensor2D; readonly terms: Readonly<Record<string, LossTerm>> };
}

/** How far the fitting of a baseline is. */
export interface FitProgress {
  /** Pieces of work, each about as long as the others. */
  readonly done: number;
  readonly total: number;
  /** Where a pass over the data has just ended: its number, from 1, and what is logged of it as `train/<name>`. */
  readonly epoch?: { readonly number: number; readonly values: Readonly<Record<string, number>> };
}

/** A baseline that is computed from the positives of the training part, by a loop of its own, and scores every item. */
export interface ScoringModel {
  readonly kind: 'scorer';
  readonly retrieval: 'exhaustive';
  /**
   * Computes what it scores by and reports after every piece, which takes some hundredths of a second. It may score from the end of
   * its first epoch on; one without epochs when all is done. Left out where there is nothing to compute.
   */
  readonly fit?: () => Iterable<FitProgress>;
  /**
   * All that `fit` finds, as a checkpoint stores it. Left out where it is found again by another `fit`, which must then give the same
   * numbers for every seed.
   */
  readonly parameters?: readonly Parameter[];
  /** Scores of every item for each user: [users, items], row-major. */
  scoreUsers(users: Int32Array): Float32Array;
  scorePairs(users: Int32Array, items: Int32Array): Float32Array;
  /** Vectors whose inner products are the scores, where it has them: ranks are found faster. */
  readonly vectors?: (users: Int32Array) => CatalogueVectors;
  /**
   * Scores of every item for somebody whose training items these are, each of them once: [items]. They are the sum of what each of these
   * items scores alone, unless there is a `reason`. Left out where it scores nobody who was not there in training.
   */
  readonly scoreHistory?: (items: Int32Array) => Float32Array;
  /** Why an item scores what it does for a user, in a few words; left out where other items say it, those of `scoreHistory` or of `vectors`. */
  readonly reason?: (user: number, item: number) => string;
  /** Numbers it stores, once it is fitted. */
  readonly parameterCount: number;
}

export type Model = TowerModel | RankingModel | ScoringModel;

/** What a model is built from. */
export interface ModelInputs<Params> {
  readonly params: Params;
  readonly query: SideFeatures;
  readonly candidate: SideFeatures;
  readonly vocabularies: Readonly<Record<string, Vocabulary>>;
  readonly data: PreparedData;
  readonly rng: Rng;
}

export interface ModelDefinition<Params extends z.ZodObject = z.ZodObject> extends Definition<Params> {
  /** Whether it is a `RankingModel`, which needs an objective of the scores of pairs. */
  readonly isRanker?: boolean;
  build(inputs: ModelInputs<z.output<Params>>): Model;
}

/** Keeps the literal name and the type of `params` in `build`. */
export function defineModel<const N extends string, P extends z.ZodObject>(
  definition: ModelDefinition<P> & { readonly name: N },
): ModelDefinition<P> & { readonly name: N } {
  return definition;
}
