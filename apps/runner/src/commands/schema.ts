import { experimentJsonSchema } from '@towerbench/config';
import { vocabulary } from '@towerbench/training';
import type { Context } from '../context.js';
import { writeResult } from '../output.js';

export interface SchemaOptions {
  readonly out?: string;
}

/** `towerbench schema` */
export function schema({ root }: Context, { out }: SchemaOptions): void {
  writeResult(`${JSON.stringify(experimentJsonSchema(vocabulary), null, 2)}\n`, { root, out });
}
