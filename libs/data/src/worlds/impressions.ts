import { createRng, type Rng } from '@towerbench/engine';
import { z } from 'zod';
import { defineDataset, type DatasetContent } from '../definition.js';
import { madeByCode, normals, partsInOrder, truthOf, worldParams } from './planted.js';

/** Draws of an item before a user's validation click is taken as it is. */
const MOST_TRIES = 1000;

/**
 * A world with few labels for many pairs. Users and items have normal vectors of `rank` numbers, and a user clicks an item with
 *   log-odds(user, item) = signal · ⟨p_u, q_i⟩ / √rank + bias
 * Training rows are impressions: a random user, a random item, a label drawn from those log-odds. What is ranked is the whole catalogue:
 * the test items of a user are the `numBest` with the largest log-odds, so recall at that cut-off is the overlap with the true best list.
 * Validation items are clicks on random items, drawn anew.
 */
export const impressions = defineDataset({
  name: 'world/impressions',
  revision: 1,
  summary: 'Few labelled impressions of random pairs; the test asks for the true best items of every user.',
  task: 'ranking',
  labelled: true,
  keepsSeen: true,
  hasTruth: true,
  params: z.strictObject({
    numUsers: z.int().min(10).max(100_000).default(500).describe('Users.'),
    numItems: z.int().min(101).max(100_000).default(500).describe('Items.'),
    numRows: z.int().min(100).max(10_000_000).default(15_000).describe('Labelled impressions to train on.'),
    numBest: z.int().min(1).max(100).default(20).describe("Best items of each user, which are the test's."),
    validationClicks: z.int().min(1).max(100).default(5).describe('Clicked items of each user for validation.'),
    rank: z.int().min(1).max(64).default(5).describe('Dimension of the hidden tastes.'),
    signal: z.number().positive().default(2).describe('Standard deviation of the true log-odds, about.'),
    bias: z.number().default(-1).describe('Log-odds of an item that is neither liked nor disliked.'),
    ...worldParams({
      query: ['user_id'],
      candidate: ['item_id'],
    }),
  }),
  facts: madeByCode,
  load: ({ params }): DatasetContent => {
    const { numUsers, numItems, numRows, numBest, validationClicks, rank, signal, bias, seed } = params;
    const rng = createRng(seed).fork('world/impressions');
    const users = normals(rng.fork('users'), numUsers * rank);
    const items = normals(rng.fork('items'), numItems * rank);
    const logOdds = (user: number, item: number): number => {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += (users[user * rank + k] as number) * (items[item * rank + k] as number);
      return (signal * sum) / Math.sqrt(rank) + bias;
    };
    const truth = truthOf(numItems, logOdds);

    const total = numRows + numUsers * (validationClicks + numBest);
    const user = new Int32Array(total);
    const item = new Int32Array(total);
    const label = new Uint8Array(total).fill(1);
    const shown = rng.fork('impressions');
    const isClicked = (draws: Rng, row: number): boolean =>
      draws.uniform() < 1 / (1 + Math.exp(-logOdds(user[row] as number, item[row] as number)));
    for (let row = 0; row < numRows; row++) {
      user[row] = shown.int(numUsers);
      item[row] = shown.int(numItems);
      label[row] = isClicked(shown, row) ? 1 : 0;
    }
    const clicks = rng.fork('validation');
    for (let k = 0; k < numUsers * validationClicks; k++) {
      const row = numRows + k;
      user[row] = Math.floor(k / validationClicks);
      item[row] = clicks.int(numItems);
      for (let tries = 0; tries < MOST_TRIES && !isClicked(clicks, row); tries++) item[row] = clicks.int(numItems);
    }
    const testFrom = numRows + numUsers * validationClicks;
    for (let each = 0; each < numUsers; each++) {
      const scores = truth.scoreUsers(Int32Array.of(each));
      const best = Int32Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number));
      user.fill(each, testFrom + each * numBest, testFrom + (each + 1) * numBest);
      item.set(best.subarray(0, numBest), testFrom + each * numBest);
    }
    return {
      users: { numRows: numUsers, columns: {} },
      items: { numRows: numItems, columns: {} },
      interactions: { user, item, time: null, rating: null, label },
      itemTitles: null,
      truth,
      fixedSplit: partsInOrder({ train: numRows, valid: numUsers * validationClicks, test: numUsers * numBest }),
    };
  },
});
