import { z } from 'zod';
import { commonParams } from '../../common.js';
import { defineOptimizer } from '../../contract.js';

const params = z.strictObject({
  ...commonParams,
  epsilon: z.number().positive().default(1e-10).describe('Added to the root of the accumulated squares.'),
});

/**
 * Adagrad.
 *   s ← s + g²,  w ← w − η g / (√s + ε)
 *
 * @source Duchi, Hazan and Singer 2011
 */
export const definition = defineOptimizer({
  name: 'adagrad',
  revision: 1,
  summary: 'Adagrad: steps shrink with the accumulated squared gradient of each weight.',
  reference: { title: 'Adaptive Subgradient Methods for Online Learning and Stochastic Optimization', year: 2011 },
  params,
  rule: ({ epsilon }) => ({
    moments: ['squares'],
    apply({ weights, moments, gradient, weightAt, gradientAt, count, learningRate, gradientScale }) {
      const squares = moments['squares'] as Float32Array;
      for (let i = 0; i < count; i++) {
        const w = weightAt + i;
        const g = gradientScale * (gradient[gradientAt + i] as number);
        const s = (squares[w] as number) + g * g;
        squares[w] = s;
        weights[w] = (weights[w] as number) - (learningRate * g) / (Math.sqrt(s) + epsilon);
      }
    },
    kernel:
      (kernels, { learningRate, gradientScale }) =>
      ({ numRows, dim, rows, weights, moments: [squares = 0], gradient }) =>
        kernels.adagrad(numRows, dim, rows, weights, squares, gradient, learningRate, epsilon, gradientScale),
  }),
});
