import { createRng } from '@towerbench/engine';
import { z } from 'zod';
import { commonParams, defineDataset, fixedSplit, type DatasetContent } from '../definition.js';
import { numberedValues } from '../ids.js';

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
    ...commonParams({
      positive: null,
      split: fixedSplit('given'),
      query: ['user_id'],
      candidate: ['category', 'quality'],
    }),
  }),
  facts: { license: 'Made by code; no terms.', address: null, downloads: [], files: {}, counts: null },
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
    const rowsFrom = (start: number, count: number): Int32Array =>
      Int32Array.from({ length: numUsers * count }, (_, k) => Math.floor(k / count) * perUser + start + (k % count));
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
      truth: {
        scorePairs: (of, candidates) => Float32Array.from(of, (each, k) => score(each, candidates[k] as number)),
        scoreUsers: (of) => {
          const scores = new Float32Array(of.length * numItems);
          for (const [k, each] of of.entries())
            for (let candidate = 0; candidate < numItems; candidate++)
              scores[k * numItems + candidate] = score(each, candidate);
          return scores;
        },
      },
      fixedSplit: {
        train: rowsFrom(0, numClicks),
        valid: rowsFrom(numClicks, numTestClicks),
        test: rowsFrom(numClicks + numTestClicks, numTestClicks),
        negatives: null,
      },
    };
  },
});
