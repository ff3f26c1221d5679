import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import type { CandidateLists } from './catalogue-scan.js';

export interface LeastSquares {
  /** For each row to solve, which vectors are its own. */
  readonly lists: CandidateLists;
  /** [vectors, dim] */
  readonly vectors: Float32Array;
  readonly dim: number;
  /** G [dim, dim], symmetric; only its upper triangle is read. */
  readonly gram: Float64Array;
  /** n [rows], positive */
  readonly norms: Float64Array;
}

/**
 * Σ v vᵀ over the rows of a table, in their order.
 *
 * @shape vectors [rows, dim]; result [dim, dim], its lower triangle left 0
 * @throws {RangeError} when the table has no whole rows
 * @numerics float64, the same bits on every engine
 */
export function gramMatrix(vectors: Float32Array, dim: number): Float64Array {
  const rows = rowsOf(vectors, dim);
  const backend = sharedBackend();
  if (backend === null) return composedGramMatrix(vectors, dim);
  const { kernels, floats, withScratch } = backend;
  const size = dim * dim;
  return withScratch(2 * size + vectors.length + kernels.leastSquaresScratch(dim), (matrix) => {
    const [at, scratch] = [matrix + 8 * size, matrix + 8 * size + 4 * vectors.length];
    doubles(backend, matrix, size).fill(0);
    floats(at, vectors.length).set(vectors);
    kernels.addOuterProducts(rows, dim, 0, at, matrix, scratch);
    return doubles(backend, matrix, size).slice();
  });
}

/**
 * Solves rows of alternating least squares: x_r = (G + Σ v vᵀ + n_r I)⁻¹ Σ v over the vectors v of list r, by a Cholesky factor.
 *
 * @param out takes x [rows, dim]
 * @returns Σ_r (length of list r − ⟨Σ v, x_r⟩), which is what of ‖1 − V x_r‖² + ⟨x_r, (G + n_r I) x_r⟩ is left
 * @throws {RangeError} when lengths do not fit, or a list names no vector
 * @numerics float64, each sum in the order of the list, so the same bits on every engine; x is rounded once. A row takes dim² · length / 2 +
 *   dim³ / 6 multiplications.
 */
export function leastSquaresRows(inputs: LeastSquares, out: Float32Array): number {
  check(inputs, out);
  const backend = sharedBackend();
  if (backend === null) return composedLeastSquaresRows(inputs, out);
  const { lists, vectors, dim, gram, norms } = inputs;
  const { kernels, floats, integers, withScratch } = backend;
  const rows = norms.length;
  const [first, last] = [lists.offsets[0] as number, lists.offsets[rows] as number];
  const sizes = [2 * gram.length, 2 * rows, vectors.length, out.length, rows + 1, last - first];
  const total = sizes.reduce((sum, size) => sum + size, kernels.leastSquaresScratch(dim));
  return withScratch(total, (start) => {
    let next = start;
    const [ofGram, ofNorms, ofVectors, ofOut, offsets, items] = sizes.map((size) => (next += 4 * size) - 4 * size) as [number, number, number, number, number, number]; // prettier-ignore
    doubles(backend, ofGram, gram.length).set(gram);
    doubles(backend, ofNorms, rows).set(norms);
    floats(ofVectors, vectors.length).set(vectors);
    integers(offsets, rows + 1).set(lists.offsets.map((offset) => offset - first));
    integers(items, last - first).set(lists.items.subarray(first, last));
    const rest = kernels.leastSquaresRows(rows, dim, offsets, items, ofVectors, ofGram, ofNorms, ofOut, next);
    out.set(floats(ofOut, out.length));
    return rest;
  });
}

function doubles({ floats }: SharedBackend, address: number, length: number): Float64Array {
  return new Float64Array(floats(0, 0).buffer, address, length);
}

function rowsOf(vectors: Float32Array, dim: number): number {
  if (vectors.length % dim !== 0) throw new RangeError(`vectors have ${vectors.length} numbers, which is no multiple of dim ${dim}`); // prettier-ignore
  return vectors.length / dim;
}

function check({ lists: { offsets, items }, vectors, dim, gram, norms }: LeastSquares, out: Float32Array): void {
  const numVectors = rowsOf(vectors, dim);
  const lengths = { gram: [gram.length, dim * dim], out: [out.length, norms.length * dim], offsets: [offsets.length, norms.length + 1] }; // prettier-ignore
  for (const [name, [found, needed]] of Object.entries(lengths))
    if (found !== needed) throw new RangeError(`${name} has ${found} numbers; there must be ${needed}`);
  for (let at = offsets[0] as number; at < (offsets.at(-1) as number); at++) {
    const item = items[at] as number;
    if (!(item >= 0 && item < numVectors))
      throw new RangeError(`a list names ${item}; there are ${numVectors} vectors`);
  }
}

/** The same in plain loops; what the kernel is compared with. */
export function composedGramMatrix(vectors: Float32Array, dim: number): Float64Array {
  const matrix = new Float64Array(dim * dim);
  for (let row = 0; row < vectors.length / dim; row++) addOuterProduct(matrix, vectors, row * dim, dim);
  return matrix;
}

/** The same in plain loops; what the kernel is compared with. */
export function composedLeastSquaresRows(
  { lists: { offsets, items }, vectors, dim, gram, norms }: LeastSquares,
  out: Float32Array,
): number {
  const matrix = new Float64Array(dim * dim);
  const sums = new Float64Array(dim);
  let rest = 0;
  for (const [row, norm] of norms.entries()) {
    const own = items.subarray(offsets[row], offsets[row + 1]);
    matrix.set(gram);
    sums.fill(0);
    for (const item of own) {
      addOuterProduct(matrix, vectors, item * dim, dim);
      for (let k = 0; k < dim; k++) sums[k]! += vectors[item * dim + k] as number;
    }
    for (let k = 0; k < dim; k++) matrix[k * (dim + 1)]! += norm;
    const solution = sums.slice();
    solvePositiveDefinite(matrix, solution);
    out.set(solution, row * dim);
    rest += own.length;
    for (let k = 0; k < dim; k++) rest -= (sums[k] as number) * (solution[k] as number);
  }
  return rest;
}

/** Adds v vᵀ to the upper triangle. */
function addOuterProduct(matrix: Float64Array, vectors: Float32Array, from: number, dim: number): void {
  for (let j = 0; j < dim; j++) {
    const value = vectors[from + j] as number;
    for (let k = j; k < dim; k++) matrix[j * dim + k]! += value * (vectors[from + k] as number);
  }
}

/** Overwrites b by the solution of A x = b, and the upper triangle of A by U, A = Uᵀ U. */
function solvePositiveDefinite(matrix: Float64Array, vector: Float64Array): void {
  const size = vector.length;
  for (let k = 0; k < size; k++) {
    const row = matrix.subarray(k * size, (k + 1) * size);
    const diagonal = Math.sqrt(row[k] as number);
    row[k] = diagonal;
    for (let j = k + 1; j < size; j++) row[j]! /= diagonal;
    vector[k]! /= diagonal;
    for (let i = k + 1; i < size; i++) {
      for (let j = i; j < size; j++) matrix[i * size + j]! -= (row[i] as number) * (row[j] as number);
      vector[i]! -= (vector[k] as number) * (row[i] as number);
    }
  }
  for (let k = size - 1; k >= 0; k--) {
    let rest = vector[k] as number;
    for (let j = k + 1; j < size; j++) rest -= (matrix[k * size + j] as number) * (vector[j] as number);
    vector[k] = rest / (matrix[k * (size + 1)] as number);
  }
}
