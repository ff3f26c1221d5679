import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { createRng } from '../random.js';
import type { CandidateLists, CatalogueVectors } from './catalogue-scan.js';
import { composedTopK, topK, type TopK, type TopKInputs } from './top-k.js';

beforeAll(() => startEngine('simd'));

const normals = (length: number, seed: number): Float32Array => {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal());
};

/** Whole numbers from −most to most, so that float32 scores are exact and often equal. */
const wholes = (length: number, most: number, seed: number): Float32Array => {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.int(2 * most + 1) - most);
};

function listsOf(...lists: readonly (readonly number[])[]): CandidateLists {
  const offsets = new Int32Array(lists.length + 1);
  for (const [i, list] of lists.entries()) offsets[i + 1] = (offsets[i] as number) + list.length;
  return { offsets, items: Int32Array.from(lists.flat()) };
}

/** Each candidate with probability `share`, in no order, some twice. */
function randomLists(numQueries: number, numCandidates: number, share: number, seed: number): CandidateLists {
  const rng = createRng(seed);
  return listsOf(
    ...Array.from({ length: numQueries }, () => {
      const items = Array.from({ length: numCandidates }, (_, item) => item).filter(() => rng.uniform() < share);
      return [...items, ...items.slice(0, 2)].reverse();
    }),
  );
}

function scoreOf({ queries, candidates, dim }: CatalogueVectors, query: number, item: number): number {
  let score = 0;
  for (let d = 0; d < dim; d++) score += (queries[query * dim + d] as number) * (candidates[item * dim + d] as number);
  return score;
}

/** Every score in float64, then a full sort. */
function oracle({ queries, candidates, dim, k, excluded }: TopKInputs): TopK {
  const numCandidates = candidates.length / dim;
  const lists = Array.from({ length: queries.length / dim }, (_, query) => {
    const out = new Set(excluded?.items.subarray(excluded.offsets[query], excluded.offsets[query + 1]) ?? []);
    const scored = Array.from({ length: numCandidates }, (_, item) => {
      return { item, score: scoreOf({ queries, candidates, dim }, query, item) };
    }).filter(({ item, score }) => !out.has(item) && !Number.isNaN(score));
    const best = scored.sort((a, b) => (a.score === b.score ? a.item - b.item : b.score - a.score)).slice(0, k);
    return [...best, ...new Array<(typeof best)[0]>(k - best.length).fill({ item: -1, score: -Infinity })];
  });
  return {
    items: Int32Array.from(lists.flat(), ({ item }) => item),
    scores: Float32Array.from(lists.flat(), ({ score }) => score),
  };
}

const shapes = fc.record({
  numQueries: fc.oneof(fc.integer({ min: 0, max: 7 }), fc.constantFrom(16, 33)),
  numCandidates: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(64, 511, 512, 513, 1030, 1537)),
  dim: fc.oneof(fc.integer({ min: 1, max: 19 }), fc.constantFrom(32, 64)),
  k: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(63, 64, 65, 100, 600)),
  seed: fc.integer(),
});

describe('topK', () => {
  it('equals a full sort in float64 when scores are whole numbers, most of them equal', () => {
    fc.assert(
      fc.property(
        shapes,
        fc.constantFrom(1, 2, 9),
        fc.constantFrom(0, 0.1, 0.7, 1),
        ({ numQueries, numCandidates, dim, k, seed }, most, share) => {
          const inputs = {
            queries: wholes(numQueries * dim, most, seed),
            candidates: wholes(numCandidates * dim, most, seed + 1),
            dim,
            k,
            ...(share > 0 && { excluded: randomLists(numQueries, numCandidates, share, seed) }),
          };
          const expected = oracle(inputs);
          expect(topK(inputs)).toEqual(expected);
          expect(composedTopK(inputs)).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has the scores of a float64 loop, each item once, in falling order', () => {
    fc.assert(
      fc.property(shapes, ({ numQueries, numCandidates, dim, k, seed }) => {
        const inputs = {
          queries: normals(numQueries * dim, seed),
          candidates: normals(numCandidates * dim, seed + 1),
          dim,
          k,
          excluded: randomLists(numQueries, numCandidates, 0.2, seed),
        };
        const expected = oracle(inputs);
        for (const found of [topK(inputs), composedTopK(inputs)]) {
          let gap = 0;
          for (let query = 0; query < numQueries; query++) {
            const [from, to] = [query * k, (query + 1) * k];
            const best = expected.scores.subarray(from, to);
            const length = best.filter((score) => score !== -Infinity).length;
            const items = found.items.subarray(from, to);
            const scores = found.scores.subarray(from, to);
            expect(items.slice(length)).toEqual(new Int32Array(k - length).fill(-1));
            expect(scores.slice(length)).toEqual(new Float32Array(k - length).fill(-Infinity));
            expect(scores).toEqual(scores.slice().sort().reverse());
            expect(new Set(items.subarray(0, length)).size).toBe(length);
            const { offsets, items: excluded } = inputs.excluded;
            const out = new Set(excluded.subarray(offsets[query], offsets[query + 1]));
            for (let place = 0; place < length; place++) {
              const item = items[place] as number;
              if (out.has(item)) throw new Error(`query ${query} lists item ${item}, which is excluded`);
              const score = scores[place] as number;
              const exact = scoreOf(inputs, query, item);
              gap = Math.max(gap, Math.abs(score - (best[place] as number)), Math.abs(score - exact));
            }
          }
          expect(gap).toBeLessThan(1e-6 * dim); // float32 products of numbers around 1
        }
      }),
      { numRuns: 25 },
    );
  });

  it('gives equal vectors equal scores wherever they stand, and lists the lower id first', () => {
    const dim = 13;
    const one = normals(dim, 1);
    const candidates = normals(1600 * dim, 2).map((x) => x * 0.1);
    const twins = [3, 40, 511, 512, 1024, 1599];
    for (const item of twins) candidates.set(one, item * dim);
    const { items, scores } = topK({ queries: one, candidates, dim, k: 6 });
    expect([...items]).toEqual(twins);
    expect(new Set(scores).size).toBe(1);
  });

  it('finds what 16 bits cannot tell apart', () => {
    const dim = 8;
    const base = normals(dim, 1);
    // 700 candidates that differ by millionths, and one so long that it takes all of the 16 bits
    const candidates = Float32Array.from({ length: 700 * dim }, (_, i) => {
      const item = Math.floor(i / dim);
      return (base[i % dim] as number) * (1 + ((item * 7) % 700) * 1e-6);
    });
    candidates.set(normals(dim, 2).map((x) => x * 1e4), 650 * dim); // prettier-ignore
    const inputs = { queries: base, candidates, dim, k: 20 };
    const { items, scores } = topK(inputs);
    const expected = oracle(inputs);
    for (const [place, item] of items.entries()) {
      expect(scores[place]).toBeCloseTo(expected.scores[place] as number, 3);
      if (item !== 650) expect((item * 7) % 700).toBeGreaterThan(700 - 24);
    }
  });

  it('takes candidates that come in rising order of their scores', () => {
    const candidates = Float32Array.from({ length: 5000 }, (_, item) => item);
    const { items } = topK({ queries: Float32Array.of(1, -1), candidates, dim: 1, k: 3 });
    expect([...items]).toEqual([4999, 4998, 4997, 0, 1, 2]);
  });

  it('serves more queries than pass at a time', () => {
    const numQueries = 2050;
    const queries = Float32Array.from({ length: numQueries }, (_, query) => (query % 2 === 0 ? 1 : -1));
    const excluded = listsOf(...Array.from({ length: numQueries }, (_, query) => (query % 3 === 0 ? [0, 2] : [])));
    const { items } = topK({ queries, candidates: Float32Array.of(1, 2, 3), dim: 1, k: 2, excluded });
    const expected = Array.from({ length: numQueries }, (_, query) => {
      const order = query % 2 === 0 ? [2, 1, 0] : [0, 1, 2];
      const left = query % 3 === 0 ? order.filter((item) => item === 1) : order;
      return [...left, -1].slice(0, 2);
    });
    expect([...items]).toEqual(expected.flat());
  });

  it('leaves NaN scores out and lets infinite ones in, without touching other candidates', () => {
    const candidates = Float32Array.of(1, NaN, Infinity, -Infinity, 0, 5, -7);
    for (const form of [topK, composedTopK]) {
      const { items, scores } = form({ queries: Float32Array.of(1, NaN, 0, Infinity), candidates, dim: 1, k: 7 });
      expect([...items.subarray(0, 7)]).toEqual([2, 5, 0, 4, 6, 3, -1]);
      expect([...scores.subarray(0, 7)]).toEqual([Infinity, 5, 1, 0, -7, -Infinity, -Infinity]);
      expect([...items.subarray(7, 14)]).toEqual([-1, -1, -1, -1, -1, -1, -1]);
      expect([...items.subarray(14, 21)]).toEqual([0, 4, 5, 6, -1, -1, -1]); // 0 · ∞ is NaN
      expect([...items.subarray(21)]).toEqual([0, 2, 5, 3, 6, -1, -1]);
    }
  });

  it('orders scores that are as small or as large as float32 goes', () => {
    const candidates = Float32Array.of(1e-30, -1e-30, 3e-30, 1e30, -1e30, 3e30, 1e-45);
    for (const scale of [1, 1e-8, 1e8]) {
      const { items } = topK({ queries: Float32Array.of(scale), candidates, dim: 1, k: 4 });
      expect([...items.subarray(0, 3)]).toEqual([5, 3, 2]);
    }
    const rising = Float32Array.from({ length: 700 }, (_, item) => item);
    const largest = topK({ queries: Float32Array.of(4.5e-23, 1e19, 1e30), candidates: rising, dim: 1, k: 3 });
    expect([...largest.items]).toEqual([699, 698, 697, 699, 698, 697, 699, 698, 697]);
    const smallest = topK({ queries: rising, candidates: Float32Array.of(1e19, 4.5e-23, -1e19), dim: 1, k: 1 });
    expect(smallest.items).toEqual(new Int32Array(700));
  });

  it('orders candidates whose squares vanish in float32', () => {
    for (const unit of [1e-22, 1e-25, 1e-38]) {
      const candidates = Float32Array.from({ length: 700 }, (_, item) => item * unit);
      const { items } = topK({ queries: Float32Array.of(1e5, -1e5), candidates, dim: 1, k: 3 });
      expect([...items]).toEqual([699, 698, 697, 0, 1, 2]);
    }
  });

  it('lists the lowest ids for vectors that are all zero', () => {
    const inputs = { dim: 5, k: 70, queries: normals(15, 1).fill(0, 5, 10), candidates: new Float32Array(600 * 5) };
    const { items, scores } = topK(inputs);
    expect(items).toEqual(Int32Array.from({ length: 3 * 70 }, (_, at) => at % 70));
    expect(scores).toEqual(new Float32Array(3 * 70));
    const found = topK({ ...inputs, candidates: normals(600 * 5, 2) });
    expect(found.items.subarray(70, 140)).toEqual(Int32Array.from({ length: 70 }, (_, place) => place));
  });

  it('keeps its full lists when a block with NaN or infinite numbers comes', () => {
    const wrong = [NaN, Infinity, -Infinity];
    for (const at of wrong.keys()) {
      const candidates = Float32Array.from({ length: 1600 * 2 }, (_, i) => (i % 2 === 0 ? i / 2 : 1));
      candidates[2 * (700 + at)] = wrong[at] as number;
      const inputs = { queries: Float32Array.of(1, 0, -1, 2), candidates, dim: 2, k: 80 };
      expect(topK(inputs)).toEqual(oracle(inputs));
      expect(composedTopK(inputs)).toEqual(oracle(inputs));
    }
  });

  it('counts scores that vanish as 0, whatever their sign', () => {
    const { items, scores } = topK({
      queries: Float32Array.of(1e-30),
      candidates: Float32Array.of(-1e-30, 0, 1e-30),
      dim: 1,
      k: 3,
    });
    expect([[...items], [...scores]]).toEqual([
      [0, 1, 2],
      [0, 0, 0],
    ]);
  });

  it('compares blocks whose vectors are of very different lengths', () => {
    const lengths = [1, 1e9, 1e-9, 1e-6, 1e4];
    const signs = [-1, 1];
    const candidates = Float32Array.from(
      { length: 512 * lengths.length },
      (_, item) => (lengths[item >> 9] as number) * (signs[item % 2] as number) * (1 + (item % 512) / 512),
    );
    const inputs = { queries: Float32Array.of(1, -2), candidates, dim: 1, k: 70 };
    expect(topK(inputs)).toEqual(oracle(inputs));
    const last = { ...inputs, k: 1200 };
    expect(topK(last)).toEqual(oracle(last));
  });

  it('says what does not fit', () => {
    const fine = { queries: new Float32Array(4), candidates: new Float32Array(6), dim: 2, k: 1 };
    expect(() => topK({ ...fine, dim: 0 })).toThrow('dim is 0; it must be a positive whole number');
    expect(() => topK({ ...fine, queries: new Float32Array(3) })).toThrow(
      'queries has 3 numbers, which is not a multiple of dim 2',
    );
    expect(() => topK({ ...fine, k: 1.5 })).toThrow('k is 1.5; it must be a whole number from 0 on');
    expect(() => topK({ ...fine, excluded: listsOf([0]) })).toThrow('excluded has 2 offsets; 2 queries have 3');
    expect(() => topK({ ...fine, excluded: listsOf([], [3]) })).toThrow(
      'excluded: query 1 names candidate 3; there are 3',
    );
    const falling = { offsets: Int32Array.of(0, 2, 1), items: Int32Array.of(0, 1) };
    expect(() => topK({ ...fine, excluded: falling })).toThrow('excluded: the list of query 1 ends before it begins');
  });
});
