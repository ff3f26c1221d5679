import { assembleCandidate, assembleQuery, type PreparedData, type Truth } from '@towerbench/data';
import {
  createRng,
  forward,
  Lookups,
  scoped,
  tf,
  type CatalogueVectors,
  type Pairs,
  type Parameter,
  type Scope,
} from '@towerbench/engine';
import type { MultiInterestModel, RankingModel, ScoringModel, TowerModel } from '@towerbench/models';

/** Whatever can be evaluated: a trained model, a baseline, or the truth of a planted world. */
export interface Scorer {
  /** Scores of every item of the catalogue for each user, given how much of the user's history may be read: [users, items]. */
  scoreUsers(users: Int32Array, historyEnd: Int32Array): Float32Array;
  /** Score of each pair. */
  scorePairs(users: Int32Array, items: Int32Array, historyEnd: Int32Array): Float32Array;
  /** Vectors whose inner products are the scores, the items in their order; null where there are none. */
  readonly vectors: ((users: Int32Array, historyEnd: Int32Array) => CatalogueVectors) | null;
  /** See `MultiInterestModel.aggregate`; null where lists are by score. */
  readonly aggregate: NonNullable<MultiInterestModel['aggregate']> | null;
  /** Vectors of all items, in their order, alike where items are; null where there are none. */
  readonly items: (() => Pick<CatalogueVectors, 'candidates' | 'dim'>) | null;
  /** What a baseline says beside its scores; null for all else. */
  readonly baseline: Pick<ScoringModel, 'scoreHistory' | 'reason'> | null;
}

/** Rows that are encoded at once. */
const BLOCK = 1024;
/** Pairs that a model without vectors scores at once. */
const BLOCK_PAIRS = 1 << 14;

/**
 * Scores by the vectors of the towers: their dot product, with several query vectors the largest. The candidate vectors are computed
 * once, when it is made: make a new one after the weights have changed.
 */
export function towerScorer(model: TowerModel, parameters: readonly Parameter[], data: PreparedData): Scorer {
  const encode = encoderOf(model, parameters, data);
  const { dim } = model.candidate;
  const catalogue = Int32Array.from({ length: data.numItems }, (_, item) => item);
  const candidates = encode.candidates(catalogue); // [items, dim]
  const interests = model.retrieval === 'dot' ? 1 : model.query.numInterests;

  return {
    scoreUsers(users, historyEnd) {
      const { vectors, active } = encode.queries(users, historyEnd);
      const scores = products(vectors, candidates, dim); // [users · K, items]
      return interests === 1 ? scores : largestOf(scores, active, { interests, width: data.numItems });
    },
    scorePairs(users, items, historyEnd) {
      const { vectors, active } = encode.queries(users, historyEnd);
      return Float32Array.from(items, (item, row) => {
        let best = -Infinity;
        for (let k = 0; k < (active[row] as number); k++) {
          best = Math.max(best, dot(vectors, row * interests + k, candidates, item, dim));
        }
        return best;
      });
    },
    vectors:
      model.retrieval === 'dot'
        ? (users, historyEnd) => ({ queries: encode.queries(users, historyEnd).vectors, candidates, dim })
        : null,
    aggregate: (model.retrieval === 'multi-interest' && model.aggregate) || null,
    items: () => ({ candidates, dim }),
    baseline: null,
  };
}

/** Scores of some items for each user with the weights as they are when it is asked: [users, items]. */
export type PoolScorer = (users: Int32Array, historyEnd: Int32Array, items: Int32Array) => Float32Array;

/** Scores pools of items while a model is trained, as it would serve them: without dropout. */
export function poolScorer(
  model: TowerModel | RankingModel,
  parameters: readonly Parameter[],
  data: PreparedData,
): PoolScorer {
  if (model.kind === 'ranker') return pairPoolScorer(model, parameters, data);
  const encode = encoderOf(model, parameters, data);
  const interests = model.retrieval === 'dot' ? 1 : model.query.numInterests;
  return (users, historyEnd, items) => {
    const { vectors, active } = encode.queries(users, historyEnd);
    const scores = products(vectors, encode.candidates(items), model.candidate.dim); // [users · K, items]
    return interests === 1 ? scores : largestOf(scores, active, { interests, width: items.length });
  };
}

/** What `model` makes of users and items, a block at a time. */
function encoderOf(model: TowerModel, parameters: readonly Parameter[], data: PreparedData) {
  const lookups = new Lookups(model.tables);
  const rng = createRng('evaluation');
  const interests = model.retrieval === 'dot' ? 1 : model.query.numInterests;

  const inBlocks = (
    size: number,
    width: number,
    prepare: (from: number, to: number) => (scope: Scope) => tf.Tensor,
  ): Float32Array => {
    const vectors = new Float32Array(size * width);
    for (let from = 0; from < size; from += BLOCK) {
      lookups.begin();
      const run = prepare(from, Math.min(from + BLOCK, size));
      vectors.set(forward({ parameters, lookups, rng }, run), from * width);
    }
    return vectors;
  };

  return {
    /** @shape vectors [users, K, dim], active [users] */
    queries(users: Int32Array, historyEnd: Int32Array): { vectors: Float32Array; active: Int32Array } {
      const active = new Int32Array(users.length).fill(interests);
      const vectors = inBlocks(users.length, interests * model.query.dim, (from, to) => {
        const batch = assembleQuery(data, users.subarray(from, to), historyEnd.subarray(from, to));
        const counts = model.retrieval === 'dot' ? null : model.query.activeInterests(batch);
        if (counts !== null) active.set(counts, from);
        return model.query.prepare(batch, lookups);
      });
      return { vectors, active };
    },
    /** @shape [items, dim] */
    candidates: (items: Int32Array): Float32Array =>
      inBlocks(items.length, model.candidate.dim, (from, to) =>
        model.candidate.prepare(assembleCandidate(data, items.subarray(from, to)), lookups),
      ),
  };
}

/** @shape queries [n, dim], candidates [m, dim] -> [n, m] */
function products(queries: Float32Array, candidates: Float32Array, dim: number): Float32Array {
  return scoped(() => {
    const u = tf.tensor2d(queries, [queries.length / dim, dim]);
    const v = tf.tensor2d(candidates, [candidates.length / dim, dim]);
    return Float32Array.from(tf.matMul(u, v, false, true).dataSync());
  });
}

/** The largest score of the first `active` interests of each query. @shape scores [queries, interests, width] -> [queries, width] */
function largestOf(
  scores: Float32Array,
  active: Int32Array,
  { interests, width }: { readonly interests: number; readonly width: number },
): Float32Array {
  const best = new Float32Array(active.length * width);
  for (const [row, count] of active.entries()) {
    const out = best.subarray(row * width, (row + 1) * width);
    out.set(scores.subarray(row * interests * width, (row * interests + 1) * width));
    for (let k = 1; k < count; k++) {
      const from = (row * interests + k) * width;
      for (let i = 0; i < width; i++) out[i] = Math.max(out[i] as number, scores[from + i] as number);
    }
  }
  return best;
}

function dot(a: Float32Array, rowOfA: number, b: Float32Array, rowOfB: number, dim: number): number {
  let sum = 0;
  for (let k = 0; k < dim; k++) sum += (a[rowOfA * dim + k] as number) * (b[rowOfB * dim + k] as number);
  return sum;
}

/** Scores every pair by itself: exact, and slow where there are many. */
export function rankerScorer(model: RankingModel, parameters: readonly Parameter[], data: PreparedData): Scorer {
  const score = pairsScorer(model, parameters, data);
  const ofPool = pairPoolScorer(model, parameters, data);
  const catalogue = Int32Array.from({ length: data.numItems }, (_, item) => item);

  return {
    scoreUsers: (users, historyEnd) => ofPool(users, historyEnd, catalogue),
    scorePairs(users, items, historyEnd) {
      const scores = new Float32Array(users.length);
      for (let from = 0; from < users.length; from += BLOCK_PAIRS) {
        const to = Math.min(from + BLOCK_PAIRS, users.length);
        const [ofUsers, ends, ofItems] = [users, historyEnd, items].map((of) => of.subarray(from, to)) as [
          Int32Array,
          Int32Array,
          Int32Array,
        ];
        const each = Int32Array.from({ length: to - from }, (_, row) => row);
        scores.set(score(ofUsers, ends, ofItems, { queryOf: each, candidateOf: each }), from);
      }
      return scores;
    },
    vectors: null,
    aggregate: null,
    items: null,
    baseline: null,
  };
}

/** What a model without vectors gives to pairs of users and items. */
function pairsScorer(model: RankingModel, parameters: readonly Parameter[], data: PreparedData) {
  const lookups = new Lookups(model.tables);
  const rng = createRng('evaluation');
  return (users: Int32Array, historyEnd: Int32Array, items: Int32Array, pairs: Pairs): Float32Array => {
    lookups.begin();
    const batches = { query: assembleQuery(data, users, historyEnd), candidate: assembleCandidate(data, items) };
    return forward({ parameters, lookups, rng }, model.prepare(batches, pairs, lookups));
  };
}

function pairPoolScorer(model: RankingModel, parameters: readonly Parameter[], data: PreparedData): PoolScorer {
  const score = pairsScorer(model, parameters, data);
  return (users, historyEnd, items) => {
    const numUsersAtOnce = Math.max(1, Math.floor(BLOCK_PAIRS / items.length));
    const scores = new Float32Array(users.length * items.length);
    for (let from = 0; from < users.length; from += numUsersAtOnce) {
      const to = Math.min(from + numUsersAtOnce, users.length);
      const ofUsers = [users.subarray(from, to), historyEnd.subarray(from, to)] as const;
      const queryOf = Int32Array.from({ length: to - from }, (_, row) => row);
      for (let first = 0; first < items.length; first += BLOCK_PAIRS) {
        const some = items.subarray(first, first + BLOCK_PAIRS);
        const candidateOf = Int32Array.from({ length: (to - from) * some.length }, (_, k) => k % some.length);
        const block = score(...ofUsers, some, { queryOf, candidateOf }); // [users, some]
        for (let row = 0; row < to - from; row++)
          scores.set(block.subarray(row * some.length, (row + 1) * some.length), (from + row) * items.length + first);
      }
    }
    return scores;
  };
}

/** A baseline or the truth as a scorer; neither reads a history that grows. */
export function staticScorer(source: ScoringModel | Truth): Scorer {
  const vectors = ('vectors' in source ? source.vectors : undefined) ?? null;
  return {
    scoreUsers: (users) => source.scoreUsers(users),
    scorePairs: (users, items) => source.scorePairs(users, items),
    vectors,
    aggregate: null,
    items: vectors && (() => vectors(new Int32Array(0))),
    baseline: 'kind' in source ? source : null,
  };
}
