import { experimentJsonSchema } from '@towerbench/config';
import { vocabulary } from '@towerbench/training';
import type { Context } from '../context.js';
import { writeResult } from '../output.js';

/** `towerbench schema` */
export function schema({ root }: Context, { out }: { readonly out?: string }): void {
  writeResult(`${JSON.stringify(experimentJsonSchema(vocabulary), null, 2)}\n`, { root, out });
}
