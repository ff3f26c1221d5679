import type { Definition } from '@towerbench/config';
import type { PreparedData } from '@towerbench/data';
import type { Rng } from '@towerbench/engine';
import type { z } from 'zod';
import type { CandidateLayout } from '../losses/contract.js';
import type { IsKnown } from './known-positives.js';

/** What a sampler may look at when it draws for the examples of a step. */
export interface DrawInputs {
  /** User and positive of each example, [batch]. */
  readonly users: Int32Array;
  readonly positives: Int32Array;
  readonly isKnown: IsKnown;
  /** The step's own stream. */
  readonly rng: Rng;
}

/** Draws the negatives of a batch. */
export interface Sampler {
  /** Negatives drawn per positive; 0 where the batch or its labels provide them. */
  readonly numNegatives: number;
  /** log q per item of the catalogue: the probability that a drawn negative is the item; null when there is none. */
  readonly logSamplingProbability: Float32Array | null;
  /** Items: [batch, numNegatives], row-major, for layout `pairs`; else those that all examples share, which may repeat. */
  draw(batch: DrawInputs): Int32Array;
}

export interface SamplerDefinition<Params extends z.ZodObject = z.ZodObject> extends Definition<Params> {
  /** Which losses can use it. */
  readonly layout: CandidateLayout;
  /** Whether it reads the labels of the rows instead of taking every row for a positive. */
  readonly labelled: boolean;
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
