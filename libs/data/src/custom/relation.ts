import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { ConfigError, didYouMean, type ConfigIssue } from '@towerbench/config';
import { dataError } from '../definition.js';
import type { TableSource } from './params.js';
import { literal, type Session } from './session.js';

/** Where a table of the section comes from: its key, for messages, and what is written there. */
export interface NamedSource {
  readonly table: 'interactions' | 'users' | 'items' | 'exposures';
  readonly source: TableSource;
}

/** Rows that a query can read. */
export interface Relation {
  readonly table: NamedSource['table'];
  /** A query that gives the rows: columns as they are in the files. */
  readonly sql: string;
  /** The same, before `where`, and with `towerbench_file` and `towerbench_row` (from 1, over all files). */
  readonly numberedSql: string;
  /** Name of each column, and its type in SQL. */
  readonly columns: ReadonlyMap<string, string>;
  readonly where: string | null;
  /** In the order in which they are read; empty for `sql`. */
  readonly files: readonly string[];
}

type Format = 'csv' | 'parquet' | 'json';

const ENDINGS: Readonly<Record<string, Format>> = {
  csv: 'csv', tsv: 'csv', txt: 'csv', dat: 'csv', data: 'csv', inter: 'csv', tab: 'csv',
  parquet: 'parquet', pq: 'parquet', json: 'json', jsonl: 'json', ndjson: 'json',
}; // prettier-ignore
const FORMAT_WORDS = 'csv, parquet, json (also .tsv, .txt, .jsonl, .ndjson, and each with .gz or .zst)';
const DELIMITERS = ['\t', '::', ';', '|', ','] as const;
/** A byte that no text has, so that a line is one column. */
const NO_DELIMITER = '\u0001';
/** Files whose first line is looked at. */
const MAX_HEADERS = 200;

/**
 * The files that a source names, absolute, each pattern's in the order of their names.
 *
 * @throws {ConfigError} when one is not there, is a folder, or is empty
 */
export async function filesOf(session: Session, { table, source }: NamedSource): Promise<readonly string[]> {
  const patterns = typeof source.files === 'string' ? [source.files] : (source.files ?? []);
  const found: string[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const path = `dataset.${table}.files${typeof source.files === 'string' ? '' : `[${index}]`}`;
    found.push(...(await filesOfPattern(session, { pattern, path, folder: source.folder })));
  }
  return [...new Set(found)];
}

async function filesOfPattern(
  session: Session,
  { pattern, path, folder }: { readonly pattern: string; readonly path: string; readonly folder: string },
): Promise<readonly string[]> {
  const refuse = (code: string, message: string, hint?: string): ConfigError =>
    dataError(code, path, message, { received: pattern, ...(hint === undefined ? {} : { hint }) });
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(pattern)) {
    throw refuse(
      'data-address',
      `"${pattern}" is an address, and only files are read`,
      'download it, and name the file',
    );
  }
  const whole = isAbsolute(pattern) ? pattern : resolve(folder, pattern);
  const stat = statSync(whole, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) {
    throw refuse('data-folder', `"${whole}" is a folder`, `name its files: ${join(pattern, suggestedPattern(whole))}`);
  }
  const files =
    stat === undefined && /[*?[]/.test(pattern)
      ? (await session.rows(`SELECT file FROM glob(${literal(whole)}) ORDER BY file`)).map(({ file }) => String(file))
      : stat === undefined
        ? []
        : [whole];
  if (files.length === 0) {
    const near = didYouMean(basename(pattern), namesIn(dirname(whole)));
    throw refuse(
      'data-missing',
      `there is no file "${whole}"`,
      near ?? (existsSync(dirname(whole)) ? 'paths are relative to the experiment file' : `there is no folder "${dirname(whole)}"; paths are relative to the experiment file`),
    ); // prettier-ignore
  }
  for (const file of files) {
    if (statSync(file).size === 0) throw refuse('data-empty-file', `"${file}" is empty`);
  }
  return files;
}

function suggestedPattern(folder: string): string {
  const ending = namesIn(folder)
    .map((name) => /\.(csv|tsv|parquet|jsonl?|ndjson)(\.gz|\.zst)?$/.exec(name)?.[0])
    .find((found) => found !== undefined);
  return `*${ending ?? '.csv'}`;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Makes a source readable: finds its files, tells their form, reads the names and types of its columns.
 *
 * @throws {ConfigError} when a file is missing or of another form, or headers do not fit together
 */
export async function relationOf(session: Session, named: NamedSource, wanted: readonly string[]): Promise<Relation> {
  const { table, source } = named;
  const where = source.where ?? null;
  const files = source.sql === undefined ? await filesOf(session, named) : [];
  const from = source.sql === undefined ? await readerOf(session, named, { files, wanted }) : null;
  const rows =
    from === null ? `SELECT * FROM (${(source.sql as string).replace(/;\s*$/, '')}\n)` : `SELECT * FROM ${from.plain}`;
  const columns = await columnsOf(session, rows, named, files);
  const relation: Relation = {
    table,
    sql: where === null ? rows : `SELECT * FROM (${rows}) WHERE (${where}\n)`,
    numberedSql:
      from === null
        ? `SELECT *, row_number() OVER () AS towerbench_row, NULL AS towerbench_file FROM (${rows})`
        : `SELECT * EXCLUDE (filename), row_number() OVER () AS towerbench_row, filename AS towerbench_file FROM ${from.withFile}`,
    columns,
    where,
    files,
  };
  if (where !== null) await requireWhere(session, relation);
  return relation;
}

async function columnsOf(
  session: Session,
  rows: string,
  { table, source }: NamedSource,
  files: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  try {
    const found = await session.rows(`DESCRIBE ${rows}`);
    return new Map(found.map(({ column_name: name, column_type: type }) => [String(name), String(type)]));
  } catch (error) {
    const path = `dataset.${table}.${source.sql === undefined ? 'files' : 'sql'}`;
    throw dataError('data-unreadable', path, source.sql === undefined ? `${files[0] ?? ''} cannot be read: ${firstLine(error)}` : firstLine(error), {
      hint: source.sql === undefined ? 'mend the file, or say what it is with format' : 'write one SELECT of DuckDB; relative paths begin at the folder of the experiment file',
    }); // prettier-ignore
  }
}

async function requireWhere(session: Session, { sql, table, where }: Relation): Promise<void> {
  try {
    await session.rows(`DESCRIBE ${sql}`);
  } catch (error) {
    throw dataError('data-where', `dataset.${table}.where`, firstLine(error), {
      received: where as string,
      hint: "write a condition of SQL over the columns, e.g. country = 'DE' AND uid IS NOT NULL",
    });
  }
}

/** DuckDB's message without what it repeats. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] as string).replace(/^(\w+ )?\w* ?Error: /, '');
}

/** What stands after FROM, without and with the column `filename`. */
async function readerOf(
  session: Session,
  named: NamedSource,
  { files, wanted }: { readonly files: readonly string[]; readonly wanted: readonly string[] },
): Promise<{ readonly plain: string; readonly withFile: string }> {
  const { table } = named;
  const formats = files.map((file) => formatOf(file, named));
  const format = formats[0] as Format;
  const other = formats.findIndex((each) => each !== format);
  if (other >= 0) {
    throw dataError('data-formats', `dataset.${table}.files`, `${files[0]} is ${format}, but ${files[other]} is ${formats[other]}`, {
      hint: 'take files of one form, or bring them together with sql',
    }); // prettier-ignore
  }
  const list = `[${files.map((file) => literal(escaped(file))).join(', ')}]`;
  const reader = (call: string, options: string): { plain: string; withFile: string } => ({
    plain: `${call}(${list}${options})`,
    withFile: `${call}(${list}${options}, filename = true)`,
  });
  switch (format) {
    case 'parquet':
      return reader('read_parquet', '');
    case 'json':
      return reader('read_json', ', sample_size = -1');
    case 'csv':
      return reader('read_csv', await csvOptions(session, named, { files, wanted }));
  }
}

/** The name as DuckDB takes it, for which * ? and [ are patterns. */
function escaped(file: string): string {
  return file.replace(/[*?[]/g, '[$&]');
}

function formatOf(file: string, { table, source }: NamedSource): Format {
  const ending = /\.(\w+)(?:\.(?:gz|zst))?$/.exec(basename(file).toLowerCase())?.[1] ?? '';
  const format = source.format ?? ENDINGS[ending];
  if (format !== undefined) return format;
  throw dataError('data-format', `dataset.${table}.files`, `what "${file}" holds cannot be told from its name`, {
    received: basename(file),
    allowed: FORMAT_WORDS,
    hint: 'write format: csv (or parquet, json) beside files',
  });
}

async function csvOptions(
  session: Session,
  { table, source }: NamedSource,
  { files, wanted }: { readonly files: readonly string[]; readonly wanted: readonly string[] },
): Promise<string> {
  const hasHeader = source.header && source.names === undefined;
  const lines: string[] = [];
  for (const file of files.slice(0, MAX_HEADERS)) lines.push(await firstLineOf(session, file, { table, source }));
  const [line = ''] = lines;
  const delimiter = source.delimiter?.replaceAll('\\t', '\t') ?? likelyDelimiter(line, wanted, source.quote);
  const split = (text: string): string[] => fieldsOf(text, delimiter, source.quote);
  const fields = split(line);
  const names = hasHeader
    ? fields.map((name, k) => (name.trim() === '' ? `column${k}` : name.trim()))
    : fields.map((_, k) => source.names?.[k] ?? `column${k}`);
  const path = `dataset.${table}.${source.names === undefined ? 'columns' : 'names'}`;
  if (source.names !== undefined && source.names.length !== fields.length) {
    throw dataError('data-names', path, `${source.names.length} names, but the first line of ${files[0]} has ${fields.length} columns parted by ${JSON.stringify(delimiter)}`, {
      received: source.names.join(', '),
      hint: `the line is ${JSON.stringify(line.slice(0, 80))}`,
    }); // prettier-ignore
  }
  const twice = names.find((name, k) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) !== k);
  if (twice !== undefined) {
    throw dataError('data-header', `dataset.${table}.files`, `the header of ${files[0]} names "${twice}" twice`, {
      hint: 'rename one of the columns, or write header: false with names: [...] and remove the first line',
    });
  }
  const different = hasHeader ? lines.findIndex((other) => other !== line) : -1;
  if (different >= 0) {
    throw dataError('data-header', `dataset.${table}.files`, `${files[different]} has another header than ${files[0]}`, {
      received: lines[different]?.slice(0, 120) ?? '',
      allowed: line.slice(0, 120),
      hint: 'bring them to one form, or join them with sql: SELECT ... UNION ALL BY NAME',
    }); // prettier-ignore
  }
  const columns = names.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ');
  const quote = literal(source.quote);
  return `, auto_detect = false, header = ${hasHeader}, delim = ${literal(delimiter)}, quote = ${quote}, escape = ${quote}, encoding = ${literal(source.encoding)}, columns = {${columns}}`;
}

async function firstLineOf(session: Session, file: string, { table, source }: NamedSource): Promise<string> {
  const query = `SELECT line FROM read_csv(${literal(escaped(file))}, auto_detect = false, header = false, delim = ${literal(NO_DELIMITER)}, quote = '', escape = '', encoding = ${literal(source.encoding)}, columns = {'line': 'VARCHAR'}) LIMIT 1`;
  try {
    const [first] = await session.rows(query);
    const line = String(first?.['line'] ?? '').replace(/^\uFEFF/, '');
    if (line.startsWith('PAR1')) throw new Error('it is a Parquet file; write format: parquet');
    return line;
  } catch (error) {
    throw unreadable(error, { table, file, source });
  }
}

/** What parts the fields of a first line: what shows most of the columns that are asked for, else what is most frequent. */
function likelyDelimiter(line: string, wanted: readonly string[], quote: string): string {
  const scored = DELIMITERS.map((delimiter) => {
    const fields = fieldsOf(line, delimiter, quote).map((name) => name.trim());
    return { delimiter, found: wanted.filter((name) => fields.includes(name)).length, fields: fields.length };
  });
  scored.sort((a, b) => b.found - a.found || b.fields - a.fields);
  return (scored[0] as (typeof scored)[number]).delimiter;
}

/** The fields of one line, whose quotes are doubled inside of quotes. */
function fieldsOf(line: string, delimiter: string, quote: string): string[] {
  const fields: string[] = [];
  let field = '';
  let isQuoted = false;
  for (let at = 0; at < line.length; at++) {
    if (quote !== '' && line.startsWith(quote, at)) {
      if (isQuoted && line.startsWith(quote, at + quote.length)) {
        field += quote;
        at += quote.length;
      } else isQuoted = !isQuoted;
    } else if (!isQuoted && line.startsWith(delimiter, at)) {
      fields.push(field);
      field = '';
      at += delimiter.length - 1;
    } else field += line[at] as string;
  }
  return [...fields, field.replace(/\r$/, '')];
}

/** An error for what DuckDB says while it reads files. */
export function unreadable(
  error: unknown,
  {
    table,
    file,
    source,
  }: { readonly table: NamedSource['table']; readonly file: string; readonly source: TableSource },
): ConfigError {
  if (error instanceof ConfigError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const path = `dataset.${table}.${source.sql === undefined ? 'files' : 'sql'}`;
  const where = /file[_ ]?(?:name|path)?\s*[=:]\s*"?([^\n"]+?)"?\s*$/im.exec(text)?.[1] ?? file;
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1];
  const columns = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text);
  const at = line === undefined ? where : `${where}:${line}`;
  if (columns !== null) {
    return dataError('data-ragged', path, `${at}: ${columns[2]} columns, but the first line has ${columns[1]}`, {
      ...originalLine(text),
      hint: 'mend the line; text that holds the delimiter needs quotes',
    });
  }
  if (/invalid (unicode|UTF)|not (valid )?utf-?8|byte sequence/i.test(text)) {
    return dataError('data-encoding', path, `${at} is not ${source.encoding} text`, {
      allowed: 'encoding: utf-8, utf-16, latin-1',
      hint: 'write encoding: latin-1 (files of Excel and older programs) or utf-16, or save the file as UTF-8',
    });
  }
  if (/quote/i.test(text) && line !== undefined) {
    return dataError('data-quotes', path, `${at}: a quote that does not end where its field ends`, {
      ...originalLine(text),
      hint: 'double the quotes inside of quoted text, or write quote: "" where quotes mean nothing',
    });
  }
  return dataError('data-unreadable', path, `${at} cannot be read: ${firstLine(error)}`, {
    hint: 'mend the file, or say what it is with format',
  });
}

function originalLine(text: string): { received?: string } {
  const original = /Original Line: ([^\n]*)/.exec(text)?.[1];
  return original === undefined ? {} : { received: original.slice(0, 120) };
}

/** The issues for columns that are not there, each with what is. */
export function missingColumns(
  { table, columns, files }: Relation,
  wanted: readonly { readonly key: string; readonly column: string }[],
): ConfigIssue[] {
  return wanted
    .filter(({ column }) => !columns.has(column))
    .map(({ key, column }) => {
      const names = [...columns.keys()];
      const where = files.length === 0 ? 'the query' : relative(process.cwd(), files[0] as string);
      const near = didYouMean(column, names);
      const looksHeaderless = names.some((name) => /^-?\d+(\.\d+)?$/.test(name));
      const hint = near ?? (looksHeaderless ? `the first line seems to hold data; write names: [${names.map((_, k) => `column${k}`).join(', ')}] with the names of the columns` : undefined);
      return {
        code: 'data-column',
        path: `dataset.${table}.${key}`,
        message: `${where} has no column "${column}"`,
        received: column,
        allowed: names.join(', '),
        ...(hint === undefined ? {} : { hint }),
      };
    }); // prettier-ignore
}
