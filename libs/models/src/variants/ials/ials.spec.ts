import { readFileSync } from 'node:fs';
import { createRng } from '@towerbench/engine';
import { expectClose } from '@towerbench/testing';
import { describe, expect, it } from 'vitest';
import type { FitProgress, ScoringModel } from '../../contract.js';
import { inputsOf, randomRows } from '../../sample-interactions.js';
import { definition } from './ials.js';

interface Golden {
  readonly tolerance: number;
  readonly rows: readonly (readonly number[])[];
  readonly unobservedWeight: number;
  readonly regularization: number;
  readonly epochs: number;
  readonly users: readonly number[];
  readonly items: readonly number[];
  readonly results: readonly {
    readonly frequencyScaling: number;
    readonly scores: readonly number[];
    readonly losses: readonly number[];
  }[];
}
const golden = JSON.parse(readFileSync(new URL('./ials.golden.json', import.meta.url), 'utf8')) as Golden;

type Params = Parameters<typeof definition.build>[0]['params'];

/** A model before its fit, with its tables of users and items. */
function built(rows: readonly (readonly number[])[], params: Partial<Params>) {
  const model = definition.build({ ...inputsOf(rows), params: definition.params.parse(params) }) as ScoringModel;
  const [users, items] = (model.parameters ?? []).map(({ values }) => values) as [Float32Array, Float32Array];
  return { model, users, items };
}

const lossesOf = (progress: Iterable<FitProgress>): number[] =>
  [...progress].flatMap(({ epoch }) => (epoch === undefined ? [] : [epoch.values['loss'] as number]));

/** L by its definition, with nothing shared. */
function objective(
  rows: readonly (readonly number[])[],
  { users, items }: { readonly users: ArrayLike<number>; readonly items: ArrayLike<number> },
  { embeddingDim: dim, unobservedWeight, regularization, frequencyScaling }: Params,
): number {
  const numItems = (rows[0] as readonly number[]).length;
  const square = (table: ArrayLike<number>, row: number): number =>
    Array.from({ length: dim }, (_, k) => (table[row * dim + k] as number) ** 2).reduce((sum, value) => sum + value, 0);
  const weight = (positives: number, others: number): number => regularization * (positives + unobservedWeight * others) ** frequencyScaling; // prettier-ignore
  let sum = 0;
  for (const [u, row] of rows.entries()) {
    for (const [i, had] of row.entries()) {
      let score = 0;
      for (let k = 0; k < dim; k++) score += (users[u * dim + k] as number) * (items[i * dim + k] as number);
      sum += had * (score - 1) ** 2 + unobservedWeight * score ** 2;
    }
    sum += weight(row.reduce((total, had) => total + had, 0), numItems) * square(users, u); // prettier-ignore
  }
  for (let i = 0; i < numItems; i++) {
    sum += weight(rows.reduce((total, row) => total + (row[i] as number), 0), rows.length) * square(items, i); // prettier-ignore
  }
  return sum;
}

describe('ials', () => {
  it.each(golden.results)(
    'scores as the golden file does, with frequencies to the power of $frequencyScaling',
    (result) => {
      const { rows, tolerance, unobservedWeight, regularization, epochs } = golden;
      const { frequencyScaling } = result;
      const { model, users, items } = built(rows, { embeddingDim: 2, unobservedWeight, regularization, frequencyScaling, epochs }); // prettier-ignore
      users.set(golden.users);
      items.set(golden.items);
      expectClose(lossesOf(model.fit?.() ?? []), result.losses, { absolute: tolerance });
      expectClose(model.scoreUsers(Int32Array.from(rows.keys())), result.scores, { absolute: tolerance });
    },
  );

  const rows = randomRows({ numUsers: 150, numItems: 70, seed: 'ials' }); // more rows of either side than are solved at once
  const numPositives = rows.flat().reduce((sum, had) => sum + had, 0);

  it.each([0, 0.5, 1])('never lets L rise, and logs what it is, per positive: frequencies to the power of %d', (nu) => {
    const params = definition.params.parse({ embeddingDim: 5, epochs: 1, frequencyScaling: nu, regularization: 0.1 });
    const { model, users, items } = built(rows, params);
    let last = objective(rows, { users, items }, params);
    for (let epoch = 0; epoch < 6; epoch++) {
      const [logged] = lossesOf(model.fit?.() ?? []) as [number];
      const now = objective(rows, { users, items }, params);
      expect(now).toBeLessThan(last);
      expectClose([logged * numPositives], [now], { relative: 1e-5 });
      last = now;
    }
  });

  it('is where the gradient of L vanishes: for items after every epoch, for users after many', () => {
    const params = definition.params.parse({ embeddingDim: 3, epochs: 400, regularization: 0.05 });
    const { model, users, items } = built(rows, params);
    for (const _piece of model.fit?.() ?? []);
    const step = 1e-4;
    for (const [table, tolerance] of [
      [users, 0.02],
      [items, 0.002],
    ] as const) {
      // prettier-ignore
      const at = (place: number, by: number): number => {
        const moved = Float64Array.from(table);
        moved[place]! += by;
        return objective(rows, table === users ? { users: moved, items } : { users, items: moved }, params);
      };
      const rng = createRng('places');
      for (let k = 0; k < 20; k++) {
        const place = rng.int(table.length);
        expect(Math.abs(at(place, step) - at(place, -step)) / (2 * step)).toBeLessThan(tolerance);
        // and there is something to vanish: the same number, moved, has a gradient
        expect(Math.abs(at(place, 0.1) - at(place, 0.1 - step)) / step).toBeGreaterThan(0.1);
      }
    }
  });

  it('gives users and items without training rows the score 0', () => {
    const { model } = built(rows, { epochs: 2 });
    for (const _piece of model.fit?.() ?? []);
    const scores = model.scoreUsers(Int32Array.from(rows.keys()));
    expect(scores.subarray(149 * 70).every((score) => score === 0)).toBe(true);
    expect(rows.every((_, user) => scores[user * 70 + 69] === 0)).toBe(true);
    expect(scores[0]).not.toBe(0);
  });
});
