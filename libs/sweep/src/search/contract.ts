import type { MethodDefinition, Point, SearchParameter } from '@towerbench/config';
import type { Rng } from '@towerbench/engine';

/** A trial whose result a suggestion may look at. */
export interface Observation {
  readonly point: Point;
  /** The objective, so turned that more is better. */
  readonly worth: number;
}

/** All that a suggestion may depend on. */
export interface SuggestInputs {
  readonly space: readonly SearchParameter[];
  /** How many this method has suggested before, from 0 on. */
  readonly number: number;
  /** In the order of their trials; those of earlier sweeps first. */
  readonly observations: readonly Observation[];
  /** Points of the trials before this one whose results it must not look at. */
  readonly pending: readonly Point[];
  /** Of the sweep and the variant: what all suggestions share. */
  readonly seed: string;
  /** Of this suggestion alone: no other one draws from it. */
  readonly rng: Rng;
}

/**
 * A method of search: a pure function of its inputs, so the same ones give the same point, bit for bit, in whatever process and in
 * whatever order results have come.
 */
export interface SearchMethod extends MethodDefinition {
  /** Values for the parameters that are set, each within its domain; null when there are no more points. */
  suggest(inputs: SuggestInputs): Point | null;
}

/** Keeps the literal name. */
export function defineSearchMethod<const N extends string>(
  definition: SearchMethod & { readonly name: N },
): SearchMethod & { readonly name: N } {
  return definition;
}
