import { z } from 'zod';
import { defineSearchMethod } from '../../contract.js';
import { pointAt } from '../../units.js';

/**
 * Every parameter by itself, uniform over its values or on the scale of its range. Each draws from a stream of its own name, so one more
 * parameter moves no other.
 */
export const definition = defineSearchMethod({
  name: 'random',
  revision: 1,
  summary: 'Every parameter drawn by itself.',
  reference: {
    title: 'Random Search for Hyper-Parameter Optimization',
    year: 2012,
    url: 'https://www.jmlr.org/papers/v13/bergstra12a.html',
  },
  params: z.strictObject({}),
  takesRanges: true,
  usesResults: false,
  suggest: ({ space, rng }) => pointAt(space, ({ name }) => rng.fork(name).uniform()),
});
