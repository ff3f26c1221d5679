import { ConfigError } from '@towerbench/config';
import type { Rng } from '@towerbench/engine';
import { z } from 'zod';
import type { DrawInputs, Drawn } from './contract.js';

/** Keys of every sampler that draws negatives for each positive by itself. */
export const perPositiveParams = {
  numNegatives: z.int().positive().default(4).describe('Negatives per positive, drawn anew for every step.'),
  excludePositives: z
    .boolean()
    .default(true)
    .describe("Draws again when the item is among the user's training items, so that no negative is a known positive."),
  unique: z
    .boolean()
    .default(false)
    .describe('Draws again when the positive has the item as a negative already, so that its negatives are distinct.'),
};

interface PerPositive {
  readonly numNegatives: number;
  readonly excludePositives: boolean;
  readonly unique: boolean;
}

/** Draws of an item that will not do before one is kept: a user who has seen nearly everything still gets negatives. */
export const MOST_TRIES = 100;

/**
 * Draws `numNegatives` items for every user, each by `draw`. It counts the draws, those of known positives too, where items are distinct.
 *
 * @param drawable how many items of the catalogue `draw` can bring
 * @shape items [users, numNegatives], numDraws [users]
 * @throws {ConfigError} when there are not as many distinct items
 */
export function perPositive(
  { numNegatives, excludePositives, unique }: PerPositive,
  { numItems, drawable, draw }: { readonly numItems: number; readonly drawable: number; draw(rng: Rng): number },
): (batch: DrawInputs) => Drawn {
  if (unique && numNegatives > drawable) throw tooFewItems(numNegatives, drawable);
  const lastRow = unique ? new RowMarks(numItems) : null;
  return ({ users, isKnown, rng }) => {
    const items = new Int32Array(users.length * numNegatives);
    const numDraws = unique ? new Int32Array(users.length) : null;
    for (let b = 0, at = 0; b < users.length; b++) {
      const user = users[b] as number;
      lastRow?.begin();
      let draws = 0;
      for (const end = at + numNegatives; at < end; at++) {
        let item = draw(rng);
        let tries = 0;
        while (tries < MOST_TRIES && ((excludePositives && isKnown(user, item)) || lastRow?.has(item) === true)) {
          item = draw(rng);
          tries++;
        }
        lastRow?.add(item);
        items[at] = item;
        draws += 1 + tries;
      }
      if (numDraws !== null) numDraws[b] = draws;
    }
    return numDraws === null ? { items } : { items, numDraws };
  };
}

function tooFewItems(numNegatives: number, drawable: number): ConfigError {
  return new ConfigError([
    {
      code: 'too-few-items',
      path: 'sampler.num_negatives',
      message: `there are ${drawable} items to draw from, and each positive is to have ${numNegatives} distinct negatives`,
      received: String(numNegatives),
      allowed: `1 to ${drawable}`,
      hint: 'ask for fewer, or write unique: false',
    },
  ]);
}

/** A set of items that is emptied in no time. */
export class RowMarks {
  readonly #lastIn: Int32Array;
  #round = 0;

  constructor(numItems: number) {
    this.#lastIn = new Int32Array(numItems);
  }

  /** Empties the set. */
  begin(): void {
    if (this.#round === 0x7fffffff) {
      this.#lastIn.fill(0);
      this.#round = 0;
    }
    this.#round++;
  }

  has(item: number): boolean {
    return this.#lastIn[item] === this.#round;
  }

  add(item: number): void {
    this.#lastIn[item] = this.#round;
  }
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
