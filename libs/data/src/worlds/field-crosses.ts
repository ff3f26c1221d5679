import { createRng } from '@towerbench/engine';
import { z } from 'zod';
import type { Column } from '../contract.js';
import { defineDataset, type DatasetContent } from '../definition.js';
import { numberedValues } from '../ids.js';
import { clickThrough, madeByCode, normals, worldParams } from './planted.js';

/** Dimension of the hidden tastes. */
const RANK = 4;

/**
 * A click-through world for interactions within a side. Users have two fields, a and b. A share of the items is liked for crosses of
 * both, the others for the sum of what each says:
 *   log-odds(user, item) = signal · ⟨t, b_item⟩ / √4,  t = t_ab for a crossed item, else (t_a + t_b) / √2
 * All vectors are normal. Each row is a new user and a random item, its label drawn from those log-odds.
 */
export const fieldCrosses = defineDataset({
  name: 'world/field-crosses',
  revision: 1,
  summary: 'Clicks in a world where some items are liked for sums of two fields and the others for crosses of them.',
  task: 'labelled',
  hasTruth: true,
  params: z.strictObject({
    numRows: z.int().min(1000).max(10_000_000).default(409_600).describe('Training rows, each with a user of its own.'),
    numEvaluationRows: z
      .int()
      .min(100)
      .max(1_000_000)
      .default(50_000)
      .describe('Rows for validation, and as many for testing.'),
    numValues: z.int().min(2).max(250).default(30).describe('Values of each of the two fields.'),
    numItems: z.int().min(2).max(100_000).default(200).describe('Items.'),
    crossed: z.number().min(0).max(1).default(0.5).describe('Share of the items that are liked for crosses.'),
    signal: z.number().positive().default(2).describe('Standard deviation of the true log-odds, about.'),
    ...worldParams({
      query: ['field_a', 'field_b'],
      candidate: ['item_id'],
    }),
  }),
  facts: madeByCode,
  load: ({ params: { numRows, numEvaluationRows, numValues, numItems, crossed, signal, seed } }): DatasetContent => {
    const rng = createRng(seed).fork('world/field-crosses');
    const total = numRows + 2 * numEvaluationRows;
    const draws = rng.fork('fields');
    const [a, b] = [0, 1].map(() => Uint8Array.from({ length: total }, () => draws.int(numValues))) as [
      Uint8Array,
      Uint8Array,
    ];
    const tasteOfA = normals(rng.fork('a'), numValues * RANK);
    const tasteOfB = normals(rng.fork('b'), numValues * RANK);
    const tasteOfBoth = normals(rng.fork('crosses'), numValues * numValues * RANK);
    const itemVectors = normals(rng.fork('items'), numItems * RANK);
    const order = rng.fork('crossed items').shuffle(Int32Array.from({ length: numItems }, (_, item) => item));
    const isCrossed = new Uint8Array(numItems);
    for (const item of order.subarray(0, Math.round(crossed * numItems))) isCrossed[item] = 1;

    const logOdds = (user: number, item: number): number => {
      const [x, y] = [a[user] as number, b[user] as number];
      let sum = 0;
      for (let k = 0; k < RANK; k++) {
        const taste =
          isCrossed[item] === 1
            ? (tasteOfBoth[(x * numValues + y) * RANK + k] as number)
            : ((tasteOfA[x * RANK + k] as number) + (tasteOfB[y * RANK + k] as number)) / Math.SQRT2;
        sum += taste * (itemVectors[item * RANK + k] as number);
      }
      return (signal * sum) / Math.sqrt(RANK);
    };

    const field = (ids: Uint8Array): Column => ({ kind: 'categorical', ids, values: numberedValues(numValues) });
    return {
      users: { numRows: total, columns: { field_a: field(a), field_b: field(b) } },
      items: { numRows: numItems, columns: {} },
      itemTitles: null,
      ...clickThrough(rng.fork('clicks'), { numRows, numEvaluationRows, numItems, logOdds }),
    };
  },
});
