import type { Definition } from '@towerbench/config';
import type { z } from 'zod';

/** What one seed of a trial has shown. */
export interface SeedResult {
  readonly seed: number;
  /** The objective, so turned that more is better. */
  readonly worth: number;
  /** The objective of each validation user, so turned; null where it was not kept, or the pruner does not need it. */
  readonly userWorths: Float32Array | null;
}

/** Whether a trial goes on to its next seed: a pure function of its own results so far and of those of earlier trials. */
export interface Pruner {
  /** Whether it asks for the worth of each user. */
  readonly needsUsers: boolean;
  /**
   * Why the trial is given up; null when it goes on.
   *
   * @param own results of its first seeds, at least one, in the order of the seeds
   * @param earlier results of earlier trials, in their order; they have the same seeds in the same order, but may have been given up
   */
  reasonToStop(own: readonly SeedResult[], earlier: readonly (readonly SeedResult[])[]): string | null;
}

export interface PrunerDefinition<Params extends z.ZodObject = z.ZodObject> extends Definition<Params> {
  build(params: z.output<Params>): Pruner;
}

/** Keeps the literal name and the type of `params` in `build`. */
export function definePruner<const N extends string, P extends z.ZodObject>(
  definition: PrunerDefinition<P> & { readonly name: N },
): PrunerDefinition<P> & { readonly name: N } {
  return definition;
}

/** Mean worth of the first `count` seeds. */
export function meanWorth(results: readonly SeedResult[], count = results.length): number {
  return results.slice(0, count).reduce((sum, { worth }) => sum + worth, 0) / count;
}

/** For a reason. */
export function inSeeds(count: number): string {
  return count === 1 ? '1 seed' : `${count} seeds`;
}
