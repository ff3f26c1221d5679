import { z } from 'zod';
import { defineSampler } from '../../contract.js';

/** Rows carry their own labels (clicked or not); nothing is drawn. */
export const definition = defineSampler({
  name: 'labelled',
  revision: 1,
  summary: 'The labels of the rows themselves: positives and negatives were both observed.',
  params: z.strictObject({}),
  layout: 'pairs',
  labelled: true,
  build: () => ({ numNegatives: 0, logSamplingProbability: null, draw: () => new Int32Array(0) }),
});
