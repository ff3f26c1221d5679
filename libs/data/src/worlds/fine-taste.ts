import { createRng } from '@towerbench/engine';
import { z } from 'zod';
import { defineDataset, type DatasetContent } from '../definition.js';
import { idArray, numberedValues } from '../ids.js';
import { madeByCode, partsInOrder, truthOf, worldParams } from './planted.js';

/** Numbers of the finer part of a taste. */
const RANK = 6;
/** Items of a user of validation or test that are to be found. */
const TO_FIND = 5;

/**
 * A world in which the right group of items is soon found, and the right items of it are not. Items form `numCategories` categories, and
 * show it and `traits`, six normal numbers; a user shows the one category of theirs and six numbers of their own, and clicks an item of
 * it with
 *   P(i | u) ∝ exp(strength · ⟨t_u, t_i⟩ / √6)
 * Nearly every item drawn uniformly is of another category, so it teaches nothing of what tells those of one category apart. Each
 * training row is a user of its own. The items to find are the five of the category that the truth puts first.
 */
export const fineTaste = defineDataset({
  name: 'world/fine-taste',
  revision: 1,
  summary: 'Users of one category with a finer taste inside of it, which random negatives say nothing about.',
  task: 'ranking',
  hasTruth: true,
  keepsSeen: true,
  params: z.strictObject({
    numRows: z.int().min(1000).max(2_000_000).default(384_000).describe('Training rows, each with a user of its own.'),
    numEvaluationUsers: z
      .int()
      .min(10)
      .max(100_000)
      .default(1000)
      .describe('Users for validation, and as many for testing.'),
    numCategories: z.int().min(2).max(10_000).default(100).describe('Categories of items and users.'),
    categorySize: z.int().min(10).max(1000).default(30).describe('Items of a category.'),
    strength: z.number().min(0).max(100).default(4).describe('How much the finer taste decides.'),
    ...worldParams({
      query: ['category', 'traits'],
      candidate: ['category', 'traits'],
    }),
  }),
  facts: madeByCode,
  load: ({ params }): DatasetContent => {
    const { numRows, numEvaluationUsers, numCategories, categorySize, strength, seed } = params;
    const rng = createRng(seed).fork('world/fine-taste');
    const numItems = numCategories * categorySize;
    const numUsers = numRows + 2 * numEvaluationUsers;
    const normals = (name: string, count: number): Float32Array => {
      const draws = rng.fork(name);
      return Float32Array.from({ length: count * RANK }, () => draws.normal());
    };
    const itemTraits = normals('items', numItems);
    const userTraits = normals('users', numUsers);
    const itemCategory = idArray(numItems, numCategories - 1);
    for (let item = 0; item < numItems; item++) itemCategory[item] = item % numCategories;
    const kinds = rng.fork('categories');
    const userCategory = idArray(numUsers, numCategories - 1);
    for (let user = 0; user < numUsers; user++) userCategory[user] = kinds.int(numCategories);

    /** log P up to a constant of the user; −∞ outside of their category. */
    const preference = (user: number, item: number): number => {
      if (userCategory[user] !== itemCategory[item]) return -Infinity;
      let sum = 0;
      for (let k = 0; k < RANK; k++)
        sum += (userTraits[user * RANK + k] as number) * (itemTraits[item * RANK + k] as number);
      return (strength * sum) / Math.sqrt(RANK);
    };
    const itemsOf = (user: number): Int32Array =>
      Int32Array.from({ length: categorySize }, (_, k) => (userCategory[user] as number) + k * numCategories);

    const clicks = rng.fork('clicks');
    const click = (user: number): number => {
      let [best, most] = [-1, -Infinity];
      for (const item of itemsOf(user)) {
        const value = preference(user, item) - Math.log(-Math.log(clicks.uniform() + 2 ** -33)); // the largest is softmax
        if (value > most) [best, most] = [item, value];
      }
      return best;
    };
    const favourites = (user: number): Int32Array =>
      itemsOf(user)
        .sort((a, b) => preference(user, b) - preference(user, a))
        .subarray(0, TO_FIND);

    const total = numRows + 2 * numEvaluationUsers * TO_FIND;
    const user = Int32Array.from({ length: total }, (_, row) =>
      row < numRows ? row : numRows + Math.floor((row - numRows) / TO_FIND),
    );
    const item = new Int32Array(total);
    for (let row = 0; row < numRows; row++) item[row] = click(row);
    for (let who = numRows; who < numUsers; who++) item.set(favourites(who), numRows + (who - numRows) * TO_FIND);
    const evaluated = numEvaluationUsers * TO_FIND;
    return {
      users: { numRows: numUsers, columns: columnsOf(userCategory, userTraits, numCategories) },
      items: { numRows: numItems, columns: columnsOf(itemCategory, itemTraits, numCategories) },
      interactions: { user, item, time: null, rating: null, label: null },
      itemTitles: null,
      truth: truthOf(numItems, (who, what) => score(preference(who, what))),
      fixedSplit: partsInOrder({ train: numRows, valid: evaluated, test: evaluated }),
    };
  },
});

/** A finite number for what is never clicked. */
function score(preference: number): number {
  return Math.max(preference, -1e6);
}

function columnsOf(category: ReturnType<typeof idArray>, traits: Float32Array, numCategories: number) {
  return {
    category: { kind: 'categorical', ids: category, values: numberedValues(numCategories) },
    traits: { kind: 'vector', width: RANK, values: traits },
  } as const;
}
