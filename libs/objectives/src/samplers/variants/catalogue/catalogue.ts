import { z } from 'zod';
import { defineSampler } from '../../contract.js';

/** Every item of the catalogue is a candidate of every example; nothing is left to chance. */
export const definition = defineSampler({
  name: 'catalogue',
  revision: 1,
  summary: 'The whole catalogue.',
  params: z.strictObject({}),
  layout: 'catalogue',
  labelled: false,
  build({ data: { numItems } }) {
    const items = Int32Array.from({ length: numItems }, (_, item) => item);
    return { numNegatives: 0, logProbabilityOf: null, draw: () => ({ items }) };
  },
});
