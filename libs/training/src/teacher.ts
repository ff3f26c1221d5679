import type { PreparedData } from '@towerbench/data';
import type { Rng } from '@towerbench/engine';

/** The log-odds that a teacher gives to pairs. */
export type Teacher = (users: Int32Array, items: Int32Array) => Float32Array;

/**
 * The truth of a planted world, with normal noise that belongs to the pair: it is the same whenever the pair is asked for.
 *
 * @throws {RangeError} when the truth is not known
 */
export function noisyTruth({ truth, name, numItems }: PreparedData, noise: number, rng: Rng): Teacher {
  if (truth === null) throw new RangeError(`${name}: there is no truth to learn from`);
  return (users, items) => {
    const scores = truth.scorePairs(users, items);
    if (noise === 0) return scores;
    return scores.map((score, k) => {
      const pair = (users[k] as number) * numItems + (items[k] as number);
      return score + noise * rng.fork(String(pair)).normal();
    });
  };
}
