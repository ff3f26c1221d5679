import type { SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

/** Lists of candidates: those of query r are `items.subarray(offsets[r], offsets[r + 1])`. */
export interface CandidateLists {
  readonly offsets: Int32Array;
  readonly items: Int32Array;
}

/** Vectors whose inner products are the scores, row-major. */
export interface CatalogueVectors {
  /** [queries, dim] */
  readonly queries: Float32Array;
  /** [candidates, dim] */
  readonly candidates: Float32Array;
  readonly dim: number;
  /** Candidates that are left out, per query; in any order. */
  readonly excluded?: CandidateLists;
}

/** Vectors that fit together; the lists of `excluded` are in rising order. */
export interface Catalogue {
  readonly queries: Float32Array;
  readonly candidates: Float32Array;
  readonly dim: number;
  readonly numQueries: number;
  readonly numCandidates: number;
  readonly excluded: CandidateLists | null;
}

/**
 * @throws {RangeError} when lengths do not fit, or a list names no candidate
 */
export function checkedCatalogue({ queries, candidates, dim, excluded }: CatalogueVectors): Catalogue {
  if (!Number.isInteger(dim) || dim < 1) throw new RangeError(`dim is ${dim}; it must be a positive whole number`);
  const [numQueries, numCandidates] = [queries.length / dim, candidates.length / dim];
  for (const [name, { length }] of Object.entries({ queries, candidates })) {
    if (length % dim !== 0)
      throw new RangeError(`${name} has ${length} numbers, which is not a multiple of dim ${dim}`);
  }
  if (excluded !== undefined) checkLists('excluded', excluded, { numQueries, numCandidates });
  return {
    queries,
    candidates,
    dim,
    numQueries,
    numCandidates,
    excluded: excluded === undefined ? null : rising(excluded),
  };
}

/**
 * @throws {RangeError} when there is not one list per query, or a list names no candidate
 */
export function checkLists(
  name: string,
  { offsets, items }: CandidateLists,
  { numQueries, numCandidates }: { readonly numQueries: number; readonly numCandidates: number },
): void {
  if (offsets.length !== numQueries + 1)
    throw new RangeError(`${name} has ${offsets.length} offsets; ${numQueries} queries have ${numQueries + 1}`);
  for (let query = 0; query < numQueries; query++) {
    const end = offsets[query + 1] as number;
    if (end < (offsets[query] as number))
      throw new RangeError(`${name}: the list of query ${query} ends before it begins`);
    for (let at = offsets[query] as number; at < end; at++) {
      const item = items[at] as number;
      if (!(item >= 0 && item < numCandidates))
        throw new RangeError(`${name}: query ${query} names candidate ${item}; there are ${numCandidates}`);
    }
  }
}

/** The same lists in rising order. */
function rising({ offsets, items }: CandidateLists): CandidateLists {
  const sorted = items.slice();
  for (let query = 0; query + 1 < offsets.length; query++) sorted.subarray(offsets[query], offsets[query + 1]).sort();
  return { offsets, items: sorted };
}

/** Some queries, from `from` up to `to`. */
export interface QueryRange {
  readonly from: number;
  readonly to: number;
}

/** What is made of the scores of some queries while the blocks of candidates pass; see `assembly/catalogue-scan.ts`. */
export interface ScanConsumer {
  /** Floats of memory that it needs. */
  stateFloats(range: QueryRange): number;
  open(state: number, range: QueryRange): void;
  block(scan: number, state: number, range: QueryRange): void;
  close(state: number, range: QueryRange): void;
}

/** Candidates of a block: their vectors stay in the second-level cache while the queries pass. */
const BLOCK = 512;
/** Queries at a time: packing a block of candidates costs little beside scoring it for so many. */
const MOST_QUERIES = 2048;
/** Memory for the state of the queries, in floats, unless one query takes more. */
const STATE_FLOATS = 1 << 23;

/** Takes every query past every candidate. Only one block of candidates is in the memory of the kernels at a time. */
export function scanCatalogue(backend: SharedBackend, catalogue: Catalogue, consumer: ScanConsumer): void {
  for (let from = 0; from < catalogue.numQueries;) {
    const to = from + queriesAtOnce(consumer, from, catalogue.numQueries);
    scanQueries(backend, catalogue, { from, to }, consumer);
    from = to;
  }
}

function queriesAtOnce(consumer: ScanConsumer, from: number, numQueries: number): number {
  let rows = Math.min(MOST_QUERIES, numQueries - from);
  while (rows > 1 && consumer.stateFloats({ from, to: from + rows }) > STATE_FLOATS) rows = Math.ceil(rows / 2);
  return rows;
}

function scanQueries(backend: SharedBackend, catalogue: Catalogue, range: QueryRange, consumer: ScanConsumer): void {
  const { kernels } = backend;
  const { queries, candidates, dim, numCandidates, excluded } = catalogue;
  const rows = range.to - range.from;
  const capacity = Math.ceil(Math.min(BLOCK, numCandidates) / 8) * 8;
  const own = excluded === null ? null : listsOf(excluded, range);
  const lengths = {
    query: rows * dim,
    block: capacity * dim,
    offsets: own?.offsets.length ?? 0,
    items: own?.items.length ?? 0,
    scan: kernels.scanFloats(rows, dim, capacity),
    state: consumer.stateFloats(range),
  };
  withArrays(backend, lengths, ({ query, block, offsets, items, scan, state }) => {
    backend.floats(query, rows * dim).set(queries.subarray(range.from * dim, range.to * dim));
    if (own !== null) {
      backend.integers(offsets, own.offsets.length).set(own.offsets);
      backend.integers(items, own.items.length).set(own.items);
    }
    kernels.openScan(scan, rows, dim, capacity, query, own === null ? 0 : offsets, items);
    consumer.open(state, range);
    const vectors = backend.floats(block, capacity * dim);
    for (let first = 0; first < numCandidates; first += capacity) {
      const count = Math.min(capacity, numCandidates - first);
      vectors.set(candidates.subarray(first * dim, (first + count) * dim));
      kernels.scanBlock(scan, first, count, block);
      consumer.block(scan, state, range);
    }
    consumer.close(state, range);
  });
}

/** Runs `body` with the addresses of scratch arrays of the given lengths. */
function withArrays<Name extends string>(
  { withScratch }: SharedBackend,
  lengths: Readonly<Record<Name, number>>,
  body: (addresses: Record<Name, number>) => void,
): void {
  let end = 0;
  const starts = Object.entries<number>(lengths).map(([name, length]) => {
    const start = end;
    end += Math.ceil(length / 4) * 4; // every array starts on a vector
    return [name, start] as const;
  });
  withScratch(end, (base) => {
    body(Object.fromEntries(starts.map(([name, start]) => [name, base + 4 * start])) as Record<Name, number>);
  });
}

/** The lists of some queries, with offsets from 0 on. */
export function listsOf({ offsets, items }: CandidateLists, { from, to }: QueryRange): CandidateLists {
  const start = offsets[from] as number;
  return {
    offsets: offsets.subarray(from, to + 1).map((offset) => offset - start),
    items: items.subarray(start, offsets[to]),
  };
}

/** Scores that exist at one time where tensor ops compute them. */
const BLOCK_SCORES = 1 << 20;

/** Scores of one query after the other, made by tensor ops: what other engines do, and what the kernels are compared with. */
export function forEachQuery(
  { queries, candidates, dim, numQueries, numCandidates }: Catalogue,
  visit: (query: number, scores: Float32Array) => void,
): void {
  const rows = Math.max(1, Math.floor(BLOCK_SCORES / Math.max(1, numCandidates)));
  const v = tf.tensor2d(candidates, [numCandidates, dim]);
  for (let from = 0; from < numQueries; from += rows) {
    const to = Math.min(from + rows, numQueries);
    const product = tf.tidy(() => {
      const u = tf.tensor2d(queries.subarray(from * dim, to * dim), [to - from, dim]);
      return tf.matMul(u, v, false, true);
    });
    const scores = product.dataSync() as Float32Array; // [to - from, candidates]
    for (let query = from; query < to; query++) {
      visit(query, scores.subarray((query - from) * numCandidates, (query - from + 1) * numCandidates));
    }
    product.dispose();
  }
  v.dispose();
}
