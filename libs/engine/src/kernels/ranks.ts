import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import {
  checkedCatalogue,
  checkLists,
  forEachQuery,
  listsOf,
  scanCatalogue,
  type CandidateLists,
  type Catalogue,
  type CatalogueVectors,
  type QueryRange,
} from './catalogue-scan.js';

export interface RankInputs extends CatalogueVectors {
  /** Candidates whose places are wanted, per query; none of them excluded. */
  readonly targets: CandidateLists;
}

/** Of each target, in the order of the lists. */
export interface Standings {
  /** How many of its query's candidates score more. */
  readonly greater: Int32Array;
  /** How many score as much, itself included. */
  readonly equal: Int32Array;
}

/**
 * Scores of listed candidates, the same numbers that `topK` and `standings` compare.
 *   s_rj = ⟨query_r, candidate_j⟩
 *
 * @shape queries [queries, dim], candidates [candidates, dim]; result as `lists.items`
 * @throws {RangeError} when lengths do not fit, or a list names no candidate
 * @numerics Products are added in the order of the dimensions in float32; up to 256 of them that is what the engine's matMul gives, bit
 * for bit. Beyond, matMul adds some sums of 256 apart.
 */
export function listedScores({
  lists,
  ...vectors
}: Omit<CatalogueVectors, 'excluded'> & { readonly lists: CandidateLists }): Float32Array {
  const catalogue = checkedCatalogue(vectors);
  checkLists('lists', lists, catalogue);
  const scores = new Float32Array(lists.items.length);
  const backend = sharedBackend();
  if (backend === null) {
    forEachQuery(catalogue, (query, all) => {
      for (let at = lists.offsets[query] as number; at < (lists.offsets[query + 1] as number); at++)
        scores[at] = all[lists.items[at] as number] as number;
    });
  } else scanScores(backend, catalogue, lists, scores);
  return scores;
}

/**
 * Where targets stand in the whole catalogue, exactly.
 *   greater(j) = #{ i : s_ri > s_rj },  equal(j) = #{ i : s_ri = s_rj },  i over the candidates of r that are not excluded
 *
 * @shape queries [queries, dim], candidates [candidates, dim]; results as `targets.items`
 * @throws {RangeError} when lengths do not fit, a list names no candidate, a target is excluded, or a score is NaN
 */
export function standings(inputs: RankInputs): Standings {
  const catalogue = checkedCatalogue(inputs);
  checkLists('targets', inputs.targets, catalogue);
  const backend = sharedBackend();
  const found = backend === null ? null : scanStandings(backend, catalogue, inputs.targets);
  return found ?? composedStandings(inputs);
}

/** The same made of tensor ops; what the kernels are compared with. */
export function composedStandings({ targets, ...vectors }: RankInputs): Standings {
  const catalogue = checkedCatalogue(vectors);
  const counts = emptyStandings(targets.items.length);
  forEachQuery(catalogue, (query, scores) => {
    const row = rowOf(query, { targets, excluded: catalogue.excluded }, counts);
    if (row.targets.length > 0) compareRow(scores, row);
  });
  return counts;
}

/** Scores that were made elsewhere. */
export interface ScoreRows {
  /** [queries, candidates], row-major. */
  readonly scores: Float32Array;
  readonly numCandidates: number;
  /** Candidates whose places are wanted, none of them excluded; row r of the scores has list `firstList` + r. */
  readonly targets: CandidateLists;
  /** Candidates that are left out, per list of `targets`. */
  readonly excluded: CandidateLists;
  readonly firstList?: number;
}

/**
 * Where targets stand in the whole catalogue by given scores, as `standings` counts.
 *
 * @shape scores [queries, candidates]; results as the lists of these queries
 * @throws {RangeError} when lengths do not fit, a list names no candidate, a target is excluded, or the score of a candidate is NaN, also
 *   where there is no target
 */
export function standingsOfScores({ scores, numCandidates, targets, excluded, firstList = 0 }: ScoreRows): Standings {
  const numQueries = scores.length / numCandidates;
  const range = { from: firstList, to: firstList + numQueries };
  const lists = { targets: listsOf(targets, range), excluded: listsOf(excluded, range) };
  for (const [name, list] of Object.entries(lists)) checkLists(name, list, { numQueries, numCandidates });
  const counts = emptyStandings(lists.targets.items.length);
  const backend = sharedBackend();
  for (let query = 0; query < numQueries; query++) {
    const own = scores.subarray(query * numCandidates, (query + 1) * numCandidates);
    const row = { ...rowOf(query, lists, counts), query: firstList + query };
    if (backend === null || !countRow(backend, own, row)) compareRow(own, row);
  }
  return counts;
}

/** What is asked of the scores of one query, and where the counts go. */
interface Row extends Standings {
  readonly query: number;
  readonly targets: Int32Array;
  readonly excluded: Int32Array;
}

function rowOf(
  query: number,
  { targets, excluded }: { readonly targets: CandidateLists; readonly excluded: CandidateLists | null },
  { greater, equal }: Standings,
): Row {
  const [from, to] = [targets.offsets[query], targets.offsets[query + 1]];
  return {
    query,
    targets: targets.items.subarray(from, to),
    excluded: excluded?.items.subarray(excluded.offsets[query], excluded.offsets[query + 1]) ?? new Int32Array(0),
    greater: greater.subarray(from, to),
    equal: equal.subarray(from, to),
  };
}

/** Compares each target with each candidate, and refuses what cannot be compared. */
function compareRow(scores: Float32Array, { query, targets, excluded, greater, equal }: Row): void {
  const out = new Set(excluded);
  const wrong = targets.find((target) => out.has(target));
  if (wrong !== undefined) throw new RangeError(`query ${query}: target ${wrong} is excluded`);
  const unknown = scores.findIndex((score, item) => Number.isNaN(score) && !out.has(item));
  if (unknown >= 0) throw new RangeError(`query ${query}: the score of candidate ${unknown} is NaN`);
  const candidates = scores.slice(); // NaN, which compares with nothing, for what is excluded
  for (const item of out) candidates[item] = NaN;
  for (const [at, target] of targets.entries()) {
    const score = scores[target] as number;
    let [numGreater, numEqual] = [0, 0];
    for (let item = 0; item < candidates.length; item++) {
      const other = candidates[item] as number;
      numGreater += Number(other > score); // without branches, which a processor could not foresee
      numEqual += Number(other === score);
    }
    greater[at] = numGreater;
    equal[at] = numEqual;
  }
}

/** @returns false when a comparison was not possible: a score is NaN, or a target is excluded */
function countRow(backend: SharedBackend, scores: Float32Array, { targets, excluded, greater, equal }: Row): boolean {
  const width = Math.ceil(scores.length / 4) * 4;
  return backend.withScratch(width + 3 * targets.length, (row) => {
    const [targetsAt, greaterAt, equalAt] = [0, 1, 2].map((k) => row + 4 * (width + k * targets.length)) as [number, number, number]; // prettier-ignore
    const candidates = backend.floats(row, width).fill(NaN, scores.length);
    candidates.set(scores);
    let numCandidates = scores.length;
    for (const item of excluded) {
      if (!Number.isNaN(candidates[item])) numCandidates--;
      candidates[item] = NaN;
    }
    backend.integers(targetsAt, targets.length).set(targets);
    const numNumbers = backend.kernels.countAheadInRow(width, row, targets.length, targetsAt, greaterAt, equalAt);
    greater.set(backend.integers(greaterAt, targets.length));
    equal.set(backend.integers(equalAt, targets.length));
    return numNumbers === numCandidates && !equal.includes(0);
  });
}

function emptyStandings(length: number): Standings {
  return { greater: new Int32Array(length), equal: new Int32Array(length) };
}

/** @returns null when a comparison was not possible: a score is NaN, or a target is not among the candidates */
function scanStandings(backend: SharedBackend, catalogue: Catalogue, targets: CandidateLists): Standings | null {
  const scores = new Float32Array(targets.items.length);
  scanScores(backend, catalogue, targets, scores);
  const counts = emptyStandings(targets.items.length);
  let numNaN = 0;
  scanLists(backend, catalogue, targets, {
    columns: [bitsOf(scores), counts.greater, counts.equal],
    block: (scan, offsets, ...columns) => (numNaN += backend.kernels.countAhead(scan, offsets, ...columns)),
  });
  return numNaN > 0 || counts.equal.includes(0) ? null : counts;
}

function scanScores(backend: SharedBackend, catalogue: Catalogue, lists: CandidateLists, scores: Float32Array): void {
  scanLists(backend, catalogue, lists, {
    columns: [lists.items, bitsOf(scores)],
    block: (scan, offsets, ...columns) => backend.kernels.listedScores(scan, offsets, ...columns),
  });
}

const bitsOf = ({ buffer, byteOffset, length }: Float32Array): Int32Array => new Int32Array(buffer, byteOffset, length);

/**
 * Scans with arrays of one number per listed candidate in the memory of the kernels, which `block` reads and writes.
 *
 * @param columns these arrays, changed in place
 */
function scanLists<Columns extends readonly Int32Array[]>(
  backend: SharedBackend,
  catalogue: Catalogue,
  { offsets }: CandidateLists,
  {
    columns,
    block,
  }: {
    readonly columns: readonly [...Columns];
    /** Gets addresses. */
    block(scan: number, offsets: number, ...columns: { [K in keyof Columns]: number }): void;
  },
): void {
  const startOf = ({ from }: QueryRange): number => offsets[from] as number;
  const lengthOf = (range: QueryRange): number => (offsets[range.to] as number) - startOf(range);
  const addressesOf = (state: number, range: QueryRange): number[] =>
    columns.map((_, column) => state + 4 * (range.to - range.from + 1 + column * lengthOf(range)));
  scanCatalogue(backend, catalogue, {
    stateFloats: (range) => range.to - range.from + 1 + columns.length * lengthOf(range),
    open(state, range) {
      const own = offsets.subarray(range.from, range.to + 1).map((offset) => offset - startOf(range));
      backend.integers(state, own.length).set(own);
      for (const [column, address] of addressesOf(state, range).entries()) {
        const values = (columns[column] as Int32Array).subarray(startOf(range), offsets[range.to]);
        backend.integers(address, values.length).set(values);
      }
    },
    block: (scan, state, range) =>
      block(scan, state, ...(addressesOf(state, range) as { [K in keyof Columns]: number })),
    close(state, range) {
      for (const [column, address] of addressesOf(state, range).entries()) {
        (columns[column] as Int32Array).set(backend.integers(address, lengthOf(range)), startOf(range));
      }
    },
  });
}
