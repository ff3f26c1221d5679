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
  /** Leaves the other pairs' copies of a pair's own positive out of its sum. */
  readonly maskAccidentalHits: boolean;
}

/**
 * In-batch softmax cross-entropy: divided by τ, corrected and masked in that order.
 *   z_bj = ⟨u_b, v_j⟩ / τ − log q_j over the positives j of all pairs,   L = −(1/B) Σ_b log softmax_j(z_bj)[b]
 *   ∂L/∂z = (softmax(z) − I) / B,  ∂L/∂τ = −(1/τ) Σ ⟨∂L/∂u, u⟩
 * Equal queries and equal candidates of a batch are given once and count as often as they occur. On the simd engine one fused kernel
 * computes the loss and both gradients in tiles of 32 queries; elsewhere it is made of tensor ops over all pairs.
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
  return backend === null ? composedInBatchSoftmax(inputs) : fused(inputs, backend);
}

/** The same loss made of tensor ops over all pairs; what the fused kernel is compared with. */
export function composedInBatchSoftmax({
  query,
  candidate,
  queryOf,
  candidateOf,
  temperature,
  correction,
  maskAccidentalHits,
}: InBatchSoftmaxInputs): tf.Scalar {
  const pairs = queryOf.length;
  const u = tf.gather(query, tf.tensor1d(queryOf, 'int32'));
  const v = tf.gather(candidate, tf.tensor1d(candidateOf, 'int32'));
  let scores: tf.Tensor2D = tf.div(tf.matMul(u, v, false, true), temperature);
  if (correction !== null) {
    const logQ = Float32Array.from(candidateOf, (row) => correction[row] as number);
    scores = tf.sub(scores, tf.tensor2d(logQ, [1, pairs]));
  }
  if (maskAccidentalHits) scores = tf.sub(scores, tf.tensor2d(accidentalHits(candidateOf), [pairs, pairs]));
  const top = tf.max(scores, 1, true); // [pairs, 1]
  const shifted = tf.sub(scores, top);
  const logSum = tf.log(tf.sum(tf.exp(shifted), 1)); // [pairs]
  const target = tf.sum(tf.mul(shifted, tf.eye(pairs)), 1);
  return tf.mean<tf.Scalar>(tf.sub(logSum, target));
}

/** 1e9 where a column holds the item of another row's positive, else 0. @shape [pairs, pairs] */
function accidentalHits(items: Int32Array): Float32Array {
  const pairs = items.length;
  const mask = new Float32Array(pairs * pairs);
  for (let i = 0; i < pairs; i++) {
    for (let j = 0; j < pairs; j++) if (i !== j && items[i] === items[j]) mask[i * pairs + j] = 1e9;
  }
  return mask;
}

function fused(inputs: InBatchSoftmaxInputs, backend: SharedBackend): tf.Scalar {
  const { queryOf, candidateOf, correction, maskAccidentalHits, temperature } = inputs;
  const pairs = queryOf.length;
  const fixed = typeof temperature === 'number';
  const op = tf.customGrad((...args) => {
    const [query, candidate] = args as unknown as [tf.Tensor2D, tf.Tensor2D];
    const save = args.at(-1) as unknown as (tensors: tf.Tensor[]) => void;
    const { kernels, address, withScratch, tensor } = backend;
    const [queries, dim] = query.shape;
    const [candidates] = candidate.shape;
    const tau = fixed ? temperature : ((args[2] as tf.Tensor).dataSync()[0] as number);
    const dQuery = tensor<tf.Rank.R2>([queries, dim]);
    const dCandidate = tensor<tf.Rank.R2>([candidates, dim]);
    const kernelScratch = kernels.inBatchSoftmaxScratch(queries, candidates, dim);
    const loss =
      pairs === 0
        ? 0
        : withScratch(kernelScratch + 2 * candidates + queries + 1 + pairs, (scratch) => {
            const multiplicity = scratch + kernelScratch * 4;
            const corrections = multiplicity + candidates * 4;
            const offsets = corrections + candidates * 4;
            const positives = offsets + (queries + 1) * 4;
            countInto(candidateOf, backend.floats(multiplicity, candidates));
            if (correction !== null) backend.floats(corrections, candidates).set(correction);
            sortByQuery(queryOf, candidateOf, {
              offsets: backend.integers(offsets, queries + 1),
              candidates: backend.integers(positives, pairs),
            });
            return kernels.inBatchSoftmax(
              queries,
              candidates,
              dim,
              pairs,
              tau,
              maskAccidentalHits,
              address(query),
              address(candidate),
              correction === null ? 0 : corrections,
              multiplicity,
              offsets,
              positives,
              address(dQuery),
              address(dCandidate),
              scratch,
            );
          });
    save([query, dQuery, dCandidate]);
    return {
      value: tf.scalar(loss),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [u, du, dv] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        // the loss of a step is mostly this one alone, and then its own gradient is 1
        const gradients =
          (dy.dataSync()[0] as number) === 1 ? [du.clone(), dv.clone()] : [tf.mul(du, dy), tf.mul(dv, dy)];
        if (!fixed) gradients.push(tf.mul(tf.div(tf.sum(tf.mul(du, u)), -tau), dy));
        return gradients;
      },
    };
  });
  return op(inputs.query, inputs.candidate, ...(fixed ? [] : [temperature]));
}

/** Groups the pairs by query: the candidates of query a become `candidates[offsets[a]]` up to `candidates[offsets[a + 1]]`. */
function sortByQuery(
  queryOf: Int32Array,
  candidateOf: Int32Array,
  { offsets, candidates }: { readonly offsets: Int32Array; readonly candidates: Int32Array },
): void {
  offsets.fill(0);
  for (let b = 0; b < queryOf.length; b++) (offsets[(queryOf[b] as number) + 1] as number)++;
  for (let a = 1; a < offsets.length; a++) offsets[a] = (offsets[a] as number) + (offsets[a - 1] as number);
  const next = offsets.slice();
  for (let b = 0; b < queryOf.length; b++) {
    const a = queryOf[b] as number;
    candidates[next[a] as number] = candidateOf[b] as number;
    next[a] = (next[a] as number) + 1;
  }
}

/** How often each row occurs in `rows`. */
function countInto(rows: Int32Array, counts: Float32Array): void {
  counts.fill(0);
  for (let b = 0; b < rows.length; b++) (counts[rows[b] as number] as number)++;
}
