import type { Definition } from '@towerbench/config';
import type { PreparedData } from '@towerbench/data';
import type { Parameter, Rng } from '@towerbench/engine';
import type { z } from 'zod';
import type { CandidateLayout, SamplingProbability } from '../losses/contract.js';
import type { IsKnown } from './known-positives.js';

/** What a sampler may look at when it draws for the examples of a step. */
export interface DrawInputs {
  /** User and positive of each example, [batch]. */
  readonly users: Int32Array;
  readonly positives: Int32Array;
  readonly isKnown: IsKnown;
  /** Scores of items, none of which stands twice, for each example by the model as it is now: [batch, items]. */
  scoresOf(items: Int32Array): Float32Array;
  /** The step's own stream. */
  readonly rng: Rng;
}

export interface Drawn {
  /** Items: [batch, numNegatives], row-major, for layout `pairs`; else those that all examples share, which may repeat. */
  readonly items: Int32Array;
  /** Draws that it took to find the distinct negatives of each example; left out where they are drawn with repetition. */
  readonly numDraws?: Int32Array;
}

/** How often each item is in a batch, estimated from the batches as they come; so an item is one candidate of a batch, however often it is there. */
export interface FrequencyStream {
  /** All that is known of them, as a checkpoint stores it. */
  readonly statistics: readonly Parameter[];
  /** Takes in the positives of step number `step`, from 1 on, before its negatives are drawn. */
  observe(step: number, positives: Int32Array): void;
}

/** Draws the negatives of a batch. */
export interface Sampler {
  /** Negatives drawn per positive; 0 where the batch or its labels provide them. */
  readonly numNegatives: number;
  /** How many first ones of them were shown to the user of the row and not clicked; left out, none. */
  readonly numExposed?: number;
  /** log q of items, in their order, as the definition's `probability` says; null when there is none. */
  readonly logProbabilityOf: ((items: Int32Array) => Float32Array) | null;
  draw(batch: DrawInputs): Drawn;
  /** Left out where frequencies are counted beforehand. */
  readonly stream?: FrequencyStream;
}

export interface SamplerDefinition<Params extends z.ZodObject = z.ZodObject> extends Definition<Params> {
  /** Which losses can use it. */
  readonly layout: CandidateLayout;
  /** Whether it reads the labels of the rows instead of taking every row for a positive. */
  readonly labelled: boolean;
  /** What its q is a probability of; null where it knows none. Left out, of a draw. */
  probability?(params: z.output<Params>): SamplingProbability | null;
  /** `batchSize` is the number of examples of every step. */
  build(inputs: {
    readonly params: z.output<Params>;
    readonly data: PreparedData;
    readonly batchSize: number;
  }): Sampler;
}

/** Keeps the literal name and the type of `params` in `build`. */
export function defineSampler<const N extends string, P extends z.ZodObject>(
  definition: SamplerDefinition<P> & { readonly name: N },
): SamplerDefinition<P> & { readonly name: N } {
  return definition;
}

/** log q of items out of a table with that of every item of the catalogue. */
export function probabilitiesIn(logProbability: Float32Array): (items: Int32Array) => Float32Array {
  return (items) => {
    const result = new Float32Array(items.length);
    for (let at = 0; at < items.length; at++) result[at] = logProbability[items[at] as number] as number;
    return result;
  };
}
