import { expectClose } from '@towerbench/testing';
import { describe, expect, it } from 'vitest';
import { fitted, inputsOf, randomRows } from '../../sample-interactions.js';
import { definition } from './user-cf.js';

/** Scores of every item by the definition, with nothing shared: [users, items]. */
function scoresByDefinition(rows: readonly (readonly number[])[], neighbours: number): number[][] {
  const users = [...rows.keys()];
  const dot = (u: number, v: number): number =>
    (rows[u] as readonly number[]).reduce((sum, had, item) => sum + had * (rows[v]?.[item] as number), 0);
  const weight = (u: number, v: number): number => {
    const norm = Math.sqrt(dot(u, u) * dot(v, v));
    return u === v || norm === 0 ? 0 : dot(u, v) / norm;
  };
  return users.map((user) => {
    const nearest = [...users].sort((v, w) => weight(user, w) - weight(user, v) || v - w).slice(0, neighbours);
    return [...(rows[0] as readonly number[]).keys()].map((item) =>
      nearest.reduce((sum, other) => sum + weight(user, other) * (rows[other]?.[item] as number), 0),
    );
  });
}

describe('user-cf', () => {
  it('has the scores of three users by hand', () => {
    const rows = [
      [1, 1, 0, 0],
      [1, 1, 1, 0],
      [0, 1, 0, 1],
    ];
    const both = fitted(definition, inputsOf(rows)).scoreUsers(Int32Array.of(0));
    // the second user shares 2 of √(2·3), the third 1 of √(2·2)
    const [a, b] = [2 / Math.sqrt(6), 1 / 2];
    expectClose(both, [a, a + b, a, b], { absolute: 1e-6 });
    const nearest = fitted(definition, inputsOf(rows), { neighbours: 1 }).scoreUsers(Int32Array.of(0));
    expectClose(nearest, [a, a, a, 0], { absolute: 1e-6 });
  });

  it.each([3, 100])('scores as the definition does, with %d neighbours', (neighbours) => {
    const rows = randomRows({ numUsers: 25, numItems: 16, seed: 'user-cf' });
    const model = fitted(definition, inputsOf(rows), { neighbours });
    const expected = scoresByDefinition(rows, neighbours);
    expectClose(model.scoreUsers(Int32Array.from(rows.keys())), expected.flat(), { absolute: 1e-6 });
  });

  it('takes, of equally near users, the one with the smaller number', () => {
    const rows = [[1, 0, 0], [1, 1, 0], [1, 0, 1]]; // prettier-ignore
    const scores = fitted(definition, inputsOf(rows), { neighbours: 1 }).scoreUsers(Int32Array.of(0));
    expect([...scores].map((score) => score > 0)).toEqual([true, true, false]);
  });
});
