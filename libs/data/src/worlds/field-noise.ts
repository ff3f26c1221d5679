import { createRng } from '@towerbench/engine';
import { z } from 'zod';
import type { Column } from '../contract.js';
import { defineDataset, type DatasetContent } from '../definition.js';
import { numberedValues } from '../ids.js';
import { clickThrough, madeByCode, normals, worldParams } from './planted.js';

/** Dimension of the hidden tastes. */
const RANK = 4;
/** Field 0 takes one of two values: which of the two informative fields counts. */
const MODES = 2;

/**
 * A click-through world for field gates. Users have `numFields` fields. Field 0 decides which field speaks:
 *   log-odds(user, item) = signal · ⟨a_f[value of field f], b_item⟩ / √4,  f = 1 when field 0 is 0, else 2;
 * all others are noise. Each row is a new user and a random item, its label drawn from those log-odds, so a model can
 * neither memorise users nor win without switching between fields.
 */
export const fieldNoise = defineDataset({
  name: 'world/field-noise',
  revision: 1,
  summary: 'Clicks in a world where field 0 decides which of two fields counts, and every other field is noise.',
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
    numFields: z.int().min(3).max(64).default(12).describe('Fields of a user; all but the first three are noise.'),
    numValues: z.int().min(2).max(250).default(50).describe('Values of each field but the first, which has two.'),
    numItems: z.int().min(2).max(100_000).default(200).describe('Items.'),
    signal: z.number().positive().default(3).describe('Standard deviation of the true log-odds, about.'),
    ...worldParams({
      query: Array.from({ length: 12 }, (_, field) => `field_${field}`),
      candidate: ['item_id'],
    }),
  }),
  facts: madeByCode,
  load: ({ params: { numRows, numEvaluationRows, numFields, numValues, numItems, signal, seed } }): DatasetContent => {
    const rng = createRng(seed).fork('world/field-noise');
    const total = numRows + 2 * numEvaluationRows;
    const draws = rng.fork('fields');
    const fields = Array.from({ length: numFields }, (_, field) => {
      const ids = new Uint8Array(total);
      const values = field === 0 ? MODES : numValues;
      for (let row = 0; row < total; row++) ids[row] = draws.int(values);
      return { ids, values };
    });
    const tasteOf = [1, 2].map((field) => normals(rng.fork(`field ${field}`), numValues * RANK));
    const itemVectors = normals(rng.fork('items'), numItems * RANK);
    const [mode, first, second] = fields.map(({ ids }) => ids) as [Uint8Array, Uint8Array, Uint8Array];

    const logOdds = (user: number, item: number): number => {
      const chosen = mode[user] === 0 ? 0 : 1;
      const taste = tasteOf[chosen] as Float64Array;
      const value = (chosen === 0 ? first : second)[user] as number;
      let sum = 0;
      for (let k = 0; k < RANK; k++)
        sum += (taste[value * RANK + k] as number) * (itemVectors[item * RANK + k] as number);
      return (signal * sum) / Math.sqrt(RANK);
    };

    const columns: Record<string, Column> = {};
    for (const [field, { ids, values }] of fields.entries()) {
      columns[`field_${field}`] = { kind: 'categorical', ids, values: numberedValues(values) };
    }
    return {
      users: { numRows: total, columns },
      items: { numRows: numItems, columns: {} },
      itemTitles: null,
      ...clickThrough(rng.fork('clicks'), { numRows, numEvaluationRows, numItems, logOdds }),
    };
  },
});
