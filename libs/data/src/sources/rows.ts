import { gunzipSync } from 'node:zlib';
import type { ConfigError } from '@towerbench/config';
import { dataError, type InputFile } from '../definition.js';

/** An input that does not hold what its source publishes; `what` begins with the file, and the line where there is one. */
export function formatError(what: string): ConfigError {
  return dataError('data-format', 'dataset.name', what, {
    hint: 'the file is incomplete or of another edition; get it again',
  });
}

/** The bytes of an input, decompressed when its name ends in `.gz`. */
function contentOf({ path, bytes }: InputFile): Uint8Array {
  if (!path.endsWith('.gz')) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw formatError(`${path} cannot be decompressed: ${(error as Error).message}`);
  }
}

/**
 * The lines of an input without their ends; an empty last line is no line.
 *
 * @throws {ConfigError} when it cannot be decompressed
 */
export function textLines(input: InputFile, encoding: 'utf8' | 'latin1' = 'utf8'): string[] {
  const lines = Buffer.from(contentOf(input)).toString(encoding).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const ZERO = 48;

/**
 * Columns of whole numbers, read straight from the bytes. A field may be empty.
 *
 * @returns one array per column; NaN where a field is empty
 * @throws {ConfigError} that names the line, when it has another number of fields or something else than digits
 */
export function numberRows(
  input: InputFile,
  options: { readonly separator: '::' | ',' | '\t'; readonly columns: number; readonly header: boolean },
): Float64Array[] {
  const { separator, columns, header } = options;
  const bytes = contentOf(input);
  const mark = separator.charCodeAt(0);
  let numRows = 0;
  for (const byte of bytes) if (byte === NEWLINE) numRows++;
  if (bytes.length > 0 && bytes.at(-1) !== NEWLINE) numRows++;
  const out = Array.from({ length: columns }, () => new Float64Array(numRows));

  let at = header ? bytes.indexOf(NEWLINE) + 1 : 0;
  let row = 0;
  const fail = (what: string): never => {
    throw formatError(`${input.path}:${row + (header ? 2 : 1)}: ${what}`);
  };
  while (at < bytes.length) {
    for (let column = 0; column < columns; column++) {
      let value = 0;
      let digits = 0;
      for (; at < bytes.length; at++, digits++) {
        const digit = (bytes[at] as number) - ZERO;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      (out[column] as Float64Array)[row] = digits === 0 ? NaN : value;
      if (column === columns - 1) break;
      if (bytes[at] !== mark) fail(`expected ${columns} whole numbers parted by ${JSON.stringify(separator)}`);
      at += separator.length;
    }
    if (bytes[at] === CARRIAGE_RETURN) at++;
    if (at < bytes.length && bytes[at] !== NEWLINE) fail(`expected the end of the line after ${columns} whole numbers`);
    at++;
    row++;
  }
  return out.map((column) => column.slice(0, row));
}

/** Numbers ids densely, in the order given: `of.get(id)` is the row. */
export function rowsOfIds(ids: Iterable<number>): {
  readonly ids: readonly number[];
  readonly of: ReadonlyMap<number, number>;
} {
  const of = new Map<number, number>();
  for (const id of ids) if (!of.has(id)) of.set(id, of.size);
  return { ids: [...of.keys()], of };
}
