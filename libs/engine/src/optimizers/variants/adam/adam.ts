import { z } from 'zod';
import { commonParams } from '../../common.js';
import { defineOptimizer } from '../../contract.js';

const params = z.strictObject({
  ...commonParams,
  beta1: z.number().min(0).lt(1).default(0.9).describe('Decay of the mean of gradients.'),
  beta2: z.number().min(0).lt(1).default(0.999).describe('Decay of the mean of squared gradients.'),
  epsilon: z
    .number()
    .positive()
    .default(1e-8)
    .describe('Added to the root of the second moment, after bias correction.'),
  weightDecay: z
    .number()
    .min(0)
    .default(0)
    .describe('Decoupled (AdamW): weights shrink by learning rate × this per step.'),
});

/**
 * Adam with bias correction, in PyTorch's form; decoupled weight decay makes it AdamW.
 *   m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  w ← w − η·wd·w − η · (m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε)
 *
 * @source Kingma and Ba 2015; Loshchilov and Hutter 2019
 * @numerics Weights and moments are float32, and so is the arithmetic of the kernel.
 */
export const definition = defineOptimizer({
  name: 'adam',
  revision: 1,
  summary: 'Adam; with weight_decay it is AdamW.',
  reference: {
    title: 'Adam: A Method for Stochastic Optimization',
    year: 2015,
    url: 'https://arxiv.org/abs/1412.6980',
  },
  params,
  rule: ({ beta1, beta2, epsilon, weightDecay }) => ({
    moments: ['mean', 'square'],
    apply({ weights, moments, gradient, weightAt, gradientAt, count, step, learningRate, gradientScale }) {
      const mean = moments['mean'] as Float32Array;
      const square = moments['square'] as Float32Array;
      const stepSize = learningRate / (1 - beta1 ** step);
      const rootScale = 1 / Math.sqrt(1 - beta2 ** step);
      const keep = 1 - learningRate * weightDecay;
      for (let i = 0; i < count; i++) {
        const w = weightAt + i;
        const g = gradientScale * (gradient[gradientAt + i] as number);
        const m = beta1 * (mean[w] as number) + (1 - beta1) * g;
        const v = beta2 * (square[w] as number) + (1 - beta2) * g * g;
        mean[w] = m;
        square[w] = v;
        weights[w] = keep * (weights[w] as number) - (stepSize * m) / (Math.sqrt(v) * rootScale + epsilon);
      }
    },
    kernel(kernels, { step, learningRate, gradientScale }) {
      const stepSize = learningRate / (1 - beta1 ** step);
      const rootScale = 1 / Math.sqrt(1 - beta2 ** step);
      const keep = 1 - learningRate * weightDecay;
      return ({ numRows, dim, rows, weights, moments: [mean = 0, square = 0], gradient }) =>
        // prettier-ignore
        kernels.adam(numRows, dim, rows, weights, mean, square, gradient, beta1, 1 - beta1, beta2, 1 - beta2, stepSize, rootScale, epsilon, keep, gradientScale);
    },
  }),
});
