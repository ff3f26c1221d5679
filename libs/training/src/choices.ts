import type { CandidateLayout } from '@towerbench/objectives';
import type { Distinct } from './distinct.js';

/** The candidates of a batch: which items need a vector, and where the examples find theirs. */
export interface Choices {
  readonly items: Int32Array;
  /** Rows of `items`: [size, 1 + numNegatives] for `pairs`, positives first; else the positive of each example. */
  readonly candidateOf: Int32Array;
  /** Row of `items` that is the positive, per example. */
  readonly positiveOf: Int32Array;
  /** How often each row stands among the choices that all examples share; null for `pairs`. */
  readonly occurrences: Float32Array | null;
}

/** Puts positives and what was drawn together as an objective of this layout sees them; every item stands once. */
export function choicesOf(
  layout: CandidateLayout,
  { positives, negatives, numNegatives, countsOnce }: DrawnItems,
  distinct: Distinct,
): Choices {
  if (layout === 'pairs') {
    const { values, placeOf } = distinct.of(beside(positives, negatives, numNegatives));
    return { items: values, candidateOf: placeOf, positiveOf: firstOf(placeOf, 1 + numNegatives), occurrences: null };
  }
  const { values, placeOf } = distinct.of(together(positives, negatives));
  const candidateOf = placeOf.subarray(0, positives.length);
  const occurrences = new Float32Array(values.length);
  // Of a whole catalogue the positives are a part already.
  const counted = layout === 'in-batch' ? placeOf : placeOf.subarray(positives.length);
  if (countsOnce) occurrences.fill(1);
  else for (const row of counted) occurrences[row]! += 1;
  return { items: values, candidateOf, positiveOf: candidateOf, occurrences };
}

interface DrawnItems {
  readonly positives: Int32Array;
  readonly negatives: Int32Array;
  readonly numNegatives: number;
  /** Whether an item is one choice of those that all examples share, however often it was drawn. */
  readonly countsOnce: boolean;
}

/** The first entry of every row. @shape values [rows, width] */
function firstOf(values: Int32Array, width: number): Int32Array {
  return width === 1
    ? values
    : Int32Array.from({ length: values.length / width }, (_, row) => values[row * width] as number);
}

/** Each positive followed by its negatives. @shape [size, 1 + numNegatives] */
function beside(positives: Int32Array, negatives: Int32Array, numNegatives: number): Int32Array {
  if (numNegatives === 0) return positives;
  const out = new Int32Array(positives.length + negatives.length);
  for (let row = 0, at = 0; row < positives.length; row++) {
    out[at++] = positives[row] as number;
    for (let k = row * numNegatives; k < (row + 1) * numNegatives; k++) out[at++] = negatives[k] as number;
  }
  return out;
}

function together(positives: Int32Array, negatives: Int32Array): Int32Array {
  if (negatives.length === 0) return positives;
  const out = new Int32Array(positives.length + negatives.length);
  out.set(positives);
  out.set(negatives, positives.length);
  return out;
}
