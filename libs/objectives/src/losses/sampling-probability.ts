/**
 * The log probabilities that a correction for sampling needs.
 *
 * @throws {RangeError} when the sampler gives none
 */
export function requireProbability(loss: string, logProbability: Float32Array | null): Float32Array {
  if (logProbability === null) throw new RangeError(`${loss}: the sampler gives no sampling probability`);
  return logProbability;
}
