import { z } from 'zod';
import { defineSampler } from '../../contract.js';
import { drawPerPositive, perPositiveParams } from '../../drawing.js';

/**
 * Items uniformly from the whole catalogue.
 *   q_i = 1 / N
 *
 * @numerics With `excludePositives` a draw is repeated at most 100 times, then kept: a user who has seen nearly everything still gets one.
 */
export const definition = defineSampler({
  name: 'uniform',
  revision: 1,
  summary: 'Uniform over the catalogue, redrawn at every step.',
  params: z.strictObject(perPositiveParams),
  layout: 'pairs',
  labelled: false,
  build({ params, data: { numItems } }) {
    return {
      numNegatives: params.numNegatives,
      logSamplingProbability: new Float32Array(numItems).fill(-Math.log(numItems)),
      draw: (batch) => drawPerPositive(batch, params, (rng) => rng.int(numItems)),
    };
  },
});
