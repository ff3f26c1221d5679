import { sharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

/** Which vectors are scored against each other. */
export interface Pairs {
  /** Row of the query vectors per query of the batch, [batch]. */
  readonly queryOf: Int32Array;
  /** Rows of the candidate vectors, the same number for each query of the batch, [batch · perQuery]. */
  readonly candidateOf: Int32Array;
}

/**
 * Dot products of pairs of vectors.
 *   s_bk = ⟨query[queryOf[b]], candidate[candidateOf[b, k]]⟩
 *
 * @shape query [queries, dim], candidate [candidates, dim], result [batch, perQuery]
 * @throws {RangeError} when the widths differ
 */
export function pairScores(query: tf.Tensor2D, candidate: tf.Tensor2D, { queryOf, candidateOf }: Pairs): tf.Tensor2D {
  if (query.shape[1] !== candidate.shape[1])
    throw new RangeError(
      `pair scores: query is [${query.shape.join(', ')}], candidate is [${candidate.shape.join(', ')}]; they must have one width`,
    );
  const backend = sharedBackend();
  if (backend === null) return composedPairScores(query, candidate, { queryOf, candidateOf });
  const { kernels, address, tensor } = backend;
  const dim = query.shape[1];
  const size = queryOf.length;
  const perQuery = size === 0 ? 0 : candidateOf.length / size;
  const op = tf.customGrad((...args) => {
    const [u, v] = args as unknown as [tf.Tensor2D, tf.Tensor2D];
    const save = args[2] as unknown as (tensors: tf.Tensor[]) => void;
    const queries = tf.tensor1d(queryOf, 'int32');
    const candidates = tf.tensor1d(candidateOf, 'int32');
    const value = tensor<tf.Rank.R2>([size, perQuery]);
    kernels.pairScores(
      candidateOf.length,
      perQuery,
      dim,
      address(u),
      address(v),
      address(queries),
      address(candidates),
      address(value),
    );
    save([u, v, queries, candidates]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const gradients = [tf.zeros(query.shape), tf.zeros(candidate.shape)] as const;
        const [a, b, c, d] = saved.map(address) as [number, number, number, number];
        const [du, dv] = gradients;
        kernels.pairScoresGradient(
          candidateOf.length,
          perQuery,
          dim,
          a,
          b,
          c,
          d,
          address(dy),
          address(du),
          address(dv),
        );
        return [...gradients];
      },
    };
  });
  return op(query, candidate);
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedPairScores(
  query: tf.Tensor2D,
  candidate: tf.Tensor2D,
  { queryOf, candidateOf }: Pairs,
): tf.Tensor2D {
  const size = queryOf.length;
  const perQuery = size === 0 ? 0 : candidateOf.length / size;
  const u = tf.expandDims(tf.gather(query, tf.tensor1d(queryOf, 'int32')), 1); // [batch, 1, dim]
  const v = tf.reshape(tf.gather(candidate, tf.tensor1d(candidateOf, 'int32')), [size, perQuery, query.shape[1]]);
  return tf.sum<tf.Tensor2D>(tf.mul(u, v), 2);
}
