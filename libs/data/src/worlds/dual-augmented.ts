import { createRng, type Rng } from '@towerbench/engine';
import { z } from 'zod';
import { defineDataset, type DatasetContent } from '../definition.js';
import { madeByCode, partsInOrder, truthOf, worldParams } from './planted.js';

/** Dimension of the traits that both sides show. */
const RANK = 6;

/**
 * A world for vectors that an id brings along. Users and items show `traits`, six numbers each, and hide the group they belong to:
 *   score(user, item) = trait_strength · ⟨traits of both⟩ / √6 + group_strength · [same group]
 * A user's positives are drawn without replacement with probability ∝ exp(score). The traits are seen by every model; the groups
 * only through ids, from few positives each.
 */
export const dualAugmented = defineDataset({
  name: 'world/dual-augmented',
  revision: 1,
  summary: 'Users and items with visible traits and hidden groups, which only their ids can tell, from few positives.',
  task: 'ranking',
  hasTruth: true,
  params: z.strictObject({
    numUsers: z.int().min(10).max(100_000).default(1500).describe('Users.'),
    numItems: z.int().min(50).max(20_000).default(1500).describe('Items.'),
    numGroups: z.int().min(1).max(1000).default(20).describe('Hidden groups of users and items.'),
    trainPositives: z.int().positive().max(1000).default(8).describe('Training positives of each user.'),
    evaluationPositives: z
      .int()
      .positive()
      .max(1000)
      .default(5)
      .describe('Positives of each user for validation, and as many for testing.'),
    traitStrength: z.number().min(0).default(1.5).describe('What the traits count.'),
    groupStrength: z.number().min(0).default(4).describe('What the group counts.'),
    ...worldParams({
      query: ['user_id', 'traits'],
      candidate: ['item_id', 'traits'],
    }),
  }),
  facts: madeByCode,
  load: ({ params }): DatasetContent => {
    const { numUsers, numItems, numGroups, trainPositives, evaluationPositives, traitStrength, groupStrength } = params;
    const rng = createRng(params.seed).fork('world/dual-augmented');
    const users = makeSide(rng.fork('users'), numUsers, numGroups);
    const items = makeSide(rng.fork('items'), numItems, numGroups);

    const score = (user: number, item: number): number => {
      let sum = 0;
      for (let k = 0; k < RANK; k++)
        sum += (users.traits[user * RANK + k] as number) * (items.traits[item * RANK + k] as number);
      return (traitStrength * sum) / Math.sqrt(RANK) + (users.group[user] === items.group[item] ? groupStrength : 0);
    };

    const perUser = Math.min(trainPositives + 2 * evaluationPositives, numItems);
    const draws = rng.fork('positives');
    const user = new Int32Array(numUsers * perUser);
    const item = new Int32Array(numUsers * perUser);
    for (let row = 0; row < numUsers; row++) {
      const scores = Float64Array.from({ length: numItems }, (_, each) => score(row, each));
      item.set(drawWithoutReplacement(scores, perUser, draws), row * perUser);
      user.fill(row, row * perUser, (row + 1) * perUser);
    }
    const traits = ({ traits: values }: typeof users) => ({ traits: { kind: 'vector', width: RANK, values } }) as const;
    return {
      users: { numRows: numUsers, columns: traits(users) },
      items: { numRows: numItems, columns: traits(items) },
      interactions: { user, item, time: null, rating: null, label: null },
      itemTitles: null,
      truth: truthOf(numItems, score),
      fixedSplit: partsInOrder(
        { train: perUser - 2 * evaluationPositives, valid: evaluationPositives, test: evaluationPositives },
        numUsers,
      ),
    };
  },
});

/** Standard normal traits [rows, RANK] and a group at random. */
function makeSide(rng: Rng, rows: number, numGroups: number): { traits: Float32Array; group: Int32Array } {
  return {
    traits: Float32Array.from({ length: rows * RANK }, () => rng.normal()),
    group: Int32Array.from({ length: rows }, () => rng.int(numGroups)),
  };
}

/** `count` indices, each next one with probability ∝ exp(score) among those left: the largest of score + Gumbel noise, in order. */
function drawWithoutReplacement(scores: Float64Array, count: number, rng: Rng): Int32Array {
  const noisy = scores.map((score) => score - Math.log(-Math.log(1 - rng.uniform())));
  return Int32Array.from(noisy.keys())
    .sort((a, b) => (noisy[b] as number) - (noisy[a] as number))
    .subarray(0, count);
}
