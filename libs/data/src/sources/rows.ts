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

/** Calls `visit` with each line, without its end, and its number from 1; the whole text never is in memory twice. */
function eachLine(
  input: InputFile,
  visit: (line: string, number: number) => void,
  encoding: 'utf8' | 'latin1' = 'utf8',
): void {
  const content = contentOf(input);
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (let at = 0, number = 1; at < bytes.length; number++) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    visit(bytes.toString(encoding, at, bytes[end - 1] === CARRIAGE_RETURN && end > at ? end - 1 : end), number);
    at = end + 1;
  }
}

/** A row of a table, by the columns that were asked for. */
export interface TableRow {
  text(column: string): string;
  /** @throws {ConfigError} that names the line, when it is no number or not in the range */
  number(column: string, range?: { readonly min?: number; readonly max?: number; readonly whole?: boolean }): number;
  /** Of something wrong in this row. */
  error(what: string): ConfigError;
}

/**
 * Calls `visit` with each row of a table of text, whose columns are those of its first line, or `names` where it has no such line. Fields
 * parted by commas may be quoted, those parted by tabs stand as they are.
 *
 * @throws {ConfigError} that names the line, when a column is missing or a row has another number of fields
 */
export function eachRow(
  input: InputFile,
  options: {
    readonly separator: ',' | '\t';
    readonly columns: readonly string[];
    readonly header: boolean;
    readonly encoding?: 'utf8' | 'latin1';
  },
  visit: (row: TableRow) => void,
): void {
  const { separator, columns, header, encoding } = options;
  let places = new Map(columns.map((name, place) => [name, place]));
  let width = columns.length;
  let fields: readonly string[] = [];
  let line = 0;
  const error = (what: string): ConfigError => formatError(`${input.path}:${line}: ${what}`);
  const text = (column: string): string => fields[places.get(column) as number] as string;
  const row: TableRow = {
    text,
    error,
    number(column, { min = -Infinity, max = Infinity, whole = false } = {}) {
      const value = text(column) === '' ? NaN : Number(text(column));
      if (value >= min && value <= max && Math.abs(value) < Infinity && (!whole || Number.isInteger(value)))
        return value;
      const kind = `a ${whole ? 'whole ' : ''}number`;
      const [from, to] = [min > -Infinity ? ` from ${min}` : '', max < Infinity ? ` to ${max}` : ''];
      throw error(`${column} is ${JSON.stringify(text(column))} instead of ${kind}${from}${to}`);
    },
  };
  eachLine(
    input,
    (content, number) => {
      line = number;
      fields = separator === ',' && content.includes('"') ? quotedFields(content) : content.split(separator);
      if (number === 1 && header) {
        places = new Map(fields.map((name, place) => [name, place]));
        width = fields.length;
        const missing = columns.filter((name) => !places.has(name));
        if (missing.length > 0) throw error(`the first line names no ${missing.join(', ')}`);
        return;
      }
      if (fields.length !== width) throw error(`${fields.length} fields instead of ${width}`);
      visit(row);
    },
    encoding,
  );
}

/** The fields of a line in which some stand in quotes, `""` for a quote in them. */
function quotedFields(line: string): string[] {
  const fields: string[] = [];
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(quoted === undefined ? (plain as string) : quoted.replaceAll('""', '"'));
  }
  return fields;
}

/** Lines `owner id id ...` of whole numbers parted by spaces. */
export interface IdLists {
  readonly owners: readonly number[];
  readonly lists: readonly Int32Array[];
}

/**
 * Reads lines `owner id id ...`. An owner may have no ids.
 *
 * @param rest takes what stands after a tab, where each line has one, with the ids before it
 * @throws {ConfigError} that names the line, when something is no whole number or an owner comes twice
 */
export function idLists(
  input: InputFile,
  rest?: (part: Int32Array, list: Int32Array, error: (what: string) => ConfigError) => void,
): IdLists {
  const owners: number[] = [];
  const lists: Int32Array[] = [];
  const lineOf = new Map<number, number>();
  eachLine(input, (line, number) => {
    const error = (what: string): ConfigError => formatError(`${input.path}:${number}: ${what}`);
    const numbersIn = (text: string): Int32Array => {
      const words = text.trim().split(' ');
      return Int32Array.from(words, (word) => {
        if (!/^\d{1,9}$/.test(word)) throw error(`${JSON.stringify(word)} is no whole number parted by spaces`);
        return Number(word);
      });
    };
    const [first, second, ...more] = line.split('\t');
    if ((second === undefined) !== (rest === undefined) || more.length > 0) {
      throw error(rest === undefined ? 'a tab stands in a line of ids' : 'expected ids, a tab and a number for each');
    }
    const ids = numbersIn(first as string);
    const owner = ids[0] as number;
    const before = lineOf.get(owner);
    if (before !== undefined) throw error(`${owner} has a line already, line ${before}`);
    lineOf.set(owner, number);
    owners.push(owner);
    lists.push(ids.subarray(1));
    rest?.(numbersIn(second as string), ids.subarray(1), error);
  });
  return { owners, lists };
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

/** `0`, `1` ...: ids of a source that numbers what it has `count` of. */
export function numbersTo(count: number): string[] {
  return Array.from({ length: count }, (_, id) => String(id));
}
