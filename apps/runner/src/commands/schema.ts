import { experimentJsonSchema } from '@towerbench/config';
import { vocabulary } from '@towerbench/sweep';
import { writeResult } from '../output.js';

export interface SchemaOptions {
  readonly out?: string;
}

/** `towerbench schema` */
export function schema({ out }: SchemaOptions): Promise<void> {
  return writeResult(`${JSON.stringify(experimentJsonSchema(vocabulary), null, 2)}\n`, out);
}
