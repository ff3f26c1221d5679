import { createRng } from '@towerbench/engine';
import { z } from 'zod';
import { defineDataset, type DatasetContent } from '../definition.js';
import { madeByCode, normals, truthOf, worldParams } from './planted.js';

/** Dimension of the hidden tastes. */
const RANK = 8;

/**
 * A world of clicks that are popularity as much as taste:
 *   P(i | u) ∝ exp(strength · ⟨p_u, q_i⟩ / √8) / rank_i
 * with normal vectors and popularity ranks that say nothing about taste. Users click with repetition, so nothing that was seen is taken
 * from the candidates. The test part asks for clicks of the same kind, or for taste alone: the items with the largest ⟨p_u, q_i⟩, which no
 * log ever shows. What is trained and validated on is the same for both.
 */
export const popularityClicks = defineDataset({
  name: 'world/popularity-clicks',
  revision: 1,
  summary: 'Clicks by popularity and taste; the test asks for more clicks, or for taste alone.',
  task: 'ranking',
  hasTruth: true,
  keepsSeen: true,
  params: z.strictObject({
    numUsers: z.int().min(10).max(1_000_000).default(1000).describe('Users.'),
    numItems: z.int().min(30).max(20_000).default(400).describe('Items.'),
    numClicks: z.int().min(1).max(10_000).default(60).describe('Training clicks of each user.'),
    numTestItems: z
      .int()
      .min(1)
      .max(100)
      .default(20)
      .describe('Test clicks of each user, or items that taste alone chooses; half as many clicks are for validation.'),
    strength: z.number().min(0).max(10).default(2).describe('How much taste counts beside popularity.'),
    target: z
      .enum(['clicks', 'taste'])
      .default('clicks')
      .describe('What the test part asks for: more clicks, or the items that taste alone puts first.'),
    ...worldParams({
      query: ['user_id'],
      candidate: ['item_id'],
    }),
  }),
  facts: madeByCode,
  load: ({ params: { numUsers, numItems, numClicks, numTestItems, strength, target, seed } }): DatasetContent => {
    const rng = createRng(seed).fork('world/popularity-clicks');
    const users = normals(rng.fork('users'), numUsers * RANK);
    const items = normals(rng.fork('items'), numItems * RANK);
    const ranks = rng.fork('popularity').shuffle(Int32Array.from({ length: numItems }, (_, item) => item + 1));
    const taste = (user: number, item: number): number => {
      let sum = 0;
      for (let k = 0; k < RANK; k++) sum += (users[user * RANK + k] as number) * (items[item * RANK + k] as number);
      return (strength * sum) / Math.sqrt(RANK);
    };
    const score = (user: number, item: number): number =>
      taste(user, item) - (target === 'clicks' ? Math.log(ranks[item] as number) : 0);

    const clicks = rng.fork('clicks');
    const rows = { user: [] as number[], item: [] as number[] };
    const split = { train: [] as number[], valid: [] as number[], test: [] as number[] };
    const add = (part: keyof typeof split, user: number, item: number): void => {
      split[part].push(rows.user.length);
      rows.user.push(user);
      rows.item.push(item);
    };
    const sums = new Float64Array(numItems);
    for (let user = 0; user < numUsers; user++) {
      let total = 0;
      for (let item = 0; item < numItems; item++)
        sums[item] = total += Math.exp(taste(user, item)) / (ranks[item] as number);
      const click = (): number => firstAbove(sums, clicks.uniform() * total);
      for (let k = 0; k < numClicks; k++) add('train', user, click());
      for (let k = 0; k < Math.ceil(numTestItems / 2); k++) add('valid', user, click());
      const clicked = Array.from({ length: numTestItems }, click);
      const order = Array.from({ length: numItems }, (_, item) => item);
      const liked = (): number[] => order.sort((a, b) => taste(user, b) - taste(user, a)).slice(0, numTestItems);
      for (const item of target === 'clicks' ? clicked : liked()) add('test', user, item);
    }
    return {
      users: { numRows: numUsers, columns: {} },
      items: { numRows: numItems, columns: {} },
      interactions: {
        user: Int32Array.from(rows.user),
        item: Int32Array.from(rows.item),
        time: null,
        rating: null,
        label: null,
      },
      itemTitles: null,
      truth: truthOf(numItems, score),
      fixedSplit: {
        train: Int32Array.from(split.train),
        valid: Int32Array.from(split.valid),
        test: Int32Array.from(split.test),
        negatives: null,
      },
    };
  },
});

/** Index of the first of rising sums that is above `value`. */
function firstAbove(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
