import { z } from 'zod';
import { commonParams } from '../../common.js';
import { defineOptimizer } from '../../contract.js';

const params = z.strictObject({
  ...commonParams,
  momentum: z.number().min(0).lt(1).default(0).describe('Share of the step before that is kept.'),
});

/**
 * Stochastic gradient descent with momentum, in PyTorch's form.
 *   b ← μb + g,  w ← w − η b
 */
export const definition = defineOptimizer({
  name: 'sgd',
  revision: 1,
  summary: 'Stochastic gradient descent, with momentum when asked.',
  params,
  rule: ({ momentum }) => ({
    moments: momentum > 0 ? ['velocity'] : [],
    apply({ weights, moments, gradient, weightAt, gradientAt, count, learningRate, gradientScale }) {
      const velocity = moments['velocity'];
      for (let i = 0; i < count; i++) {
        const w = weightAt + i;
        let g = gradientScale * (gradient[gradientAt + i] as number);
        if (velocity !== undefined) velocity[w] = g = momentum * (velocity[w] as number) + g;
        weights[w] = (weights[w] as number) - learningRate * g;
      }
    },
    kernel:
      (kernels, { learningRate, gradientScale }) =>
      ({ numRows, dim, rows, weights, moments: [velocity = 0], gradient }) =>
        kernels.sgd(numRows, dim, rows, weights, velocity, gradient, learningRate, momentum, gradientScale),
  }),
});
