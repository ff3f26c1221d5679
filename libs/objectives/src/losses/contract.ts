import type { Definition } from '@towerbench/config';
import type { HiddenCandidates, Parameter, Rng, Scope, tf } from '@towerbench/engine';
import type { z } from 'zod';

/**
 * How the candidates of a batch relate to its queries: those of all examples and what is drawn besides to every query (`in-batch`), a
 * list of its own per query (`pairs`), or the whole catalogue to every query.
 */
export type CandidateLayout = 'catalogue' | 'in-batch' | 'pairs';

/**
 * What the q of a sampler is a probability of: that one draw brings the item, which may come several times (`draw`), or that the item is
 * among the candidates of a batch at all, where it counts once (`presence`).
 */
export type SamplingProbability = 'draw' | 'presence';

/**
 * What a loss gets besides vectors or scores. Vectors that several examples of the batch share stand once, so examples name them by row.
 *  - `in-batch`: the candidate of example j is its positive and a negative of all others; what was drawn is a negative of all.
 *  - `catalogue`: every item is a candidate; the one of example j is its positive.
 *  - `pairs`: the candidates of example j are its positive and `numNegatives` negatives.
 */
export interface LossBatch {
  /** Examples. */
  readonly size: number;
  readonly numNegatives: number;
  /** How many first ones of the negatives were shown to the user of the example and not clicked; left out, none. */
  readonly numExposed?: number;
  /** Row of the query vectors per example. */
  readonly queryOf: Int32Array;
  /** Row of the candidate vectors per example and candidate, the positive first: [size, 1 + numNegatives]. */
  readonly candidateOf: Int32Array;
  /**
   * How often each row of the candidate vectors stands among the candidates that all examples share, the positives of `in-batch`
   * included; null for `pairs`, which share none.
   */
  readonly occurrences: Float32Array | null;
  /** Item of each row of the candidate vectors; none stands twice. */
  readonly items: Int32Array;
  /**
   * For `in-batch`: rows of the candidates that an example is not to see, the training positives of its user but its own; left out where the
   * loss does not hide them.
   */
  readonly hidden?: HiddenCandidates;
  /** 1 or 0 per example; null where all are positives. */
  readonly labels: Float32Array | null;
  /** Log-odds that a teacher gives to the candidates of each example, as `candidateOf`; left out where the loss asks for none. */
  readonly teacher?: Float32Array;
  /** How much each example counts in the mean, 1 on average over the training part; null where all count 1. */
  readonly weights: Float32Array | null;
  /** log q, the natural logarithm of the sampler's probability, per row of the candidate vectors; null when unknown. */
  readonly logSamplingProbability: Float32Array | null;
  /** For `pairs`: draws that it took to find the distinct negatives of each example; left out where they may repeat. */
  readonly numDraws?: Int32Array;
}

/**
 * Loss (1/n) Σ w L over the n examples or pairs of the batch, w their weights, in nats where it is a likelihood; and the parts worth
 * logging. A weight belongs to what is learned of an example, never to its item as a negative of others.
 */
export interface LossValue {
  readonly loss: tf.Scalar;
  readonly terms?: Readonly<Record<string, tf.Scalar>>;
}

interface AnyLoss {
  readonly parameters: readonly Parameter[];
  /** The log-odds it gives to raw scores, for labelled data; null when it is no model of probability. */
  logits: ((scores: Float32Array) => Float32Array) | null;
}

/** A loss that scores every query against every candidate, which takes a vector of each. */
interface VectorLoss<Layout extends CandidateLayout> extends AnyLoss {
  readonly layout: Layout;
  /** Whether it wants to know which candidates are training positives of each example's user. */
  readonly hidesKnown?: boolean;
  /** @shape query [queries, dim], candidate [candidates, dim] */
  apply(
    scope: Scope,
    vectors: { readonly query: tf.Tensor2D; readonly candidate: tf.Tensor2D },
    batch: LossBatch,
  ): LossValue;
}

/** A loss of the scores of pairs, wherever these come from. */
export interface PairLoss extends AnyLoss {
  readonly layout: 'pairs';
  /** @shape scores [size, 1 + numNegatives], the positive or the labelled item first */
  apply(scope: Scope, scores: tf.Tensor2D, batch: LossBatch): LossValue;
}

export type Loss = VectorLoss<'catalogue'> | VectorLoss<'in-batch'> | PairLoss;

/** Items beside each row: at least so many, by these keys of the sampler together. */
export interface LeastDrawn {
  readonly least: number;
  readonly by: readonly ('numNegatives' | 'numExposed')[];
}

export interface LossDefinition<
  Params extends z.ZodObject = z.ZodObject,
  Layout extends CandidateLayout = CandidateLayout,
> extends Definition<Params> {
  readonly layout: Layout;
  /** Whether it can learn from rows with labels. */
  readonly labelled: boolean;
  /** Whether it takes scores for cosines, so that it needs a model that normalises its vectors. */
  readonly needsUnitVectors?: boolean;
  /** Probabilities by which it can correct for the sampler; empty where it corrects for none, left out too. */
  corrects?(params: z.output<Params>): readonly SamplingProbability[];
  /** Items that have to be drawn beside each row; null where its parameters contradict each other. Left out, none. */
  leastDrawn?(params: z.output<Params>): LeastDrawn | null;
  /** For a loss that imitates a teacher: standard deviation of the noise that is added to the teacher's log-odds. */
  teacherNoise?(params: z.output<Params>): number;
  /** For a loss that can learn from another label than that of the rows: `duration > 50`; null for that of the rows. */
  label?(params: z.output<Params>): string | null;
  build(inputs: { readonly params: z.output<Params>; readonly rng: Rng }): Extract<Loss, { readonly layout: Layout }>;
}

/** Keeps the literal name, the layout and the type of `params` in `build`. */
export function defineLoss<const N extends string, P extends z.ZodObject, const L extends CandidateLayout>(
  definition: LossDefinition<P, L> & { readonly name: N },
): LossDefinition<P, L> & { readonly name: N } {
  return definition;
}
