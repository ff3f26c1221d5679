import type { Rng } from '@towerbench/engine';
import { z } from 'zod';
import type { DrawInputs } from './contract.js';

/** Keys of every sampler that draws negatives for each positive by itself. */
export const perPositiveParams = {
  numNegatives: z.int().positive().default(4).describe('Negatives per positive, drawn anew for every step.'),
  excludePositives: z
    .boolean()
    .default(true)
    .describe("Draws again when the item is among the user's training items, so that no negative is a known positive."),
};

/** Draws of a known positive before one is kept: a user who has seen nearly everything still gets negatives. */
const MOST_TRIES = 100;

/** `numNegatives` items for every user, each by `draw`. @shape result [users, numNegatives] */
export function drawPerPositive(
  { users, isKnown, rng }: DrawInputs,
  { numNegatives, excludePositives }: { readonly numNegatives: number; readonly excludePositives: boolean },
  draw: (rng: Rng) => number,
): Int32Array {
  const items = new Int32Array(users.length * numNegatives);
  for (let at = 0; at < items.length; at++) {
    const user = users[Math.floor(at / numNegatives)] as number;
    let item = draw(rng);
    for (let tries = 0; excludePositives && tries < MOST_TRIES && isKnown(user, item); tries++) item = draw(rng);
    items[at] = item;
  }
  return items;
}

/** Draws an index in proportion to its weight, none of which is negative. */
export function weightedDraw(weights: Float64Array): (rng: Rng) => number {
  const sums = new Float64Array(weights.length);
  let total = 0;
  for (let i = 0; i < weights.length; i++) sums[i] = total += weights[i] as number;
  return (rng) => {
    const at = rng.uniform() * total;
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) > at) high = middle;
      else low = middle + 1;
    }
    return low; // the first whose sum exceeds `at`, so never one without weight
  };
}
