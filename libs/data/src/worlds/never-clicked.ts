import { createRng } from '@towerbench/engine';
import { z } from 'zod';
import { defineDataset, type DatasetContent } from '../definition.js';
import { numberedValues } from '../ids.js';
import { madeByCode, partsInOrder, truthOf, worldParams } from './planted.js';

/** Quality goes from 0 to 9; nothing of the upper half is ever clicked. */
const QUALITIES = 10;
const LIVE = 5;

/**
 * A world in which half of the catalogue is never clicked, and shares its features with the other half. Items have a category and a
 * quality, users one category; a click is any item of the user's category with a quality below 5, all alike. A batch never shows what is
 * never clicked, so only negatives from the whole catalogue teach that those items belong nowhere. Users click with repetition, so
 * nothing that was seen is taken from the candidates.
 */
export const neverClicked = defineDataset({
  name: 'world/never-clicked',
  revision: 1,
  summary: 'Half of the catalogue is never clicked, and a batch never shows it.',
  task: 'ranking',
  hasTruth: true,
  keepsSeen: true,
  params: z.strictObject({
    numUsers: z.int().min(10).max(1_000_000).default(800).describe('Users, each of one category.'),
    numItems: z.int().min(200).max(100_000).default(3000).describe('Items.'),
    numCategories: z.int().min(2).max(250).default(40).describe('Categories of items and users.'),
    numClicks: z.int().min(1).max(10_000).default(50).describe('Training clicks of each user.'),
    numTestClicks: z
      .int()
      .min(1)
      .max(100)
      .default(5)
      .describe('Clicks of each user for validation, and as many for testing.'),
    ...worldParams({
      query: ['user_id'],
      candidate: ['category', 'quality'],
    }),
  }),
  facts: madeByCode,
  load: ({ params: { numUsers, numItems, numCategories, numClicks, numTestClicks, seed } }): DatasetContent => {
    const rng = createRng(seed).fork('world/never-clicked');
    const kinds = rng.fork('items');
    const category = Uint8Array.from({ length: numItems }, (_, item) => item % numCategories);
    const quality = Uint8Array.from({ length: numItems }, () => kinds.int(QUALITIES));
    const live = Array.from({ length: numCategories }, () => [] as number[]);
    for (let item = 0; item < numItems; item++)
      if ((quality[item] as number) < LIVE) (live[category[item] as number] as number[]).push(item);
    for (const [of, list] of live.entries()) {
      if (list.length > 0) continue;
      quality[of] = 0; // item `of` is the first of category `of`
      list.push(of);
    }
    const tastes = rng.fork('users');
    const likes = Uint8Array.from({ length: numUsers }, () => tastes.int(numCategories));

    const clicks = rng.fork('clicks');
    const perUser = numClicks + 2 * numTestClicks;
    const user = Int32Array.from({ length: numUsers * perUser }, (_, row) => Math.floor(row / perUser));
    const item = user.map((of) => {
      const list = live[likes[of] as number] as number[];
      return list[clicks.int(list.length)] as number;
    });
    const score = (of: number, candidate: number): number =>
      category[candidate] === likes[of] && (quality[candidate] as number) < LIVE ? 1 : 0;
    return {
      users: { numRows: numUsers, columns: {} },
      items: {
        numRows: numItems,
        columns: {
          category: { kind: 'categorical', ids: category, values: numberedValues(numCategories) },
          quality: { kind: 'categorical', ids: quality, values: numberedValues(QUALITIES) },
        },
      },
      interactions: { user, item, time: null, rating: null, label: null },
      itemTitles: null,
      truth: truthOf(numItems, score),
      fixedSplit: partsInOrder({ train: numClicks, valid: numTestClicks, test: numTestClicks }, numUsers),
    };
  },
});
