import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

/**
 * Products with matrices of their own at every position.
 *   y_btk = x_bt W_kt
 *
 * @shape x [batch, length, dim], kernels [K, length · dim, units], result [batch, length, K, units]
 */
export function productsByPosition(x: tf.Tensor3D, kernels: tf.Tensor3D): tf.Tensor4D {
  const backend = sharedBackend();
  return backend === null ? composedProductsByPosition(x, kernels) : fused(x, kernels, backend);
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedProductsByPosition(x: tf.Tensor3D, kernels: tf.Tensor3D): tf.Tensor4D {
  const [batch, length, dim] = x.shape;
  const [numKernels, , units] = kernels.shape;
  const apart = tf.reshape<tf.Rank.R4>(kernels, [numKernels, length, dim, units]);
  const beside = tf.reshape(tf.transpose(apart, [1, 2, 0, 3]), [length, dim, numKernels * units]);
  const products = tf.matMul<tf.Tensor3D>(tf.transpose(x, [1, 0, 2]), beside); // [length, batch, K · units]
  return tf.reshape(tf.transpose(products, [1, 0, 2]), [batch, length, numKernels, units]);
}

function fused(x: tf.Tensor3D, matrices: tf.Tensor3D, backend: SharedBackend): tf.Tensor4D {
  const { kernels, address, tensor, withScratch, hold } = backend;
  const [batch, length, dim] = x.shape;
  const [numKernels, , units] = matrices.shape;
  const n = numKernels * units;
  const [ps, wps, tps] = [batch, dim, n].map((rows) => kernels.panelStride(rows)) as [number, number, number];
  const [inputs, outputs] = [kernels.panelFloats(batch, dim), kernels.panelFloats(batch, n)];
  const op = tf.customGrad<tf.Tensor4D>((...args) => {
    const [input, weights] = args as unknown as [tf.Tensor3D, tf.Tensor3D];
    const save = args[2] as unknown as (tensors: tf.Tensor[]) => void;
    const value = tensor<tf.Rank.R4>([batch, length, numKernels, units]);
    const beside = hold(length * dim * n); // the kernels of a position side by side: [length, dim, K · units]
    for (let k = 0; k < numKernels; k++) {
      const from = address(weights) + k * length * dim * units * 4;
      kernels.copyRows(length * dim, units, from, units, beside + k * units * 4, n);
    }
    withScratch(inputs + outputs + kernels.panelFloats(dim, n), (a) => {
      const [c, b] = [a + inputs * 4, a + (inputs + outputs) * 4];
      for (let t = 0; t < length; t++) {
        kernels.toPanels(batch, dim, address(input) + t * dim * 4, length * dim, 1, a, ps);
        kernels.toPanels(dim, n, beside + t * dim * n * 4, n, 1, b, wps);
        kernels.multiply(batch, n, dim, a, ps, b, wps, c, ps, 0, 0);
        kernels.fromPanels(batch, n, c, ps, address(value) + t * n * 4, length * n);
      }
    });
    save([input]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [dx, dWeights] = [tensor<tf.Rank.R3>(x.shape), tensor<tf.Rank.R3>(matrices.shape)];
        const from = address(saved[0] as tf.Tensor);
        const small = Math.max(kernels.panelFloats(dim, n), kernels.panelFloats(n, dim));
        withScratch(inputs + outputs + small + length * dim * n, (a) => {
          const [c, b] = [a + inputs * 4, a + (inputs + outputs) * 4];
          const dBeside = b + small * 4;
          for (let t = 0; t < length; t++) {
            kernels.toPanels(batch, dim, from + t * dim * 4, length * dim, 1, a, ps);
            kernels.toPanels(batch, n, address(dy) + t * n * 4, length * n, 1, c, ps);
            kernels.multiplyTransposed(batch, n, dim, a, ps, c, ps, b, wps, false);
            kernels.fromPanels(dim, n, b, wps, dBeside + t * dim * n * 4, n);
            kernels.toPanels(n, dim, beside + t * dim * n * 4, 1, n, b, tps);
            kernels.multiply(batch, dim, n, c, ps, b, tps, a, ps, 0, 0);
            kernels.fromPanels(batch, dim, a, ps, address(dx) + t * dim * 4, length * dim);
          }
          for (let k = 0; k < numKernels; k++) {
            const to = address(dWeights) + k * length * dim * units * 4;
            kernels.copyRows(length * dim, units, dBeside + k * units * 4, n, to, units);
          }
        });
        return [dx, dWeights];
      },
    };
  });
  return op(x, matrices);
}
