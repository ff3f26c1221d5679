import { createRng } from '@towerbench/engine';
import { z } from 'zod';
import { defineDataset, type DatasetContent } from '../definition.js';
import { madeByCode, matrixOf, normals, partsInOrder, truthOf, worldParams } from './planted.js';

/**
 * A world in which what is clicked is not what is watched. Users and items have two pairs of independent normal vectors of `rank` numbers;
 * one pair decides clicks, the other how long a click lasts:
 *   log-odds of a click  clickSignal · ⟨p_u, q_i⟩ / √rank + bias
 *   log of the duration  log(medianDuration) + watchSignal · ⟨p'_u, q'_i⟩ / √rank + watchNoise · ε,   ε standard normal
 * Training rows are impressions: a random user, a random item, the label of a click, and `duration` in seconds, 0 without a click. What
 * showing an item brings is its expected duration,
 *   v(u, i) = p_click · E[duration | click] = σ(log-odds) · exp(mean log + watchNoise² / 2)
 * What is ranked is the whole catalogue. The test items of a user are the `numBest` that bring most, and value@k is the share of v that a list
 * gets. Validation items are what a user watches at random moments: items drawn in proportion to v.
 */
export const watchTime = defineDataset({
  name: 'world/watch-time',
  revision: 1,
  summary: 'Clicks and how long they last follow different tastes; lists are measured by the time that they bring.',
  task: 'ranking',
  labelled: true,
  keepsSeen: true,
  hasTruth: true,
  hasWorth: true,
  params: z.strictObject({
    numUsers: z.int().min(10).max(100_000).default(800).describe('Users.'),
    numItems: z.int().min(101).max(100_000).default(400).describe('Items.'),
    numRows: z.int().min(100).max(10_000_000).default(400_000).describe('Impressions to train on.'),
    numBest: z.int().min(1).max(100).default(20).describe("Items of each user that bring most, which are the test's."),
    validationMoments: z.int().min(1).max(100).default(5).describe('Items of each user for validation, at most.'),
    rank: z.int().min(1).max(64).default(4).describe('Dimension of each of the hidden tastes.'),
    clickSignal: z.number().min(0).default(1.5).describe('Standard deviation of the log-odds of a click, about.'),
    bias: z.number().default(-1).describe('Log-odds of an item that is neither liked nor disliked.'),
    watchSignal: z
      .number()
      .min(0)
      .default(1)
      .describe('Standard deviation over pairs of the mean of the logarithm of the duration, about.'),
    watchNoise: z.number().min(0).default(0.5).describe('Standard deviation of that logarithm for one pair.'),
    medianDuration: z.number().positive().default(25).describe('Seconds that half of the pairs would be watched for.'),
    ...worldParams({
      query: ['user_id'],
      candidate: ['item_id'],
    }),
  }),
  facts: madeByCode,
  load: ({ params }): DatasetContent => {
    const { numUsers, numItems, numRows, numBest, validationMoments, rank, seed } = params;
    const rng = createRng(seed).fork('world/watch-time');
    const taste = (name: string) => ({
      users: normals(rng.fork(`${name} of users`), numUsers * rank),
      items: normals(rng.fork(`${name} of items`), numItems * rank),
    });
    const [clicks, watching] = [taste('clicks'), taste('watching')];
    const affinity = ({ users, items }: typeof clicks, user: number, item: number): number => {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += (users[user * rank + k] as number) * (items[item * rank + k] as number);
      return sum / Math.sqrt(rank);
    };
    const clickProbability = (user: number, item: number): number =>
      1 / (1 + Math.exp(-(params.clickSignal * affinity(clicks, user, item) + params.bias)));
    const logDuration = (user: number, item: number): number =>
      Math.log(params.medianDuration) + params.watchSignal * affinity(watching, user, item);
    const expected = (user: number, item: number): number =>
      clickProbability(user, item) * Math.exp(logDuration(user, item) + params.watchNoise ** 2 / 2);
    const worthOf = (users: Int32Array): Float32Array => matrixOf(users, numItems, expected);

    const user: number[] = [];
    const item: number[] = [];
    const label: number[] = [];
    const duration: number[] = [];
    const add = (row: readonly [user: number, item: number, label: number, duration: number]): void => {
      for (const [k, column] of [user, item, label, duration].entries()) column.push(row[k] as number);
    };
    const shown = rng.fork('impressions');
    for (let row = 0; row < numRows; row++) {
      const [u, i] = [shown.int(numUsers), shown.int(numItems)];
      const isClicked = shown.uniform() < clickProbability(u, i);
      add([u, i, isClicked ? 1 : 0, isClicked ? Math.exp(logDuration(u, i) + params.watchNoise * shown.normal()) : 0]);
    }
    const moments = rng.fork('validation');
    for (let u = 0; u < numUsers; u++) {
      const worth = worthOf(Int32Array.of(u));
      const total = worth.reduce((sum, value) => sum + value, 0);
      const watched = new Set<number>();
      for (let k = 0; k < validationMoments; k++) {
        let left = moments.uniform() * total;
        watched.add(
          Math.max(
            0,
            worth.findIndex((value) => (left -= value) < 0),
          ),
        );
      }
      for (const i of watched) add([u, i, 1, expected(u, i)]);
    }
    const testFrom = user.length;
    for (let u = 0; u < numUsers; u++) {
      const worth = worthOf(Int32Array.of(u));
      const best = Int32Array.from(worth.keys()).sort((a, b) => (worth[b] as number) - (worth[a] as number));
      for (const i of best.subarray(0, numBest)) add([u, i, 1, expected(u, i)]);
    }
    return {
      users: { numRows: numUsers, columns: {} },
      items: { numRows: numItems, columns: {} },
      interactions: {
        user: Int32Array.from(user),
        item: Int32Array.from(item),
        time: null,
        rating: null,
        label: Uint8Array.from(label),
        numbers: { duration: Float32Array.from(duration) },
      },
      itemTitles: null,
      truth: { ...truthOf(numItems, (u, i) => Math.log(expected(u, i))), worth: worthOf },
      fixedSplit: partsInOrder({ train: numRows, valid: testFrom - numRows, test: user.length - testFrom }),
    };
  },
});
