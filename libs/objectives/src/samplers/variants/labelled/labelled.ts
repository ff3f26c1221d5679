import { z } from 'zod';
import { defineSampler, probabilitiesIn } from '../../contract.js';
import { perPositive, perPositiveParams } from '../../drawing.js';

const params = z.strictObject({
  ...perPositiveParams,
  numNegatives: z
    .int()
    .min(0)
    .default(0)
    .describe('Items drawn uniformly beside each row, for what was never shown; `bce` takes their label for 0.'),
});

/**
 * Rows carry their own labels (clicked or not). A model that serves the whole catalogue learns from them only about what was shown;
 * `numNegatives` adds items that were not.
 *   q_i = 1 / N
 */
export const definition = defineSampler({
  name: 'labelled',
  revision: 1,
  summary:
    'The labels of the rows themselves: positives and negatives were both observed; more negatives can be drawn.',
  params,
  layout: 'pairs',
  labelled: true,
  probability: ({ numNegatives }) => (numNegatives === 0 ? null : 'draw'),
  build: ({ params: of, data: { numItems } }) => ({
    numNegatives: of.numNegatives,
    logProbabilityOf:
      of.numNegatives === 0 ? null : probabilitiesIn(new Float32Array(numItems).fill(-Math.log(numItems))),
    draw: perPositive(of, { numItems, drawable: numItems, draw: (rng) => rng.int(numItems) }),
  }),
});
