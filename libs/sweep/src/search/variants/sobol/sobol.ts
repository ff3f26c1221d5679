import { z } from 'zod';
import { defineSearchMethod } from '../../contract.js';
import { MAX_DIMENSIONS, sobolPoint } from '../../sobol/sequence.js';

/**
 * The points of Sobol's sequence in turn, one dimension a parameter, scrambled by the seed of the sweep: the first 2^k points have one in
 * each of the 2^k equal parts of every axis, which independent draws do not.
 *
 * @numerics 32 bits a coordinate.
 */
export const definition = defineSearchMethod({
  name: 'sobol',
  revision: 1,
  summary: 'Points that fill the space evenly.',
  reference: {
    title: 'Constructing Sobol sequences with better two-dimensional projections',
    year: 2008,
    url: 'https://doi.org/10.1137/070709359',
  },
  params: z.strictObject({}),
  takesRanges: true,
  usesResults: false,
  maxParameters: MAX_DIMENSIONS,
  suggest: sobolPoint,
});
