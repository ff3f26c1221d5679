import { gridPoints, type Point, type SearchParameter } from '@towerbench/config';
import { z } from 'zod';
import { defineSearchMethod } from '../../contract.js';

/** The points of a space, which are asked for one by one. */
const listed = new WeakMap<readonly SearchParameter[], readonly Point[]>();

/** Every combination of the listed values, in the order of the file; the last parameter varies fastest. */
export const definition = defineSearchMethod({
  name: 'grid',
  revision: 1,
  summary: 'Every combination of the listed values.',
  params: z.strictObject({}),
  takesRanges: false,
  usesResults: false,
  suggest({ space, number }) {
    const points = listed.get(space) ?? gridPoints(space);
    listed.set(space, points);
    return points[number] ?? null;
  },
});
