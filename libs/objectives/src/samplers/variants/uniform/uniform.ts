import { z } from 'zod';
import { defineSampler, probabilitiesIn } from '../../contract.js';
import { perPositive, perPositiveParams } from '../../drawing.js';

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
      logProbabilityOf: probabilitiesIn(new Float32Array(numItems).fill(-Math.log(numItems))),
      draw: perPositive(params, { numItems, drawable: numItems, draw: (rng) => rng.int(numItems) }),
    };
  },
});
