import { tf, type Parameter, type Rng, type Scope } from '@towerbench/engine';
import { mlp } from '../../blocks/linear.js';
import { maskedSoftmax } from '../../blocks/masked-softmax.js';

/** One vector of several entries. */
export interface UserAttention {
  readonly parameters: readonly Parameter[];
  /**
   * @param mask 1 where there is an entry, [batch, length]
   * @shape entries [batch, length, width], profile [batch, profileWidth], result [batch, width]
   */
  apply(scope: Scope, entries: tf.Tensor3D, mask: Float32Array, profile: tf.Tensor2D | null): tf.Tensor2D;
}

/**
 * Entries, weighed by what the user is.
 *   s = Σ_k α_k x_k,  α = softmax_k(⟨x_k, tanh(W e_u + b)⟩ / √width) over the entries that are there
 * Without a profile it is their mean. Where no entry is there, it is zero.
 */
export function createUserAttention(options: {
  readonly name: string;
  readonly width: number;
  /** 0 for no profile. */
  readonly profileWidth: number;
  readonly rng: Rng;
}): UserAttention {
  const { name, width, profileWidth, rng } = options;
  if (profileWidth === 0) {
    return { parameters: [], apply: (_, entries, mask) => weighedSum(meanWeights(mask, entries.shape), entries) };
  }
  const layer = mlp({
    name,
    inputDim: profileWidth,
    hiddenUnits: [],
    outputDim: width,
    activation: 'tanh',
    lastActivation: 'tanh',
    rng,
  });
  return {
    parameters: layer.parameters,
    apply(scope, entries, mask, profile) {
      const [size, length] = entries.shape;
      const wanted = tf.reshape(layer.apply(scope, profile as tf.Tensor2D), [size, 1, width]);
      const scores = tf.mul<tf.Tensor3D>(tf.matMul(wanted, entries, false, true), 1 / Math.sqrt(width)); // [batch, 1, length]
      return weighedSum(maskedSoftmax(scores, tf.tensor3d(mask, [size, 1, length])), entries);
    },
  };
}

/** @shape weights [batch, 1, length], entries [batch, length, width], result [batch, width] */
function weighedSum(weights: tf.Tensor3D, entries: tf.Tensor3D): tf.Tensor2D {
  const [size, , width] = entries.shape;
  return tf.reshape(tf.matMul(weights, entries), [size, width]);
}

/** 1 / n for each of a row's n entries. @shape result [batch, 1, length] */
function meanWeights(mask: Float32Array, [size, length]: readonly [number, number, number]): tf.Tensor3D {
  const weights = new Float32Array(mask.length);
  for (let row = 0; row < size; row++) {
    const entries = mask.subarray(row * length, (row + 1) * length);
    const count = entries.reduce((sum, value) => sum + value, 0);
    for (const [k, value] of entries.entries()) weights[row * length + k] = value / Math.max(count, 1);
  }
  return tf.tensor3d(weights, [size, 1, length]);
}
