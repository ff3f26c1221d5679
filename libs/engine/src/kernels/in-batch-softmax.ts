import { sharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

export interface InBatchSoftmaxInputs {
  /** [batch, dim] */
  readonly query: tf.Tensor2D;
  /** [batch, dim]; row i is the positive of query i. */
  readonly candidate: tf.Tensor2D;
  readonly temperature: tf.Scalar;
  /** log q per column; null for none. */
  readonly correction: Float32Array | null;
  /** Item per column; columns with the item of another row's positive are masked in that row. Null masks nothing. */
  readonly itemIds: Int32Array | null;
}

/**
 * In-batch softmax cross-entropy, divided by τ, corrected and masked in that order.
 *   s_ij = ⟨u_i, v_j⟩ / τ − log q_j,   L = −(1/B) Σᵢ log softmax_j(s_ij)[i]
 *   ∂L/∂s = (softmax(s) − I) / B,  ∂L/∂τ = −(1/τ) Σᵢ ⟨∂L/∂u_i, u_i⟩
 * On the simd engine one fused kernel computes the loss and both gradients in tiles of 32 rows; elsewhere it is made of tensor ops.
 *
 * @returns nats, mean over the batch
 * @throws {RangeError} when query and candidate differ in shape
 */
export function inBatchSoftmaxCrossEntropy(inputs: InBatchSoftmaxInputs): tf.Scalar {
  const { query, candidate } = inputs;
  if (query.shape.join() !== candidate.shape.join()) {
    throw new RangeError(
      `in-batch softmax: query is [${query.shape.join(', ')}], candidate is [${candidate.shape.join(', ')}]; they must be equal`,
    );
  }
  const backend = tf.getBackend() === 'wasm' ? sharedBackend() : null;
  return backend === null ? composed(inputs) : fused(inputs, backend);
}

/** The same loss made of tensor ops; what the fused kernel is compared with. */
export function composed({ query, candidate, temperature, correction, itemIds }: InBatchSoftmaxInputs): tf.Scalar {
  const batch = query.shape[0];
  let scores: tf.Tensor2D = tf.div(tf.matMul(query, candidate, false, true), temperature);
  if (correction !== null) scores = tf.sub(scores, tf.tensor2d(correction, [1, batch]));
  if (itemIds !== null) scores = tf.sub(scores, tf.tensor2d(accidentalHits(itemIds), [batch, batch]));
  const top = tf.max(scores, 1, true); // [batch, 1]
  const shifted = tf.sub(scores, top);
  const logSum = tf.log(tf.sum(tf.exp(shifted), 1)); // [batch]
  const target = tf.sum(tf.mul(shifted, tf.eye(batch)), 1);
  return tf.mean<tf.Scalar>(tf.sub(logSum, target));
}

/** 1e9 where a column holds the item of another row's positive, else 0. @shape [batch, batch] */
function accidentalHits(items: Int32Array): Float32Array {
  const batch = items.length;
  const mask = new Float32Array(batch * batch);
  for (let i = 0; i < batch; i++) {
    for (let j = 0; j < batch; j++) if (i !== j && items[i] === items[j]) mask[i * batch + j] = 1e9;
  }
  return mask;
}

function fused(inputs: InBatchSoftmaxInputs, backend: NonNullable<ReturnType<typeof sharedBackend>>): tf.Scalar {
  const { correction, itemIds } = inputs;
  const op = tf.customGrad((...args) => {
    const [query, candidate, temperature] = args.slice(0, 3) as [tf.Tensor2D, tf.Tensor2D, tf.Scalar];
    const save = args[3] as unknown as (tensors: tf.Tensor[]) => void;
    const { kernels, address, withScratch, floats } = backend;
    const [batch, dim] = query.shape;
    const tau = temperature.dataSync()[0] as number;
    const dQuery = tf.engine().makeTensorFromTensorInfo(backend.output([batch, dim], 'float32')) as tf.Tensor2D;
    const dCandidate = tf.engine().makeTensorFromTensorInfo(backend.output([batch, dim], 'float32')) as tf.Tensor2D;
    const corrections = correction === null ? null : tf.tensor1d(correction);
    const items = itemIds === null ? null : tf.tensor1d(itemIds, 'int32');
    const rows = ((batch + 3) >> 2) << 2;
    let loss = 0;
    if (batch > 0) {
      loss = withScratch(kernels.inBatchSoftmaxScratch(batch, dim) + 2 * rows, (scratch) => {
        const rowSums = scratch;
        const rowGaps = scratch + rows * 4;
        kernels.inBatchSoftmax(
          batch,
          dim,
          tau,
          address(query),
          address(candidate),
          corrections === null ? 0 : address(corrections),
          items === null ? 0 : address(items),
          address(dQuery),
          address(dCandidate),
          rowSums,
          rowGaps,
          scratch + rows * 8,
        );
        const sums = floats(rowSums, batch);
        const gaps = floats(rowGaps, batch);
        let total = 0;
        for (let i = 0; i < batch; i++) total += Math.log(sums[i] as number) + (gaps[i] as number);
        return total / batch;
      });
    }
    corrections?.dispose();
    items?.dispose();
    save([query, dQuery, dCandidate]);
    return {
      value: tf.scalar(loss),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [u, du, dv] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const dTemperature = tf.mul(tf.div(tf.sum(tf.mul(du, u)), -tau), dy);
        return [tf.mul(du, dy), tf.mul(dv, dy), dTemperature];
      },
    };
  });
  return op(inputs.query, inputs.candidate, inputs.temperature);
}
