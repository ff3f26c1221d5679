import type { CatalogueVectors } from '@towerbench/engine';
import type { ScoringModel } from '../contract.js';

/**
 * Scores of a baseline that has a vector per user and per item: their inner products.
 *
 * @param vectors vectors of these users, in their order, and of all items
 * @numerics Sums are in float64 and rounded to float32 once. Ranks over the whole catalogue are found by the vectors, faster.
 */
export function scoresByVectors(
  vectors: (users: Int32Array) => CatalogueVectors,
): Required<Pick<ScoringModel, 'scoreUsers' | 'scorePairs' | 'vectors'>> {
  return {
    vectors,
    scoreUsers(users) {
      const found = vectors(users);
      const numItems = found.candidates.length / found.dim;
      return Float32Array.from({ length: users.length * numItems }, (_, at) =>
        product(found, { query: Math.floor(at / numItems), candidate: at % numItems }),
      );
    },
    scorePairs(users, items) {
      const found = vectors(users);
      return Float32Array.from(items, (candidate, query) => product(found, { query, candidate }));
    },
  };
}

function product(
  { queries, candidates, dim }: CatalogueVectors,
  rows: { readonly query: number; readonly candidate: number },
): number {
  let sum = 0;
  for (let k = 0; k < dim; k++) {
    sum += (queries[rows.query * dim + k] as number) * (candidates[rows.candidate * dim + k] as number);
  }
  return sum;
}

/** Rows of a table, one after another. @shape table [rows, dim], result [ids.length, dim] */
export function rowsOf(table: Float32Array, ids: Int32Array, dim: number): Float32Array {
  const rows = new Float32Array(ids.length * dim);
  for (const [row, id] of ids.entries()) rows.set(table.subarray(id * dim, (id + 1) * dim), row * dim);
  return rows;
}
