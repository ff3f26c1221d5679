import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

export interface InBatchSoftmaxInputs {
  /** [queries, dim] */
  readonly query: tf.Tensor2D;
  /** [candidates, dim]; no item stands twice. */
  readonly candidate: tf.Tensor2D;
  /** Row of `query` per pair of the batch. */
  readonly queryOf: Int32Array;
  /** Row of `candidate` per pair: its positive. */
  readonly candidateOf: Int32Array;
  /** τ, a number where it is not learned. */
  readonly temperature: number | tf.Scalar;
  /** log q per row of `candidate`; null for none. */
  readonly correction: Float32Array | null;
  /** How often each row of `candidate` stands among the choices; left out, as often as pairs have it. Never 0 for a positive. */
  readonly occurrences?: Float32Array | undefined;
  /** How often a pair's own positive counts in its sum: once, as often as it stands among the choices, or what is given per row. */
  readonly ownCopies: 'one' | 'all' | Float32Array;
  /** How much each pair counts; null where all count 1. */
  readonly weights?: Float32Array | null;
  /** Rows of `candidate` that a pair does not see, its positive never among them; left out, every pair sees all. */
  readonly hidden?: HiddenCandidates | undefined;
}

/** Those of pair b are `rows.subarray(offsets[b], offsets[b + 1])`, in any order, also several times. */
export interface HiddenCandidates {
  readonly offsets: Int32Array;
  readonly rows: Int32Array;
}

/**
 * Softmax cross-entropy over choices that all pairs of a batch share: divided by τ, corrected and counted in that order.
 *   z_bj = ⟨u_b, v_j⟩ / τ − log q_j,   L = (1/B) Σ_b w_b (log D_b − z_bp),   p the positive of pair b
 *   D_b = Σ_{j≠p} m_j e^{z_bj} + o_p e^{z_bp}
 *   ∂L/∂τ = −(1/τ) Σ ⟨∂L/∂u, u⟩
 * m is how often a candidate stands among the choices: as often as pairs have it (in-batch), more often when it was drawn besides, once
 * over a whole catalogue. o = 1 leaves the accidental hits out, o = m counts them.
 * Where candidates are hidden from a pair, m is 0 for it.
 * Equal queries and equal candidates of a batch are given once. On the simd engine one fused kernel computes the loss and both gradients
 * in tiles of 32 queries; elsewhere it is made of tensor ops over all pairs and candidates.
 *
 * @returns nats, mean over the pairs
 * @throws {RangeError} when query and candidate differ in width
 * @numerics Scores and their exponentials (relative error 3e-7) are float32, row maxima are subtracted; the mean is summed in float64.
 */
export function inBatchSoftmaxCrossEntropy(inputs: InBatchSoftmaxInputs): tf.Scalar {
  const { query, candidate } = inputs;
  if (query.shape[1] !== candidate.shape[1]) {
    throw new RangeError(
      `in-batch softmax: query is [${query.shape.join(', ')}], candidate is [${candidate.shape.join(', ')}]; they must have one width`,
    );
  }
  const backend = sharedBackend();
  if (backend === null) return composedInBatchSoftmax(inputs);
  return fused(inputs.hidden === undefined ? inputs : withQueryPerPair(inputs), backend);
}

/** The same with a query of its own for every pair, as pairs of one query may see different candidates. */
function withQueryPerPair(inputs: InBatchSoftmaxInputs): InBatchSoftmaxInputs {
  const { query, queryOf } = inputs;
  return {
    ...inputs,
    query: tf.gather(query, tf.tensor1d(queryOf, 'int32')),
    queryOf: Int32Array.from(queryOf.keys()),
  };
}

/** The same loss made of tensor ops over all pairs and candidates; what the fused kernel is compared with. */
export function composedInBatchSoftmax(inputs: InBatchSoftmaxInputs): tf.Scalar {
  const { query, candidate, queryOf, candidateOf, temperature, correction, weights = null, hidden } = inputs;
  const [candidates] = candidate.shape;
  const u = tf.gather(query, tf.tensor1d(queryOf, 'int32'));
  let z: tf.Tensor2D = tf.div(tf.matMul(u, candidate, false, true), temperature); // [pairs, candidates]
  if (correction !== null) z = tf.sub(z, tf.tensor2d(correction, [1, candidates]));
  if (hidden !== undefined) z = tf.sub(z, tf.tensor2d(distances(inputs, hidden), [queryOf.length, candidates]));
  const top = tf.max(z, 1, true); // [pairs, 1]
  const shifted = tf.sub(z, top);
  const logSum = tf.log(
    tf.sum(tf.mul(tf.exp(shifted), tf.tensor2d(counts(inputs), shifted.shape as [number, number])), 1),
  );
  const targets = candidateOf.map((positive, pair) => pair * candidates + positive);
  const target = tf.gather(tf.reshape(shifted, [shifted.size]), tf.tensor1d(targets, 'int32'));
  const losses = tf.sub(logSum, target); // [pairs]
  return tf.mean<tf.Scalar>(weights === null ? losses : tf.mul(losses, tf.tensor1d(weights)));
}

/** What no score survives, for each candidate that a pair does not see; 0 for the others. @shape [pairs, candidates] */
function distances({ candidate, queryOf }: InBatchSoftmaxInputs, { offsets, rows }: HiddenCandidates): Float32Array {
  const [candidates] = candidate.shape;
  const result = new Float32Array(queryOf.length * candidates);
  for (let b = 0; b < queryOf.length; b++)
    for (let at = offsets[b] as number; at < (offsets[b + 1] as number); at++)
      result[b * candidates + (rows[at] as number)] = 1e9;
  return result;
}

/** How often each candidate counts for each pair. @shape [pairs, candidates] */
function counts(inputs: InBatchSoftmaxInputs): Float32Array {
  const { candidate, candidateOf } = inputs;
  const [candidates] = candidate.shape;
  const multiplicity = new Float32Array(candidates);
  countOccurrences(inputs, multiplicity);
  const own = ownCopiesOf(inputs, candidates) ?? multiplicity;
  const result = new Float32Array(candidateOf.length * candidates);
  for (const [pair, positive] of candidateOf.entries()) {
    result.set(multiplicity, pair * candidates);
    result[pair * candidates + positive] = own[positive] as number;
  }
  return result;
}

/** o per candidate; null where it is m. */
function ownCopiesOf({ ownCopies }: InBatchSoftmaxInputs, candidates: number): Float32Array | null {
  if (ownCopies === 'all') return null;
  return ownCopies === 'one' ? new Float32Array(candidates).fill(1) : ownCopies;
}

function fused(inputs: InBatchSoftmaxInputs, backend: SharedBackend): tf.Scalar {
  const { queryOf, correction, temperature, weights = null, hidden } = inputs;
  const pairs = queryOf.length;
  const fixed = typeof temperature === 'number';
  const op = tf.customGrad((...args) => {
    const [query, candidate] = args as unknown as [tf.Tensor2D, tf.Tensor2D];
    const save = args.at(-1) as unknown as (tensors: tf.Tensor[]) => void;
    const { kernels, address, withScratch, tensor, values, floats, hold } = backend;
    const [queries, dim] = query.shape;
    const [candidates] = candidate.shape;
    const tau = fixed ? temperature : ((args[2] as tf.Tensor).dataSync()[0] as number);
    const dQuery = hold(queries * dim);
    const dCandidate = hold(candidates * dim);
    const kernelScratch = kernels.inBatchSoftmaxScratch(queries, candidates, dim);
    const loss =
      pairs === 0
        ? 0
        : withScratch(kernelScratch + 3 * candidates + queries + 1 + 2 * pairs + floatsOf(hidden), (scratch) => {
            const multiplicity = scratch + kernelScratch * 4;
            const corrections = multiplicity + candidates * 4;
            const copies = corrections + candidates * 4;
            const offsets = copies + candidates * 4;
            const positives = offsets + (queries + 1) * 4;
            const shares = positives + pairs * 4;
            const hiddenOffsets = shares + pairs * 4;
            const hiddenRows = hiddenOffsets + (queries + 1) * 4;
            countOccurrences(inputs, backend.floats(multiplicity, candidates));
            if (correction !== null) backend.floats(corrections, candidates).set(correction);
            const own = ownCopiesOf(inputs, candidates);
            if (own !== null) backend.floats(copies, candidates).set(own);
            if (hidden !== undefined) {
              backend.integers(hiddenOffsets, queries + 1).set(hidden.offsets);
              backend.integers(hiddenRows, hidden.rows.length).set(hidden.rows);
            }
            sortByQuery(inputs, {
              offsets: backend.integers(offsets, queries + 1),
              candidates: backend.integers(positives, pairs),
              weights: backend.floats(shares, pairs),
            });
            return kernels.inBatchSoftmax(
              queries,
              candidates,
              dim,
              pairs,
              tau,
              address(query),
              address(candidate),
              correction === null ? 0 : corrections,
              multiplicity,
              own === null ? 0 : copies,
              offsets,
              positives,
              weights === null ? 0 : shares,
              hidden === undefined ? 0 : hiddenOffsets,
              hidden === undefined ? 0 : hiddenRows,
              dQuery,
              dCandidate,
              scratch,
            );
          });
    if (!fixed) save([query]);
    const value = tensor<tf.Rank.R0>([]);
    values(value)[0] = loss;
    return {
      value,
      gradFunc: (dy: tf.Tensor, [u]: tf.Tensor[]) => {
        const factor = values(dy)[0] as number;
        const gradients: tf.Tensor[] = [[queries, dQuery] as const, [candidates, dCandidate] as const].map(
          ([rows, from]) => {
            const gradient = tensor<tf.Rank.R2>([rows, dim]);
            const [computed, out] = [floats(from, rows * dim), values(gradient)];
            if (factor === 1)
              out.set(computed); // the loss of a step is mostly this one alone
            else for (let i = 0; i < out.length; i++) out[i] = (computed[i] as number) * factor;
            return gradient;
          },
        );
        if (u !== undefined) gradients.push(tf.div(tf.sum(tf.mul(gradients[0] as tf.Tensor, u)), -tau));
        return gradients;
      },
    };
  });
  return op(inputs.query, inputs.candidate, ...(fixed ? [] : [temperature]));
}

function floatsOf(hidden: HiddenCandidates | undefined): number {
  return hidden === undefined ? 0 : hidden.offsets.length + hidden.rows.length;
}

/** Groups the pairs by query: those of query a are the entries `offsets[a]` up to `offsets[a + 1]` of `candidates` and `weights`. */
function sortByQuery(
  { queryOf, candidateOf, weights = null }: InBatchSoftmaxInputs,
  into: { readonly offsets: Int32Array; readonly candidates: Int32Array; readonly weights: Float32Array },
): void {
  const { offsets } = into;
  offsets.fill(0);
  for (let b = 0; b < queryOf.length; b++) (offsets[(queryOf[b] as number) + 1] as number)++;
  for (let a = 1; a < offsets.length; a++) offsets[a] = (offsets[a] as number) + (offsets[a - 1] as number);
  const next = offsets.slice();
  for (let b = 0; b < queryOf.length; b++) {
    const a = queryOf[b] as number;
    const at = next[a] as number;
    into.candidates[at] = candidateOf[b] as number;
    if (weights !== null) into.weights[at] = weights[b] as number;
    next[a] = at + 1;
  }
}

/** m per candidate. */
function countOccurrences({ candidateOf, occurrences }: InBatchSoftmaxInputs, counts: Float32Array): void {
  if (occurrences !== undefined) {
    counts.set(occurrences);
    return;
  }
  counts.fill(0);
  for (let b = 0; b < candidateOf.length; b++) (counts[candidateOf[b] as number] as number)++;
}
