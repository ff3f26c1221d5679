import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutoffs } from '../names.js';
import { rankAgainst, ranksOf, type ItemLists, type Ranks } from './ranks.js';
import { ListStatistics, topK } from './top-k.js';
import { categoryMetrics, meanOverUsers, positiveRecall, userMetrics, worthMetrics } from './user-metrics.js';

const lists = (...entries: number[][]): ItemLists => ({
  offsets: Int32Array.from([0, ...entries.map((_, i) => entries.slice(0, i + 1).flat().length)]),
  items: Int32Array.from(entries.flat()),
});

/** Ranks of one user's positives, by comparing every score with theirs. */
function ranksAmong(scores: number[], positives: number[], seen: number[] = []): Ranks {
  const candidates = scores.filter((_, item) => !seen.includes(item));
  const count = (isCounted: (other: number, own: number) => boolean) =>
    Int32Array.from(positives, (item) => candidates.filter((other) => isCounted(other, scores[item] as number)).length);
  return ranksOf(
    { greater: count((other, own) => other > own), equal: count((other, own) => other === own) },
    { numItems: scores.length, positives: lists(positives), seen: lists(seen) },
  );
}

function evaluateUser(scores: number[], positives: number[], seen: number[] = []): Record<string, number> {
  const ranks = ranksAmong(scores, positives, seen);
  return {
    rank: ranks.ranks[0] as number,
    ...Object.fromEntries(
      Object.entries(userMetrics(ranks, lists(positives).offsets)).map(([name, [value]]) => [name, value as number]),
    ),
  };
}

interface Golden {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly scores: number[];
    readonly positives: number[];
    readonly seen: number[];
    readonly expected: Readonly<Record<string, number>>;
  }[];
  readonly tied: readonly {
    readonly scores: number[];
    readonly positives: number[];
    readonly ranks: number[];
    readonly auc: number;
  }[];
}
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'ranking.golden.json'), 'utf8')) as Golden;

describe('an independent implementation', () => {
  it.each(golden.cases)('gives the same: $positives.length positives', ({ scores, positives, seen, expected }) => {
    const result = evaluateUser(scores, positives, seen);
    for (const [name, value] of Object.entries(expected))
      expect(Math.abs((result[name] as number) - value), name).toBeLessThan(golden.tolerance);
  });

  it.each(golden.tied)(
    'gives the same among ties: $positives.length positives',
    ({ scores, positives, ranks, auc }) => {
      expect([...ranksAmong(scores, positives).ranks]).toEqual(ranks);
      expect(evaluateUser(scores, positives)['auc']).toBeCloseTo(auc, 6);
    },
  );
});

describe('rankAgainst', () => {
  it('ranks the positive among the given candidates only', () => {
    const { ranks, numCandidates } = rankAgainst(
      { positives: Float32Array.of(5, 1), candidates: Float32Array.of(7, 5, 0) },
      { positives: lists([1], [0]), candidates: lists([2, 3], [1]) },
    );
    expect([...ranks]).toEqual([1.5, 0]);
    expect([...numCandidates]).toEqual([3, 2]);
  });

  it('refuses NaN scores and several positives', () => {
    const scores = { positives: Float32Array.of(5), candidates: Float32Array.of(7, NaN) };
    expect(() => rankAgainst(scores, { positives: lists([1]), candidates: lists([2, 3]) })).toThrow(
      'the score of item 3 for entry 0 is NaN',
    );
    expect(() => rankAgainst(scores, { positives: lists([1, 2]), candidates: lists([3]) })).toThrow(
      'entry 0 has 2 positives; a list of candidates is for exactly one',
    );
  });
});

describe('ranksOf', () => {
  it('counts greater scores, and half of the equal ones', () => {
    expect(evaluateUser([5, 3, 3, 1], [2]).rank).toBe(1.5);
    expect(evaluateUser([5, 3, 3, 1], [0]).rank).toBe(0);
  });

  it('puts a constant scorer in the middle', () => {
    const result = evaluateUser(new Array<number>(101).fill(1), [17]);
    expect(result.rank).toBe(50);
    expect(result['auc']).toBeCloseTo(0.5, 6);
    expect(result['hr@50']).toBe(0);
  });

  it('shares the middle of the places among equals, and counts no seen item twice', () => {
    const counts = { greater: Int32Array.of(0, 3, 2), equal: Int32Array.of(1, 2, 3) };
    const { ranks, numCandidates } = ranksOf(counts, {
      numItems: 9,
      positives: lists([4, 5], [6]),
      seen: lists([1, 2, 1], [1]),
    });
    expect([...ranks]).toEqual([0, 3.5, 3]);
    expect([...numCandidates]).toEqual([7, 8]);
  });
});

describe('userMetrics', () => {
  it('gives 1 everywhere to a perfect scorer', () => {
    const perfect = evaluateUser([9, 8, 1, 0, -1, -2], [0, 1]);
    for (const name of ['hr@5', 'recall@5', 'ndcg@5', 'ndcg@1', 'mrr', 'auc']) expect(perfect[name]).toBeCloseTo(1, 6);
    expect(perfect['recall@1']).toBe(0.5);
    expect(perfect['precision@5']).toBeCloseTo(0.4, 6);
  });

  it('discounts by log2(rank + 2)', () => {
    expect(evaluateUser([3, 2, 1], [1])['ndcg@5']).toBeCloseTo(1 / Math.log2(3), 6);
    expect(evaluateUser([3, 2, 1], [2])['mrr']).toBeCloseTo(1 / 3, 6);
    expect(evaluateUser([3, 2, 1], [1])['ndcg@1']).toBe(0);
  });

  it('counts a positive within the first k places and none beyond, for every cut-off', () => {
    const scores = Array.from({ length: 102 }, (_, item) => -item);
    for (const place of [1, 2, 5, 6, 10, 11, 100, 101]) {
      const metrics = evaluateUser(scores, [place - 1]);
      expect(metrics['mrr']).toBeCloseTo(1 / place, 6);
      for (const k of cutoffs) {
        const isWithin = place <= k;
        expect(metrics[`mrr@${k}`], `mrr@${k} of place ${place}`).toBeCloseTo(isWithin ? 1 / place : 0, 6);
        expect(metrics[`hr@${k}`], `hr@${k} of place ${place}`).toBe(isWithin ? 1 : 0);
        expect(metrics[`ndcg@${k}`], `ndcg@${k} of place ${place}`).toBeCloseTo(
          isWithin ? 1 / Math.log2(place + 1) : 0,
          6,
        );
      }
    }
  });

  it('never has more hits than places, when several positives share one place', () => {
    const tied = evaluateUser([7, 7, 7, 7, 0], [0, 1, 2]); // rank 1.5 each
    expect(tied['rank']).toBe(1.5);
    expect(tied['hr@1']).toBe(0);
    const alone = evaluateUser([7, 7, 0], [0, 1]); // rank .5 each, and one place
    expect(alone['precision@1']).toBe(1);
    expect(alone['recall@1']).toBe(0.5);
    expect(alone['ndcg@1']).toBeCloseTo(1 / Math.log2(2.5), 6);
  });

  it('keeps every metric within 0 and 1, whatever ties', () => {
    const catalogue = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 130 });
    fc.assert(
      fc.property(catalogue, fc.integer({ min: 1, max: 129 }), (scores, count) => {
        const positives = Array.from({ length: Math.min(count, scores.length - 1) }, (_, item) => item);
        const { rank: _rank, ...metrics } = evaluateUser(scores, positives);
        for (const [name, value] of Object.entries(metrics)) {
          expect(value, name).toBeGreaterThanOrEqual(0);
          expect(value, name).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('equals a direct sort when there are no ties, whatever the order of the items', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 3, maxLength: 30 }),
        fc.integer({ min: 1, max: 3 }),
        (scores, count) => {
          const positives = Array.from({ length: Math.min(count, scores.length - 1) }, (_, i) => i);
          const order = scores.map((_, i) => i).sort((a, b) => (scores[b] as number) - (scores[a] as number));
          const result = evaluateUser(scores, positives);
          const hits = order.slice(0, 5).filter((item) => positives.includes(item)).length;
          expect(result['recall@5']).toBeCloseTo(hits / positives.length, 6);
          const negatives = order.filter((item) => !positives.includes(item));
          const pairs = positives.flatMap((p) =>
            negatives.map((n) => ((scores[p] as number) > (scores[n] as number) ? 1 : 0)),
          );
          expect(result['auc']).toBeCloseTo(pairs.reduce((a: number, b) => a + b, 0) / pairs.length, 5);
        },
      ),
    );
  });
});

describe('topK', () => {
  it('equals a full sort, lower ids first among equals', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (scores, k) => {
          const excluded = Uint8Array.from(scores, (_, i) => (i % 7 === 3 ? 1 : 0));
          const expected = scores
            .map((score, item) => ({ score, item }))
            .filter(({ item }) => excluded[item] === 0)
            .sort((a, b) => b.score - a.score || a.item - b.item)
            .slice(0, k)
            .map(({ item }) => item);
          expect([...topK(Float32Array.from(scores), k, excluded)]).toEqual(expected);
        },
      ),
    );
  });
});

describe('ListStatistics', () => {
  it('counts distinct items and averages popularity over the lists', () => {
    const statistics = new ListStatistics({ numItems: 4, popularity: Int32Array.of(10, 20, 30, 40) });
    statistics.add(Float32Array.of(4, 3, 2, 1, 4, 3, 2, 1), { seen: lists([], [0]), from: 0 });
    expect(statistics.metrics()['coverage@1']).toBe(0.5); // item 0 for the first user, item 1 for the second
    expect(statistics.metrics()['mean_popularity@1']).toBe(15);
    expect(statistics.metrics()['coverage@5']).toBe(1);
  });

  it('counts the places that go to items which training never saw', () => {
    const statistics = new ListStatistics({ numItems: 4, popularity: Int32Array.of(10, 0, 30, 0) });
    statistics.add(Float32Array.of(4, 3, 2, 1, 4, 3, 2, 1), { seen: lists([], [0]), from: 0 });
    expect(statistics.metrics()['cold_share@1']).toBe(0.5); // item 0, then item 1
    expect(statistics.metrics()['cold_share@5']).toBeCloseTo(4 / 7, 9);
  });
});

describe('ListStatistics of categories', () => {
  const diversity = (...all: readonly number[][]) => {
    const categories = Int32Array.of(1, 1, 2, 2, 3, 3);
    const statistics = new ListStatistics({ numItems: 6, popularity: new Int32Array(6), categories });
    for (const list of all) statistics.addList(Int32Array.from(list));
    return statistics.metrics();
  };

  it('counts the pairs that differ, of as many items as the list has', () => {
    expect(diversity([0, 1, 2])['diversity@5']).toBeCloseTo(2 / 3, 9);
    expect(diversity([0, 1, 2, 3, 4, 5])['diversity@5']).toBeCloseTo(8 / 10, 9); // 0 1 and 2 3 are alike
    expect(diversity([0, 1, 2, 3, 4, 5])['diversity@10']).toBeCloseTo(12 / 15, 9);
  });

  it('is a mean over the lists that have a pair', () => {
    expect(diversity([0, 1], [0, 2], [3])['diversity@5']).toBe(0.5);
  });

  it('says nothing of one item, or without categories', () => {
    expect('diversity@1' in diversity([0, 1])).toBe(false);
    const without = new ListStatistics({ numItems: 2, popularity: new Int32Array(2) });
    without.addList(Int32Array.of(0, 1));
    expect('diversity@5' in without.metrics()).toBe(false);
  });
});

describe('categoryMetrics', () => {
  it('counts a category as soon as the best of its positives is within the first k', () => {
    const ranks = Float64Array.of(0, 30, 5, 4, 50, 99.5); // two users: categories 7 7 2 2 | 7 9
    const positives = { offsets: Int32Array.of(0, 4, 6), items: Int32Array.of(0, 1, 2, 3, 1, 4) };
    const result = categoryMetrics(ranks, positives, Int32Array.of(7, 7, 2, 2, 9));
    const at = (k: number) => [...(result[`category_recall@${k}`] as Float32Array)];
    expect(at(1)).toEqual([0.5, 0]);
    expect(at(5)).toEqual([1, 0]);
    expect(at(50)).toEqual([1, 0]);
    expect(at(100)).toEqual([1, 1]);
  });
});

describe('worthMetrics', () => {
  const worth = Float32Array.from({ length: 30 }, (_, item) => item);

  it('compares what a list brings with the most that so many items could bring', () => {
    const list = Int32Array.of(28, 0, 29, ...Array.from({ length: 27 }, (_, k) => 1 + k)); // then 1, 2 ...
    const found = worthMetrics(list, worth);
    expect(found['value@1']).toBeCloseTo(28 / 29, 9);
    expect(found['value@5']).toBeCloseTo((28 + 0 + 29 + 1 + 2) / (29 + 28 + 27 + 26 + 25), 9);
    expect([found['value@50'], found['value@100']]).toEqual([1, 1]); // all there is
  });

  it('is 1 for the best list, and not known where nothing brings anything', () => {
    const best = Int32Array.from({ length: 30 }, (_, place) => 29 - place);
    expect(new Set(Object.values(worthMetrics(best, worth)))).toEqual(new Set([1]));
    expect(worthMetrics(best, new Float32Array(30))['value@5']).toBeNaN();
  });
});

describe('positiveRecall', () => {
  it('takes the recall of every user apart, whatever ties', () => {
    const ranks = fc.array(fc.nat(24), { minLength: 1, maxLength: 8 }).map((halves) => halves.map((half) => half / 2));
    fc.assert(
      fc.property(fc.array(ranks, { minLength: 1, maxLength: 5 }), (users) => {
        const { offsets } = lists(...users);
        const all = Float64Array.from(users.flat());
        const recalls = userMetrics({ ranks: all, numCandidates: new Int32Array(users.length).fill(99) }, offsets);
        for (const k of cutoffs) {
          const parts = positiveRecall(all, offsets, k);
          for (const user of users.keys()) {
            const own = parts.subarray(offsets[user], offsets[user + 1]);
            const mean = own.reduce((sum, part) => sum + part, 0) / own.length;
            expect(mean).toBeCloseTo(recalls[`recall@${k}`]?.[user] as number, 6);
          }
        }
      }),
    );
  });
});

describe('meanOverUsers', () => {
  it('leaves out users without a value', () => {
    expect(meanOverUsers(Float32Array.of(1, NaN, 3))).toBe(2);
    expect(meanOverUsers(Float32Array.of(NaN))).toBeNaN();
  });

  it('counts users as much as it is told', () => {
    expect(meanOverUsers([1, NaN, 3], [1, 9, 0.5])).toBeCloseTo(2.5 / 1.5, 12);
  });
});
