import type { z } from 'zod';
import type { Kernels } from '../kernels/module.js';

/** What an optimizer remembers about one array of weights: named arrays of the same length, stored in checkpoints as they are. */
export type Moments = Readonly<Record<string, Float32Array>>;

/** What is the same for every weight of a step. */
export interface StepSettings {
  /** From 1. */
  readonly step: number;
  readonly learningRate: number;
  /** What every gradient is multiplied by before it is used. */
  readonly gradientScale: number;
}

/** One update of `count` weights starting at `weightAt`, with the gradients starting at `gradientAt`. */
export interface Update extends StepSettings {
  readonly weights: Float32Array;
  readonly moments: Moments;
  readonly gradient: Float32Array;
  readonly weightAt: number;
  readonly gradientAt: number;
  readonly count: number;
}

/** The same in a kernel memory, for rows of `dim` weights; everything but the counts is an address. */
export interface KernelUpdate {
  readonly numRows: number;
  readonly dim: number;
  /** Numbers of the rows, of which 0 is padding; 0 for all from the first on. */
  readonly rows: number;
  readonly weights: number;
  /** In the order of the rule's names. */
  readonly moments: readonly number[];
  /** [numRows, dim] */
  readonly gradient: number;
}

/** The arithmetic of one method on flat arrays; which weights it is applied to is decided elsewhere. */
export interface UpdateRule {
  /** Names of the moments it keeps per weight. */
  readonly moments: readonly string[];
  /** In plain code, for arrays that are too large for a kernel memory; float64 arithmetic. */
  apply(update: Update): void;
  /** The kernel for one step; float32 arithmetic. */
  kernel(kernels: Kernels, settings: StepSettings): (update: KernelUpdate) => void;
}

export interface OptimizerDefinition<Params extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly revision: number;
  readonly summary: string;
  readonly reference?: { readonly title: string; readonly year: number; readonly url?: string };
  readonly params: Params;
  rule(params: z.output<Params>): UpdateRule;
}

/** Keeps the type of `params` in `rule`. */
export function defineOptimizer<const N extends string, P extends z.ZodObject>(
  definition: OptimizerDefinition<P> & { readonly name: N },
): OptimizerDefinition<P> & { readonly name: N } {
  return definition;
}
