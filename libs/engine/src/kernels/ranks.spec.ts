import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { createRng } from '../random.js';
import { tf } from '../tf.js';
import type { CandidateLists, CatalogueVectors } from './catalogue-scan.js';
import {
  composedStandings,
  listedScores,
  standings,
  standingsOfScores,
  type RankInputs,
  type Standings,
} from './ranks.js';

beforeAll(() => startEngine('simd'));

const normals = (length: number, seed: number): Float32Array => {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal());
};

/** Whole numbers from −1 to 1, so that most scores are equal to others. */
const signs = (length: number, seed: number): Float32Array => {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.int(3) - 1);
};

function listsOf(...lists: readonly (readonly number[])[]): CandidateLists {
  const offsets = new Int32Array(lists.length + 1);
  for (const [i, list] of lists.entries()) offsets[i + 1] = (offsets[i] as number) + list.length;
  return { offsets, items: Int32Array.from(lists.flat()) };
}

/** Shares of the catalogue as targets and as excluded items, per query, apart from each other and in no order. */
function randomLists(numQueries: number, numCandidates: number, seed: number) {
  const rng = createRng(seed);
  const targets: number[][] = [];
  const excluded: number[][] = [];
  for (let query = 0; query < numQueries; query++) {
    const items = rng.shuffle(Array.from({ length: numCandidates }, (_, item) => item));
    const numTargets = rng.int(Math.min(4, numCandidates + 1));
    targets.push(items.slice(0, numTargets));
    excluded.push(items.slice(numTargets, numTargets + rng.int(numCandidates - numTargets + 1)));
  }
  return { targets: listsOf(...targets), excluded: listsOf(...excluded) };
}

/** Every score of the catalogue as the engine's matMul computes it: [queries, candidates]. */
function matMulScores({ queries, candidates, dim }: CatalogueVectors): Float32Array {
  const [u, v] = [
    tf.tensor2d(queries, [queries.length / dim, dim]),
    tf.tensor2d(candidates, [candidates.length / dim, dim]),
  ];
  const product = tf.matMul(u, v, false, true);
  const scores = Float32Array.from(product.dataSync());
  tf.dispose([u, v, product]);
  return scores;
}

/** Compares every score with every target's. */
function oracle({ targets, excluded, ...vectors }: RankInputs): Standings {
  const scores = matMulScores(vectors);
  const numCandidates = vectors.candidates.length / vectors.dim;
  const count = (isCounted: (other: number, score: number) => boolean) => (at: number) => {
    const query = targets.offsets.findLastIndex((offset) => offset <= at);
    const out = new Set(excluded?.items.subarray(excluded.offsets[query], excluded.offsets[query + 1]) ?? []);
    const own = scores.subarray(query * numCandidates, (query + 1) * numCandidates);
    const score = own[targets.items[at] as number] as number;
    return own.filter((other, item) => !out.has(item) && isCounted(other, score)).length;
  };
  const places = Int32Array.from(targets.items.keys());
  return { greater: places.map(count((a, b) => a > b)), equal: places.map(count((a, b) => a === b)) };
}

const shapes = fc.record({
  numQueries: fc.oneof(fc.integer({ min: 0, max: 7 }), fc.constantFrom(16, 33)),
  numCandidates: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(64, 511, 512, 513, 1030, 1537)),
  dim: fc.oneof(fc.integer({ min: 1, max: 19 }), fc.constantFrom(32, 64, 256)),
  seed: fc.integer(),
});

describe('standings', () => {
  it.each([
    ['of many equal scores', signs],
    ['of scores that differ', normals],
  ])('counts what every comparison counts, %s', (_, draw) => {
    fc.assert(
      fc.property(shapes, ({ numQueries, numCandidates, dim, seed }) => {
        const inputs = {
          queries: draw(numQueries * dim, seed),
          candidates: draw(numCandidates * dim, seed + 1),
          dim,
          ...randomLists(numQueries, numCandidates, seed),
        };
        expect(standings(inputs)).toEqual(oracle(inputs));
        expect(composedStandings(inputs)).toEqual(oracle(inputs));
      }),
      { numRuns: 40 },
    );
  });

  it('tells apart what 16 bits cannot', () => {
    const dim = 8;
    const base = normals(dim, 1);
    const candidates = Float32Array.from({ length: 700 * dim }, (_, i) => {
      return (base[i % dim] as number) * (1 + ((Math.floor(i / dim) * 7) % 700) * 1e-6);
    });
    const inputs = { queries: base, candidates, dim, targets: listsOf([0, 13, 350, 699]) };
    expect(standings(inputs)).toEqual(oracle(inputs));
  });

  it('needs no tensor ops on the simd engine', async () => {
    const dim = 8;
    const inputs = {
      queries: normals(20 * dim, 1),
      candidates: normals(600 * dim, 2),
      dim,
      ...randomLists(20, 600, 3),
    };
    const { kernelNames } = await tf.profile(() => {
      standings(inputs);
      return tf.scalar(0);
    });
    expect(kernelNames).toEqual([]);
  });

  it('compares blocks whose vectors are of very different lengths, some infinite, some too small to square', () => {
    const lengths = [1, 1e9, 1e-9, 1e-25, 1e4, Infinity, 0];
    const candidates = Float32Array.from({ length: 512 * lengths.length }, (_, item) => {
      const length = lengths[item >> 9] as number;
      return length === Infinity && item % 512 > 0
        ? item
        : length * (item % 2 === 0 ? 1 : -1) * (1 + (item % 512) / 512);
    });
    const all = Array.from({ length: candidates.length / 32 }, (_, i) => 32 * i);
    const inputs = { queries: Float32Array.of(1, -2, 1e20), candidates, dim: 1, targets: listsOf(all, all, all) };
    expect(standings(inputs)).toEqual(oracle(inputs));
  });

  it('serves more queries than pass at a time', () => {
    const queries = Float32Array.from({ length: 4100 }, (_, query) => (query % 2 === 0 ? 1 : -1));
    const targets = listsOf(...Array.from({ length: 4100 }, (_, query) => (query % 3 === 0 ? [] : [1, 0])));
    const { greater } = standings({ queries, candidates: Float32Array.of(1, 2, 3), dim: 1, targets });
    const expected = Array.from({ length: 4100 }, (_, query) => (query % 2 === 0 ? [1, 2] : [1, 0]));
    expect([...greater]).toEqual(expected.filter((_, query) => query % 3 !== 0).flat());
  });

  it('refuses scores that are NaN and targets that are excluded, as the tensor ops do', () => {
    for (const form of [standings, composedStandings]) {
      const fine = { queries: Float32Array.of(1, 2), candidates: Float32Array.of(1, 2, 3), dim: 1 };
      const lists = { targets: listsOf([], [1]), excluded: listsOf([], [0]) };
      const [first, second, third] = [
        Float32Array.of(NaN, 2, 3),
        Float32Array.of(1, NaN, 3),
        Float32Array.of(1, 2, NaN),
      ];
      expect([...form({ ...fine, ...lists, candidates: first }).greater]).toEqual([1]); // it is excluded
      expect(() => form({ ...fine, ...lists, candidates: second })).toThrow('query 1: the score of candidate 1 is NaN');
      expect(() => form({ ...fine, ...lists, candidates: third })).toThrow('query 1: the score of candidate 2 is NaN');
      expect(() => form({ ...fine, ...lists, queries: Float32Array.of(1, NaN) })).toThrow(
        'the score of candidate 1 is NaN',
      );
      expect(() => form({ ...fine, targets: listsOf([0], []), excluded: listsOf([0], []) })).toThrow(
        'query 0: target 0 is excluded',
      );
    }
  });

  it('says what does not fit', () => {
    const fine = { queries: new Float32Array(4), candidates: new Float32Array(6), dim: 2 };
    expect(() => standings({ ...fine, targets: listsOf([0]) })).toThrow('targets has 2 offsets; 2 queries have 3');
    expect(() => standings({ ...fine, targets: listsOf([0], [-1]) })).toThrow('targets: query 1 names candidate -1');
  });
});

describe('standingsOfScores', () => {
  it('counts what every comparison counts, and what standings count by the same scores', () => {
    fc.assert(
      fc.property(shapes, ({ numQueries, numCandidates, dim, seed }) => {
        const lists = randomLists(numQueries, numCandidates, seed);
        const vectors = {
          queries: signs(numQueries * dim, seed),
          candidates: signs(numCandidates * dim, seed + 1),
          dim,
        };
        const found = standingsOfScores({ scores: matMulScores(vectors), numCandidates, ...lists });
        expect(found).toEqual(oracle({ ...vectors, ...lists }));
        expect(found).toEqual(standings({ ...vectors, ...lists }));
      }),
      { numRuns: 40 },
    );
  });

  it('takes rows of some of the lists', () => {
    const scores = Float32Array.of(1, 2, 2, 0, -Infinity, 7, 0, -0);
    const lists = { targets: listsOf([3], [2], [], [0, 2]), excluded: listsOf([], [1, 1], [3], [1]) };
    const all = standingsOfScores({ ...lists, scores: Float32Array.of(...scores, ...scores), numCandidates: 4 });
    const rest = standingsOfScores({ ...lists, scores, numCandidates: 4, firstList: 2 });
    expect(all).toEqual({ greater: Int32Array.of(3, 0, 2, 0), equal: Int32Array.of(1, 2, 1, 2) });
    expect(rest).toEqual({ greater: Int32Array.of(2, 0), equal: Int32Array.of(1, 2) });
  });

  it('refuses scores that are NaN and targets that are excluded, and says of which list', () => {
    const scores = Float32Array.of(NaN, 2, 3);
    const of = (targets: number[], excluded: number[]) => () =>
      standingsOfScores({ scores, numCandidates: 3, targets: listsOf([], targets), excluded: listsOf([], excluded), firstList: 1 }); // prettier-ignore
    expect([...of([1], [0])().greater]).toEqual([1]); // what is NaN is excluded
    expect(of([1], [])).toThrow('query 1: the score of candidate 0 is NaN');
    expect(of([0], [])).toThrow('query 1: the score of candidate 0 is NaN');
    expect(of([], [])).toThrow('query 1: the score of candidate 0 is NaN');
    expect(of([1], [0, 1])).toThrow('query 1: target 1 is excluded');
    expect(of([3], [])).toThrow('targets: query 0 names candidate 3; there are 3');
  });
});

describe('listedScores', () => {
  it('are those of matMul, bit for bit, up to 256 dimensions', () => {
    fc.assert(
      fc.property(shapes, ({ numQueries, numCandidates, dim, seed }) => {
        const vectors = {
          queries: normals(numQueries * dim, seed),
          candidates: normals(numCandidates * dim, seed + 1),
          dim,
        };
        const { excluded: lists } = randomLists(numQueries, numCandidates, seed);
        const all = matMulScores(vectors);
        const expected =
          lists.items.length === 0
            ? []
            : [...lists.items].map((item, at) => {
                const query = lists.offsets.findLastIndex((offset) => offset <= at);
                return all[query * numCandidates + item];
              });
        expect([...listedScores({ ...vectors, lists })]).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});
