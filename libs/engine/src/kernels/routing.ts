import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { offTape } from '../stop-gradient.js';
import { tf } from '../tf.js';
import { onTape } from './differentiable.js';

/** Squash of capsules: c = ‖z‖² / (1 + ‖z‖²) · z / √(‖z‖² + 1e-9), on the last axis. */
export function squash<T extends tf.Tensor>(z: T): T {
  const squares = tf.sum(tf.square(z), -1, true);
  return tf.mul<T>(z, tf.div(squares, tf.mul(tf.add(squares, 1), tf.sqrt(tf.add(squares, 1e-9)))));
}

/**
 * Dynamic routing of behaviours to K capsules.
 *   `iterations` times, from b = logits:  w_tk = softmax_k(b_tk),  c_k = squash(Σ_t w_tk u_tk),  b_tk += ⟨c_k, u_tk⟩;  result: the last c
 * The weights w are constants of the step: the gradient goes through the last sum and squash, and none reaches the logits.
 *
 * @shape u [batch, length, K, dim], or [batch, length, 1, dim] where all capsules share the behaviours; logits [batch, length, K],
 *   result [batch, K, dim]
 */
export function routeToCapsules(u: tf.Tensor4D, logits: tf.Tensor3D, iterations: number): tf.Tensor3D {
  const backend = sharedBackend();
  return backend === null ? composedRouting(u, logits, iterations) : fused(u, logits, iterations, backend);
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedRouting(u: tf.Tensor4D, logits: tf.Tensor3D, iterations: number): tf.Tensor3D {
  const [batch, , own, dim] = u.shape;
  const capsules = logits.shape[2];
  // a product does not broadcast: its gradient would have the wrong shape
  const perCapsule = tf.transpose(tf.tile(u, [1, 1, capsules / own, 1]), [0, 2, 1, 3]); // [batch, K, length, dim]
  const capsulesOf = (b: tf.Tensor3D): tf.Tensor4D => {
    const weights = offTape(() => tf.transpose(tf.softmax(b), [0, 2, 1])); // [batch, K, length]
    return squash(tf.matMul(tf.expandDims<tf.Tensor4D>(weights, 2), perCapsule)); // [batch, K, 1, dim]
  };
  const last = offTape(() => {
    let b = logits;
    for (let iteration = 1; iteration < iterations; iteration++) {
      const agreement = tf.squeeze<tf.Tensor3D>(tf.matMul(capsulesOf(b), perCapsule, false, true), [2]); // [batch, K, length]
      b = tf.add(b, tf.transpose(agreement, [0, 2, 1]));
    }
    return b;
  });
  return tf.reshape(capsulesOf(last), [batch, capsules, dim]);
}

function fused(u: tf.Tensor4D, logits: tf.Tensor3D, iterations: number, backend: SharedBackend): tf.Tensor3D {
  const { kernels, address, tensor, withScratch, hold } = backend;
  const [batch, length, own, dim] = u.shape;
  const capsules = logits.shape[2];
  return onTape([u], () => {
    const value = tensor<tf.Rank.R3>([batch, capsules, dim]);
    const weights = hold(batch * capsules * kernels.routeLanes(length));
    const sums = hold(batch * capsules * dim);
    withScratch(kernels.routeScratch(length, capsules), (scratch) =>
      // prettier-ignore
      kernels.route(batch, length, dim, capsules, own, iterations, address(u), address(logits), weights, sums, address(value), scratch),
    );
    return {
      value,
      gradients(dy) {
        const gradient = tensor<tf.Rank.R4>([batch, length, own, dim]);
        withScratch(capsules * dim, (scratch) =>
          // prettier-ignore
          kernels.routeGradient(batch, length, dim, capsules, own, weights, sums, address(dy), address(gradient), scratch),
        );
        return [gradient];
      },
    };
  });
}
