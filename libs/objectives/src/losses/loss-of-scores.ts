import { createRng, forward, Lookups, tf } from '@towerbench/engine';
import type { Loss, LossBatch } from './contract.js';

/** What a loss of layout `pairs` gives to scores: one positive and as many negatives for every example. */
export function lossOfScores(
  loss: Loss,
  { positive, negatives }: { readonly positive: readonly number[]; readonly negatives: readonly (readonly number[])[] },
  changes: Partial<LossBatch> = {},
): number {
  const scores = positive.flatMap((score, b) => [score, ...(negatives[b] as readonly number[])]);
  const size = positive.length;
  const rows = Int32Array.from(scores.keys());
  const batch: LossBatch = {
    size,
    numNegatives: scores.length / size - 1,
    queryOf: new Int32Array(size),
    candidateOf: rows,
    items: rows,
    labels: null,
    occurrences: null,
    weights: null,
    logSamplingProbability: null,
    ...changes,
  };
  return forward(
    { parameters: loss.parameters, lookups: new Lookups([]), rng: createRng(0) },
    (scope) =>
      loss.apply(scope, { query: tf.ones([1, 1]), candidate: tf.tensor2d(scores, [scores.length, 1]) }, batch).loss,
  )[0] as number;
}
