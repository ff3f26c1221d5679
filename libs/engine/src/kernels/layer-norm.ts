import { sharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

/**
 * Layer normalisation over the last axis.
 *   y = (x − μ) / √(σ² + ε) · γ + β,   μ = mean x,   σ² = mean (x − μ)²
 *
 * @shape x [rows, dim], gamma [dim], beta [dim]
 * @throws {RangeError} when gamma or beta have another width than x
 * @numerics The variance is that of the centred values, so a large common part of a row costs it no digits; sums are float32 in four lanes.
 * @source Ba, Kiros and Hinton 2016, "Layer Normalization", arXiv:1607.06450
 */
export function layerNorm(x: tf.Tensor2D, gamma: tf.Tensor1D, beta: tf.Tensor1D, epsilon = 1e-5): tf.Tensor2D {
  const [rows, dim] = x.shape;
  for (const [name, { shape }] of Object.entries({ gamma, beta })) {
    if (shape[0] !== dim)
      throw new RangeError(`layer norm: x is [${rows}, ${dim}], ${name} is [${shape[0]}]; it must be [${dim}]`);
  }
  const backend = sharedBackend();
  if (backend === null) return composedLayerNorm(x, gamma, beta, epsilon);
  const { kernels, address, tensor } = backend;
  const op = tf.customGrad((...args) => {
    const inputs = args.slice(0, 3) as tf.Tensor[];
    const save = args[3] as unknown as (tensors: tf.Tensor[]) => void;
    const [values, scale, shift] = inputs.map(address) as [number, number, number];
    const value = tensor<tf.Rank.R2>([rows, dim]);
    const means = tensor<tf.Rank.R1>([rows]);
    const inverses = tensor<tf.Rank.R1>([rows]);
    // prettier-ignore
    kernels.layerNormRows(rows, dim, values, scale, shift, epsilon, address(value), address(means), address(inverses));
    save([inputs[0] as tf.Tensor, inputs[1] as tf.Tensor, means, inverses]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [at, scales, mean, inverse] = saved.map(address) as [number, number, number, number];
        const dx = tensor<tf.Rank.R2>([rows, dim]);
        const [dGamma, dBeta] = [tf.zeros([dim]), tf.zeros([dim])];
        kernels.layerNormRowsGradient(
          rows,
          dim,
          at,
          scales,
          mean,
          inverse,
          address(dy),
          address(dx),
          address(dGamma),
          address(dBeta),
        );
        return [dx, dGamma, dBeta];
      },
    };
  });
  return op(x, gamma, beta);
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedLayerNorm(x: tf.Tensor2D, gamma: tf.Tensor1D, beta: tf.Tensor1D, epsilon = 1e-5): tf.Tensor2D {
  const centred = tf.sub(x, tf.mean(x, 1, true));
  const variance = tf.mean(tf.square(centred), 1, true); // [rows, 1]
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), gamma), beta);
}
