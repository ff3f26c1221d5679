import { assembleCandidate, assembleQuery, type PreparedData, type Truth } from '@towerbench/data';
import { createRng, forward, Lookups, scoped, tf, type CatalogueVectors, type Parameter } from '@towerbench/engine';
import type { ScoringModel, TowerModel } from '@towerbench/models';

/** Whatever can be evaluated: a trained model, a baseline, or the truth of a planted world. */
export interface Scorer {
  /** Scores of every item of the catalogue for each user, given how much of the user's history may be read: [users, items]. */
  scoreUsers(users: Int32Array, historyEnd: Int32Array): Float32Array;
  /** Score of each pair. */
  scorePairs(users: Int32Array, items: Int32Array, historyEnd: Int32Array): Float32Array;
  /** Vectors whose inner products are the scores, the items in their order; null where there are none. */
  readonly vectors: ((users: Int32Array, historyEnd: Int32Array) => CatalogueVectors) | null;
}

/** Rows that are encoded at once. */
const BLOCK = 1024;

/**
 * Scores by the dot product of the towers' vectors. The candidate vectors are computed once, when it is made: make a new one
 * after the weights have changed.
 */
export function towerScorer(model: TowerModel, parameters: readonly Parameter[], data: PreparedData): Scorer {
  const lookups = new Lookups(model.tables);
  const rng = createRng('evaluation');
  const dim = model.query.dim;

  const encode = (side: 'query' | 'candidate', ids: Int32Array, historyEnd: Int32Array): Float32Array => {
    const vectors = new Float32Array(ids.length * dim);
    for (let from = 0; from < ids.length; from += BLOCK) {
      const to = Math.min(from + BLOCK, ids.length);
      const block = ids.subarray(from, to);
      lookups.begin();
      const run =
        side === 'query'
          ? model.query.prepare(assembleQuery(data, block, historyEnd.subarray(from, to)), lookups)
          : model.candidate.prepare(assembleCandidate(data, block), lookups);
      vectors.set(forward({ parameters, lookups, rng }, run), from * dim);
    }
    return vectors;
  };

  const catalogue = Int32Array.from({ length: data.numItems }, (_, item) => item);
  const candidates = encode('candidate', catalogue, new Int32Array(0)); // [items, dim]

  return {
    scoreUsers(users, historyEnd) {
      const queries = encode('query', users, historyEnd);
      return scoped(() => {
        const u = tf.tensor2d(queries, [users.length, dim]);
        const v = tf.tensor2d(candidates, [data.numItems, dim]);
        return Float32Array.from(tf.matMul(u, v, false, true).dataSync()); // [users, items]
      });
    },
    scorePairs(users, items, historyEnd) {
      const queries = encode('query', users, historyEnd);
      const scores = new Float32Array(users.length);
      for (let row = 0; row < users.length; row++) {
        let sum = 0;
        const u = row * dim;
        const v = (items[row] as number) * dim;
        for (let k = 0; k < dim; k++) sum += (queries[u + k] as number) * (candidates[v + k] as number);
        scores[row] = sum;
      }
      return scores;
    },
    vectors: (users, historyEnd) => ({ queries: encode('query', users, historyEnd), candidates, dim }),
  };
}

/** A baseline or the truth as a scorer; neither reads a history that grows. */
export function staticScorer(source: ScoringModel | Truth): Scorer {
  return {
    scoreUsers: (users) => source.scoreUsers(users),
    scorePairs: (users, items) => source.scorePairs(users, items),
    vectors: null,
  };
}
