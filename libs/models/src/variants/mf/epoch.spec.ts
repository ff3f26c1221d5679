import { createRng } from '@towerbench/engine';
import { describe, expect, it } from 'vitest';
import { shuffledExamples, TO_DRAW, type Pairs } from './epoch.js';

const orderOf = (positives: Pairs, per: { copies: number; drawn: number }, seed: number | string): [number, number][] =>
  [...shuffledExamples(positives, { ...per, size: 1 << 16 }, createRng(seed))].flatMap(({ users, items }) =>
    Array.from(users, (user, k): [number, number] => [user, items[k] as number]),
  );

const pairs = (length: number): Pairs => ({
  users: Int32Array.from({ length }, (_, row) => row),
  items: Int32Array.from({ length }, (_, row) => 7 * row),
});

describe('shuffledExamples', () => {
  it('has each positive as often as asked for, and as many items to draw for its user', () => {
    const examples = orderOf(pairs(5), { copies: 2, drawn: 3 }, 1);
    expect(examples).toHaveLength(25);
    for (const user of pairs(5).users) {
      const items = examples.filter(([of]) => of === user).map(([, item]) => item);
      expect(items.sort((a, b) => a - b)).toEqual([TO_DRAW, TO_DRAW, TO_DRAW, 7 * user, 7 * user]);
    }
  });

  it('has all orders alike, over the piles too', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 2400; seed++) {
      const key = orderOf(pairs(4), { copies: 1, drawn: 0 }, seed).join(' ');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // χ² with 23 degrees of freedom is below 49.7 in 999 of 1,000 cases
    expect([...counts.values()].reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)).toBeLessThan(49.7);
  });

  it('mixes what many piles hold: where a pair comes says nothing of which it is', () => {
    const examples = orderOf(pairs(300_000), { copies: 1, drawn: 0 }, 'many');
    expect(new Set(examples.map(([user]) => user)).size).toBe(300_000);
    const tenths = Array.from({ length: 10 }, (_, tenth) => {
      const part = examples.slice(tenth * 30_000, (tenth + 1) * 30_000);
      return part.reduce((sum, [user]) => sum + user, 0) / 30_000;
    });
    // the mean of 30,000 of them has a deviation of 86,603 / √30,000 = 500
    for (const mean of tenths) expect(Math.abs(mean - 149_999.5)).toBeLessThan(5 * 500);
    const items = examples.map(([user, item]) => item === 7 * user);
    expect(items.every(Boolean)).toBe(true);
  });

  it('has no pile for nothing', () => {
    expect(orderOf(pairs(0), { copies: 1, drawn: 8 }, 1)).toEqual([]);
  });
});
