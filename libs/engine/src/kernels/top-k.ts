import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import {
  checkedCatalogue,
  forEachQuery,
  scanCatalogue,
  type Catalogue,
  type CatalogueVectors,
} from './catalogue-scan.js';

export interface TopKInputs extends CatalogueVectors {
  readonly k: number;
}

/** Lists of candidates, best first. */
export interface TopK {
  /** [queries, k]; −1 where fewer than k candidates are left. */
  readonly items: Int32Array;
  /** [queries, k]; −∞ where fewer than k candidates are left. */
  readonly scores: Float32Array;
}

/**
 * The k candidates of each query with the greatest inner product, over the whole catalogue, exact.
 *   s_rj = ⟨query_r, candidate_j⟩;  the list of r: its candidates by (s_rj falling, j rising), the first k
 * So of equal scores the lower id comes first, and a list is a function of the scores alone. A NaN score is never in a list; −∞ is the
 * last that can be. Candidates are read block by block, so a catalogue may be larger than the memory of the kernels.
 *
 * @shape queries [queries, dim], candidates [candidates, dim]; items and scores [queries, k]
 * @throws {RangeError} when lengths do not fit, k is no whole number from 0 on, or `excluded` names no candidate
 * @numerics On the simd engine a score adds its products in the order of the dimensions in float32, wherever its vectors stand: equal
 * vectors have equal scores. Elsewhere it is what the engine's matMul gives.
 */
export function topK({ k, ...vectors }: TopKInputs): TopK {
  if (!Number.isInteger(k) || k < 0) throw new RangeError(`k is ${k}; it must be a whole number from 0 on`);
  const catalogue = checkedCatalogue(vectors);
  const lists = emptyLists(catalogue.numQueries, k);
  const backend = sharedBackend();
  if (k === 0 || catalogue.numCandidates === 0) return lists;
  if (backend === null) fillComposed(catalogue, k, lists);
  else fill(backend, catalogue, k, lists);
  return lists;
}

/** The same made of tensor ops; what the kernels are compared with. */
export function composedTopK({ k, ...vectors }: TopKInputs): TopK {
  const catalogue = checkedCatalogue(vectors);
  const lists = emptyLists(catalogue.numQueries, k);
  fillComposed(catalogue, k, lists);
  return lists;
}

function emptyLists(numQueries: number, k: number): TopK {
  return { items: new Int32Array(numQueries * k).fill(-1), scores: new Float32Array(numQueries * k).fill(-Infinity) };
}

function fill(backend: SharedBackend, catalogue: Catalogue, k: number, { items, scores }: TopK): void {
  const { kernels } = backend;
  const length = Math.min(k, catalogue.numCandidates); // of a list
  const resultsAt = (state: number, rows: number): number => state + 4 * kernels.topKFloats(rows, length);
  scanCatalogue(backend, catalogue, {
    stateFloats: ({ from, to }) => kernels.topKFloats(to - from, length) + 2 * length * (to - from),
    open: (state, { from, to }) => kernels.openTopK(to - from, length, state),
    block: (scan, state) => kernels.topKBlock(scan, length, state),
    close(state, { from, to }) {
      const size = length * (to - from);
      const itemsAt = resultsAt(state, to - from);
      const scoresAt = itemsAt + 4 * size;
      kernels.closeTopK(to - from, length, state, itemsAt, scoresAt);
      const foundItems = backend.integers(itemsAt, size);
      const foundScores = backend.floats(scoresAt, size);
      for (let row = 0; row < to - from; row++) {
        const list = [row * length, (row + 1) * length] as const;
        items.set(foundItems.subarray(...list), (from + row) * k);
        scores.set(foundScores.subarray(...list), (from + row) * k);
      }
    },
  });
}

function fillComposed(catalogue: Catalogue, k: number, lists: TopK): void {
  const { numCandidates, excluded } = catalogue;
  const isExcluded = new Uint8Array(numCandidates);
  forEachQuery(catalogue, (query, scores) => {
    const own = excluded?.items.subarray(excluded.offsets[query], excluded.offsets[query + 1]) ?? [];
    for (const item of own) isExcluded[item] = 1;
    const items = lists.items.subarray(query * k, (query + 1) * k);
    const size = keepBest(scores, isExcluded, items);
    for (let place = 0; place < size; place++)
      lists.scores[query * k + place] = scores[items[place] as number] as number;
    for (const item of own) isExcluded[item] = 0;
  });
}

/** Writes the best items in order, as many as there is room for; returns how many there are. */
function keepBest(scores: Float32Array, isExcluded: Uint8Array, items: Int32Array): number {
  let size = 0;
  for (let item = 0; item < scores.length; item++) {
    const score = scores[item] as number;
    if (Number.isNaN(score) || isExcluded[item] === 1) continue;
    if (size === items.length && !(score > (scores[items[size - 1] as number] as number))) continue;
    let [low, high] = [0, size]; // the place behind all that score as much or more
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((scores[items[middle] as number] as number) >= score) low = middle + 1;
      else high = middle;
    }
    size = Math.min(size + 1, items.length);
    items.copyWithin(low + 1, low, size - 1);
    items[low] = item;
  }
  return size;
}
