import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

export interface FirstChoiceSoftmaxInputs {
  /** [batch, choices]; the first choice of each row is the right one. */
  readonly scores: tf.Tensor2D;
  /** τ, a number where it is not learned. */
  readonly temperature: number | tf.Scalar;
  /** Subtracted after the division, [batch, choices]; ∞ leaves a choice out. Null for none. */
  readonly correction: Float32Array | null;
  /** How much each row counts, [batch]; null where all count 1. */
  readonly weights?: Float32Array | null;
}

/**
 * Softmax cross-entropy over choices of which the first is right.
 *   z = s / τ − correction,   L = −(1/B) Σ_b w_b log softmax(z_b)[0]
 *   ∂L/∂s = w (softmax(z) − e₀) / (B τ),   ∂L/∂τ = −(1/τ) Σ ⟨∂L/∂s, s⟩
 * Without weights one kernel computes the loss and its gradient on the simd engine; else it is made of tensor ops.
 *
 * @returns nats, mean over the rows; 0 for no rows
 * @throws {RangeError} when there is not one correction per score or not one weight per row
 * @numerics Exponentials are float32 with an error below 1.1 units of the last place, sums float64; the gradient of the first choice is the
 * sum of the others, so it loses no digits where the loss is nearly 0.
 */
export function firstChoiceSoftmaxCrossEntropy(inputs: FirstChoiceSoftmaxInputs): tf.Scalar {
  const { scores, correction, weights = null } = inputs;
  if (correction !== null && correction.length !== scores.size) {
    throw new RangeError(
      `first-choice softmax: scores are [${scores.shape.join(', ')}], the correction has ${correction.length} numbers; it must have one per score`,
    );
  }
  if (weights !== null && weights.length !== scores.shape[0]) {
    throw new RangeError(
      `first-choice softmax: scores are [${scores.shape.join(', ')}], there are ${weights.length} weights; there must be one per row`,
    );
  }
  const backend = sharedBackend();
  return backend === null || weights !== null ? composedFirstChoiceSoftmax(inputs) : fused(inputs, backend);
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedFirstChoiceSoftmax({
  scores,
  temperature,
  correction,
  weights = null,
}: FirstChoiceSoftmaxInputs): tf.Scalar {
  const [rows] = scores.shape;
  if (rows === 0) return tf.scalar(0);
  let z: tf.Tensor2D = tf.div(scores, temperature);
  if (correction !== null) z = tf.sub(z, tf.tensor2d(correction, scores.shape));
  const first = tf.slice(tf.logSoftmax(z), [0, 0], [rows, 1]);
  return tf.neg(tf.mean<tf.Scalar>(weights === null ? first : tf.mul(first, tf.tensor2d(weights, [rows, 1]))));
}

function fused({ scores, temperature, correction }: FirstChoiceSoftmaxInputs, backend: SharedBackend): tf.Scalar {
  const { kernels, address, tensor, withScratch } = backend;
  const [rows, choices] = scores.shape;
  const fixed = typeof temperature === 'number';
  const op = tf.customGrad((...args) => {
    const at = args[0] as tf.Tensor;
    const save = args.at(-1) as unknown as (tensors: tf.Tensor[]) => void;
    const tau = fixed ? temperature : ((args[1] as tf.Tensor).dataSync()[0] as number);
    const gradient = tensor<tf.Rank.R2>([rows, choices]);
    const loss =
      rows === 0
        ? 0
        : withScratch(kernels.elementaryScratch() + rows * choices, (corrections) => {
            if (correction !== null) backend.floats(corrections, correction.length).set(correction);
            return kernels.firstChoiceSoftmax(
              rows,
              choices,
              tau,
              address(at),
              correction === null ? 0 : corrections,
              address(gradient),
              corrections + rows * choices * 4,
            );
          });
    save([at, gradient]);
    return {
      value: tf.scalar(loss),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [s, ds] = saved as [tf.Tensor, tf.Tensor];
        const gradients: tf.Tensor[] = [tf.mul(ds, dy)];
        if (!fixed) gradients.push(tf.mul(tf.div(tf.sum(tf.mul(ds, s)), -tau), dy));
        return gradients;
      },
    };
  });
  return op(scores, ...(fixed ? [] : [temperature]));
}
