import { createRng, forward, Lookups, tf } from '@towerbench/engine';
import type { LossBatch, PairLoss } from './contract.js';

/** What a loss of layout `pairs` gives to scores: one positive and as many negatives for every example. */
export function lossOfScores(
  loss: PairLoss,
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
    (scope) => loss.apply(scope, tf.tensor2d(scores, [size, scores.length / size]), batch).loss,
  )[0] as number;
}
