import type { Definition } from '@towerbench/config';
import type { PreparedData, SideBatch, SideFeatures, Vocabulary } from '@towerbench/data';
import type { EmbeddingTable, Lookups, Parameter, Rng, Scope, tf } from '@towerbench/engine';
import type { z } from 'zod';

/**
 * One side of a two-tower model. `prepare` notes which embedding rows a batch needs; what it returns runs on the tape
 * and gives the vectors, [batch, dim].
 */
export interface Tower {
  readonly dim: number;
  prepare(batch: SideBatch, lookups: Lookups): (scope: Scope) => tf.Tensor2D;
}

/** A trained model whose score is the dot product of one query vector and one candidate vector. */
export interface TowerModel {
  readonly kind: 'towers';
  readonly retrieval: 'dot';
  readonly query: Tower;
  readonly candidate: Tower;
  readonly parameters: readonly Parameter[];
  readonly tables: readonly EmbeddingTable[];
}

/** A baseline that is computed from the training part and scores every item; there are no vectors and no steps. */
export interface ScoringModel {
  readonly kind: 'scorer';
  readonly retrieval: 'exhaustive';
  /** Scores of every item for each user: [users, items], row-major. */
  scoreUsers(users: Int32Array): Float32Array;
  scorePairs(users: Int32Array, items: Int32Array): Float32Array;
  /** Numbers it stores. */
  readonly parameterCount: number;
}

export type Model = TowerModel | ScoringModel;

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
  build(inputs: ModelInputs<z.output<Params>>): Model;
}

/** Keeps the literal name and the type of `params` in `build`. */
export function defineModel<const N extends string, P extends z.ZodObject>(
  definition: ModelDefinition<P> & { readonly name: N },
): ModelDefinition<P> & { readonly name: N } {
  return definition;
}
