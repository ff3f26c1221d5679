import { expectClose } from '@towerbench/testing';
import { describe, expect, it } from 'vitest';
import { fitted, inputsOf, randomRows } from '../../sample-interactions.js';
import { definition } from './item-cf.js';

/** Scores of every item by the definition, with nothing shared: [users, items]. */
function scoresByDefinition(
  rows: readonly (readonly number[])[],
  options: { truncation: string; neighbours: number; weightOf: (n: number) => number; shrink: number },
): number[][] {
  const { truncation, neighbours, weightOf, shrink } = options;
  const items = [...(rows[0] as readonly number[]).keys()];
  const size = (row: readonly number[]): number => row.reduce((sum, had) => sum + had, 0);
  const count = (item: number): number => rows.filter((row) => row[item] === 1).length;
  const weight = (i: number, j: number): number => {
    if (i === j || count(i) * count(j) === 0) return 0;
    const common = rows.filter((row) => row[i] === 1 && row[j] === 1);
    return common.reduce((sum, row) => sum + weightOf(size(row)), 0) / (Math.sqrt(count(i) * count(j)) + shrink); // prettier-ignore
  };
  const isNear = (i: number, to: number): boolean => {
    const nearer = items.filter((other) => weight(other, to) > weight(i, to) || (weight(other, to) === weight(i, to) && other < i)); // prettier-ignore
    return nearer.length < neighbours;
  };
  const kept = (source: number, target: number): boolean =>
    truncation === 'none' || (truncation === 'per-source' ? isNear(target, source) : isNear(source, target));
  return rows.map((row) =>
    items.map((target) =>
      items.reduce((sum, source) => sum + (row[source] === 1 && kept(source, target) ? weight(source, target) : 0), 0),
    ),
  );
}

describe('item-cf', () => {
  const small = [
    [1, 1, 0],
    [1, 0, 1],
    [0, 1, 1],
    [1, 1, 0],
  ];

  it('has the cosines of four users and three items by hand', () => {
    const model = fitted(definition, inputsOf(small), { truncation: 'none' });
    // 1–2: two of √(3·3) users; 1–3 and 2–3: one of √(3·2)
    const [a, b] = [2 / 3, 1 / Math.sqrt(6)];
    expectClose(model.scoreUsers(Int32Array.of(0, 1)), [a, a, 2 * b, b, a + b, b], { absolute: 1e-6 });
  });

  it.each(
    ['none', 'per-source', 'per-target'].flatMap((truncation) =>
      [
        { userWeight: 'one', weightOf: () => 1, shrink: 0 },
        { userWeight: 'inverse-log', weightOf: (n: number) => 1 / Math.log(1 + n), shrink: 0 },
        { userWeight: 'inverse-sqrt', weightOf: (n: number) => n ** -0.5, shrink: 5 },
        { userWeight: 'inverse', weightOf: (n: number) => n ** -1, shrink: 0.5 },
      ].map((options) => ({ truncation, ...options })),
    ),
  )(
    'scores as the definition does: $truncation, a user counts $userWeight, shrunk by $shrink',
    ({ weightOf, ...options }) => {
      const rows = randomRows({ numUsers: 30, numItems: 14, seed: 'item-cf' });
      const model = fitted(definition, inputsOf(rows), { ...options, neighbours: 4 });
      const expected = scoresByDefinition(rows, { ...options, weightOf, neighbours: 4 });
      expectClose(model.scoreUsers(Int32Array.from(rows.keys())), expected.flat(), { absolute: 1e-6 });
    },
  );

  it('keeps k weights per source or per target, which are not the same', () => {
    const rows = randomRows({ numUsers: 40, numItems: 20, seed: 'kept' });
    const [source, target] = ['per-source', 'per-target'].map((truncation) =>
      fitted(definition, inputsOf(rows), { truncation, neighbours: 3 }),
    );
    expect([source?.parameterCount, target?.parameterCount]).toEqual([19 * 3, 19 * 3]);
    expect(source?.scoreUsers(Int32Array.of(0))).not.toEqual(target?.scoreUsers(Int32Array.of(0)));
  });

  it('keeps, of equally near items, the one with the smaller number', () => {
    const rows = [[1, 1, 1, 1]];
    const scores = fitted(definition, inputsOf(rows), { truncation: 'per-source', neighbours: 2 }).scoreUsers(Int32Array.of(0)); // prettier-ignore
    expect([...scores]).toEqual([3, 3, 2, 0]);
  });
});
