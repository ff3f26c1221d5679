import type { LossBatch } from './contract.js';

/**
 * The log probabilities that a correction for sampling needs.
 *
 * @throws {RangeError} when the sampler gives none
 */
export function requireProbability(loss: string, logProbability: Float32Array | null): Float32Array {
  if (logProbability === null) throw new RangeError(`${loss}: the sampler gives no sampling probability`);
  return logProbability;
}

/**
 * log E of every candidate of every example, E how often it is expected among the negatives drawn for it, up to a factor of the example.
 *   with repetition E_j = n q_j, of which log q_j counts;  distinct, found in T draws: E_j = 1 − (1 − q_j)^T
 *
 * @shape result [size, 1 + numNegatives]
 * @source "Candidate Sampling", TensorFlow
 * @numerics float64, rounded once: log(−expm1(T log1p(−q)))
 */
export function logExpectedCounts(
  { size, numNegatives, candidateOf, numDraws }: Pick<LossBatch, 'size' | 'numNegatives' | 'candidateOf' | 'numDraws'>,
  logProbability: Float32Array,
): Float32Array {
  const choices = 1 + numNegatives;
  const result = new Float32Array(size * choices);
  for (let b = 0, k = 0; b < size; b++) {
    const draws = numDraws?.[b];
    for (const end = k + choices; k < end; k++) {
      const logQ = logProbability[candidateOf[k] as number] as number;
      result[k] = draws === undefined ? logQ : Math.log(-Math.expm1(draws * Math.log1p(-Math.exp(logQ))));
    }
  }
  return result;
}
