import type { Definition } from '@towerbench/config';
import type { Parameter, Rng, Scope, tf } from '@towerbench/engine';
import type { z } from 'zod';

/** How the candidates of a batch relate to its queries: every candidate to every query, or a list of its own per query. */
export type CandidateLayout = 'in-batch' | 'pairs';

/**
 * What a loss gets besides the vectors.
 *  - `in-batch`: candidate j is the positive of query j and a negative of all others.
 *  - `pairs`: candidates are [positives (batch) | negatives (batch × numNegatives, query by query)].
 */
export interface LossBatch {
  readonly size: number;
  readonly numNegatives: number;
  /** Item of each of the first `size` candidates. */
  readonly items: Int32Array;
  /** 1 or 0 for each of the first `size` candidates; null where all are positives. */
  readonly labels: Float32Array | null;
  /** Natural logarithm of the probability that the item is drawn as a negative, per item of the catalogue; null when unknown. */
  readonly logSamplingProbability: Float32Array | null;
}

export interface Loss {
  readonly layout: CandidateLayout;
  readonly parameters: readonly Parameter[];
  /** Mean loss in nats and the parts worth logging. @shape query [batch, dim], candidate [candidates, dim] */
  apply(
    scope: Scope,
    vectors: { readonly query: tf.Tensor2D; readonly candidate: tf.Tensor2D },
    batch: LossBatch,
  ): { readonly loss: tf.Scalar; readonly terms?: Readonly<Record<string, tf.Scalar>> };
  /** The log-odds it gives to raw scores, for labelled data; null when it is no model of probability. */
  logits: ((scores: Float32Array) => Float32Array) | null;
}

export interface LossDefinition<Params extends z.ZodObject = z.ZodObject> extends Definition<Params> {
  readonly layout: CandidateLayout;
  build(inputs: { readonly params: z.output<Params>; readonly rng: Rng }): Loss;
}

/** Keeps the literal name and the type of `params` in `build`. */
export function defineLoss<const N extends string, P extends z.ZodObject>(
  definition: LossDefinition<P> & { readonly name: N },
): LossDefinition<P> & { readonly name: N } {
  return definition;
}
