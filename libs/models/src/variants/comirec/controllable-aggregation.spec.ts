import { ConfigError } from '@towerbench/config';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controllableAggregation } from './controllable-aggregation.js';

/** The list as the paper makes it: at every place the item that adds most. */
function greedy(scores: readonly number[], categories: readonly number[], seen: readonly number[], diversity: number) {
  const left = new Set(scores.keys());
  for (const item of seen) left.delete(item);
  const list: number[] = [];
  while (left.size > 0) {
    const gain = (item: number): number =>
      (scores[item] as number) + diversity * list.filter((other) => categories[other] !== categories[item]).length;
    const best = [...left].reduce((a, b) => (gain(b) > gain(a) ? b : a));
    left.delete(best);
    list.push(best);
  }
  return list;
}

/** Items by falling score, without the seen ones. */
function listed(scores: readonly number[], categories: readonly number[], seen: readonly number[], diversity: number) {
  const changed = Float32Array.from(scores);
  const of = { name: 'sample', numItems: scores.length, itemCategories: Int32Array.from(categories) };
  controllableAggregation(of, diversity)(changed, Int32Array.from(seen));
  return [...scores.keys()]
    .filter((item) => !seen.includes(item))
    .sort((a, b) => (changed[b] as number) - (changed[a] as number) || a - b);
}

describe('controllableAggregation', () => {
  it('lists what a greedy choice would', () => {
    const items = fc.array(
      fc.record({ score: fc.integer({ min: -40, max: 40 }), category: fc.nat({ max: 3 }), isSeen: fc.boolean() }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(items, fc.integer({ min: 0, max: 30 }), (all, step) => {
        const scores = all.map(({ score }, item) => score / 8 + item / 4096); // exact, and no two sums tie
        const categories = all.map(({ category }) => category);
        const seen = [...all.keys()].filter((item) => all[item]?.isSeen);
        expect(listed(scores, categories, seen, step / 8)).toEqual(greedy(scores, categories, seen, step / 8));
      }),
    );
  });

  it('weighs a category by the items of the list, not by those that the user has seen', () => {
    const [scores, categories] = [[1, 0.9, 0.8], [1, 1, 2]]; // prettier-ignore
    expect(listed(scores, categories, [], 0.15)).toEqual([0, 2, 1]);
    expect(listed(scores, categories, [0], 0.15)).toEqual([1, 2]);
  });

  it('lists by score where λ is 0', () => {
    expect(listed([1, 3, 2], [1, 1, 1], [], 0)).toEqual([1, 2, 0]);
  });

  it('says what is missing where items have no category', () => {
    const build = () => controllableAggregation({ name: 'movielens-1m', numItems: 3, itemCategories: null }, 0.1);
    expect(build).toThrow(ConfigError);
    expect(build).toThrow('movielens-1m names no category of its items');
  });
});
