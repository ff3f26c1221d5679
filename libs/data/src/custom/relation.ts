import { readdirSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { ConfigError, didYouMean, type ConfigIssue } from '@towerbench/config';
import { dataError } from '../definition.js';
import { badJsonLine, requireForm } from './form.js';
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

export type Format = 'csv' | 'parquet' | 'json';

const ENDINGS: Readonly<Record<string, Format>> = {
  csv: 'csv', tsv: 'csv', txt: 'csv', dat: 'csv', data: 'csv', inter: 'csv', tab: 'csv',
  parquet: 'parquet', pq: 'parquet', json: 'json', jsonl: 'json', ndjson: 'json',
}; // prettier-ignore
const FORMAT_WORDS = 'csv, parquet, json (also .tsv, .txt, .jsonl, .ndjson, and each with .gz or .zst)';
const DELIMITERS = ['\t', '::', ';', '|', ','] as const;
/** A byte that no text has, so that a line is one column. */
const NO_DELIMITER = '\u0001';
/** Names of columns that a message lists. */
const MAX_NAMES = 30;
const INTEGER_TYPE = /^U?(TINY|SMALL|BIG)?INT(EGER)?$/;

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
  const stat = statOf(whole, refuse);
  if (stat?.isDirectory() === true) {
    throw refuse('data-folder', `"${whole}" is a folder`, `name its files: ${join(pattern, suggestedPattern(whole))}`);
  }
  const files =
    stat === undefined && /[*?[]/.test(pattern)
      ? await filesMatching(session, whole)
      : stat === undefined
        ? []
        : [whole];
  if (files.length === 0) {
    const target = linkTarget(whole);
    if (target !== null) {
      throw refuse('data-missing', `"${whole}" is a link to "${target}", which is not there`, 'mend the link, or name the file itself'); // prettier-ignore
    }
    if (pattern.startsWith('~')) {
      throw refuse('data-missing', `there is no file "${whole}"`, '~ stands for no folder here; write the whole path');
    }
    const near = didYouMean(basename(pattern), namesIn(dirname(whole)));
    throw refuse(
      'data-missing',
      /[*?[]/.test(pattern) ? `no file matches "${whole}"` : `there is no file "${whole}"`,
      near ?? (statOf(dirname(whole), refuse)?.isDirectory() ? 'paths are relative to the experiment file' : `there is no folder "${dirname(whole)}"; paths are relative to the experiment file`),
    ); // prettier-ignore
  }
  for (const file of files) {
    if (statOf(file, refuse)?.size === 0) throw refuse('data-empty-file', `"${file}" is empty`);
  }
  return files;
}

/** The files that a pattern finds, in the order of their names. */
export async function filesMatching(session: Session, pattern: string): Promise<string[]> {
  const found = await session.rows(`SELECT file FROM glob(${literal(pattern)}) ORDER BY file`);
  return found.map(({ file }) => String(file));
}

/** What is known of a file without opening it; undefined where there is none. */
function statOf(
  file: string,
  refuse: (code: string, message: string, hint?: string) => ConfigError,
): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return undefined; // as Node 22 and later say themselves
    throw refuse('data-unreadable', `"${file}" cannot be opened: ${code}`, code === 'EACCES' ? 'give yourself the right to read its folders' : undefined); // prettier-ignore
  }
}

/** Where a link leads; null for what is none. */
function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function suggestedPattern(folder: string): string {
  const ending = namesIn(folder)
    .map((name) => /\.(csv|tsv|parquet|jsonl?|ndjson)(\.gz|\.zst)?$/.exec(name)?.[0])
    .find((found) => found !== undefined);
  return `*${ending ?? '.csv'}`;
}

/** What is in a folder; nothing where there is none. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Makes a source readable: finds its files, tells their form, reads the names and types of its columns.
 *
 * @param isGlance whether first rows are all that will be read: nothing is read to its end
 * @throws {ConfigError} when a file is missing or of another form, or headers do not fit together
 */
export async function relationOf(
  session: Session,
  named: NamedSource,
  wanted: readonly string[],
  { isGlance = false }: { readonly isGlance?: boolean } = {},
): Promise<Relation> {
  const { table, source } = named;
  const where = source.where ?? null;
  if (source.sql !== undefined)
    await requireSelect(session, source.sql, { code: 'data-sql', path: `dataset.${table}.sql` });
  const files = source.sql === undefined ? await filesOf(session, named) : [];
  const from = source.sql === undefined ? await readerOf(session, named, { files, wanted, isGlance }) : null;
  const rows =
    from === null ? `SELECT * FROM (${(source.sql as string).replace(/;\s*$/, '')}\n)` : `SELECT * FROM ${from.plain}`;
  const columns = await columnsOf(session, rows, named, files);
  const numberedSql =
    from === null
      ? `SELECT *, row_number() OVER () AS towerbench_row, NULL AS towerbench_file FROM (${rows})`
      : `SELECT *, row_number() OVER () AS towerbench_row FROM ${from.withFile}`;
  const relation: Relation = {
    table,
    sql:
      where === null
        ? rows
        : `SELECT * EXCLUDE (towerbench_row, towerbench_file) FROM (${numberedSql}) WHERE (${where}\n) ORDER BY towerbench_row`, // a condition may lose the order of files
    numberedSql,
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
    if (source.sql !== undefined)
      throw dataError('data-sql', path, firstLine(error), { received: source.sql, hint: SELECT_HINT });
    throw unreadable(error, { table, file: files[0] ?? '', source });
  }
}

const CHANGES_SOMETHING = /^\s*(ALTER|ATTACH|CREATE|DELETE|DROP|INSERT|LOAD|MERGE|TRUNCATE|UPDATE)\b/i;
const SELECT_HINT = 'write one SELECT of DuckDB; relative paths begin at the folder of the experiment file';

/** Refuses what is more than a question: nothing that a section says may change a file. */
async function requireSelect(
  session: Session,
  sql: string,
  { code, path, received = sql, hint = SELECT_HINT }: { readonly code: string; readonly path: string; readonly received?: string; readonly hint?: string },
): Promise<void> {
  let found: string;
  try {
    const { isSelect, count } = await session.statements(sql);
    if (isSelect) return;
    found = count === 1 ? 'it is no SELECT' : `it is ${count} statements`;
  } catch (error) {
    found = CHANGES_SOMETHING.test(sql) ? 'it is no SELECT' : firstLine(error);
  }
  throw dataError(code, path, found, { received, hint });
} // prettier-ignore

async function requireWhere(session: Session, { sql, table, where, columns, files }: Relation): Promise<void> {
  const isText = files.length > 0 && [...columns.values()].every((type) => type === 'VARCHAR');
  await requireSelect(session, sql, {
    code: 'data-where',
    path: `dataset.${table}.where`,
    received: where as string,
    hint: isText
      ? "write a condition of SQL over the columns, which are text here: country = 'DE' AND TRY_CAST(stars AS DOUBLE) > 3"
      : "write a condition of SQL over the columns, e.g. country = 'DE' AND uid IS NOT NULL",
  });
}

/** DuckDB's message without what it repeats. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] as string)
    .replace(/^Failed to extract statements: /, '')
    .replace(/^(\w+ )?\w* ?Error: /, '')
    .replaceAll(/\p{Cc}|\ufffd/gu, '')
    .trim();
}

/** What stands after FROM, without and with the column `filename`. */
async function readerOf(
  session: Session,
  named: NamedSource,
  { files, wanted, isGlance }: { readonly files: readonly string[]; readonly wanted: readonly string[]; readonly isGlance: boolean }, // prettier-ignore
): Promise<{ readonly plain: string; readonly withFile: string }> {
  const { table, source } = named;
  const formats = files.map((file) => formatOf(file, named));
  const format = formats[0] as Format;
  const other = formats.findIndex((each) => each !== format);
  if (other >= 0) {
    throw dataError('data-formats', `dataset.${table}.files`, `${files[0]} is ${format}, but ${files[other]} is ${formats[other]}`, {
      hint: 'take files of one form, or bring them together with sql',
    }); // prettier-ignore
  }
  for (const file of files)
    await requireForm(file, { format, encoding: source.encoding, path: `dataset.${table}.files`, isGlance });
  const reader = (call: string, options: string): { plain: string; withFile: string } => ({
    plain: `${call}(${listOf(files)}${options})`,
    withFile: `${call}(${listOf(files)}${options}, filename = 'towerbench_file')`,
  });
  switch (format) {
    case 'parquet':
      return reader('read_parquet', await parquetOptions(session, named, files));
    case 'json':
      return reader('read_json', await jsonOptions(session, named, { files, isGlance }));
    case 'csv':
      return reader('read_csv', await csvOptions(session, named, { files, wanted }));
  }
}

/** Files of Parquet whose columns have one name and one type in all of them; whole numbers may be of several widths. */
async function parquetOptions(session: Session, named: NamedSource, files: readonly string[]): Promise<string> {
  const { table, source } = named;
  const path = `dataset.${table}.files`;
  let first: ReadonlyMap<string, string> | null = null;
  let isMixed = false;
  for (const file of files) {
    const found = await columnsOf(session, `SELECT * FROM read_parquet(${listOf([file])})`, { table, source }, [file]);
    first ??= found;
    for (const [name, type] of first) {
      const here = found.get(name);
      if (here === type) continue;
      isMixed = true;
      if (here !== undefined && INTEGER_TYPE.test(here) && INTEGER_TYPE.test(type)) continue;
      throw dataError('data-header', path, here === undefined ? `${file} has no column "${name}", which ${files[0]} has` : `column "${name}" is ${here} in ${file}, but ${type} in ${files[0]}`, {
        received: here ?? [...found.keys()].join(', '),
        allowed: here === undefined ? [...first.keys()].join(', ') : type,
        hint: 'bring them to one form, or join them with sql: SELECT ... UNION ALL BY NAME',
      }); // prettier-ignore
    }
  }
  return isMixed ? ', union_by_name = true' : '';
}

/** JSON whose ids stay as they are written: of a UUID DuckDB would change the case. */
async function jsonOptions(
  session: Session,
  named: NamedSource,
  { files, isGlance }: { readonly files: readonly string[]; readonly isGlance: boolean },
): Promise<string> {
  const isLines = files.every((file) => /\.(jsonl|ndjson)(\.gz|\.zst)?$/i.test(file));
  const options = `${isGlance ? '' : ', sample_size = -1'}${isLines ? `, format = 'newline_delimited'` : ''}`;
  const columns = await columnsOf(session, `SELECT * FROM read_json(${listOf(files)}${options})`, named, files).catch(
    async (error: unknown) => {
      throw (isLines ? await badJsonLine(files, `dataset.${named.table}.files`) : null) ?? error;
    },
  );
  if (columns.size === 1 && columns.has('json')) {
    throw dataError('data-json', `dataset.${named.table}.files`, `${files[0]} holds no objects`, {
      allowed: 'one object for each row: {"user": "u1", "item": "i1"}',
      hint: 'write objects, in a list or one on each line',
    });
  }
  if (![...columns.values()].includes('UUID')) return options;
  const types = [...columns].map(([name, type]) => `${literal(name)}: ${literal(type === 'UUID' ? 'VARCHAR' : type)}`);
  return `${options}, columns = {${types.join(', ')}}`;
}

/** A list of files in SQL. */
function listOf(files: readonly string[]): string {
  return `[${files.map((file) => literal(escaped(file))).join(', ')}]`;
}

/** The name as DuckDB takes it, for which * ? and [ are patterns. */
function escaped(file: string): string {
  return file.replace(/[*?[]/g, '[$&]');
}

/** What a file holds by the end of its name. */
export function formatByName(file: string): Format | undefined {
  return ENDINGS[/\.(\w+)(?:\.(?:gz|zst))?$/.exec(basename(file).toLowerCase())?.[1] ?? ''];
}

function formatOf(file: string, { table, source }: NamedSource): Format {
  const format = source.format ?? formatByName(file);
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
  for (const file of files) lines.push(await firstLineOf(session, file, { table, source }));
  const [line = ''] = lines;
  const delimiter = source.delimiter?.replaceAll('\\t', '\t') ?? likelyDelimiter(line, wanted, source.quote);
  if (source.quote !== '' && delimiter.includes(source.quote)) {
    throw dataError('data-delimiter', `dataset.${table}.quote`, `${JSON.stringify(source.quote)} parts the columns of ${files[0]}`, {
      received: source.quote,
      hint: 'take another quote, or "" for none',
    }); // prettier-ignore
  }
  const isSaid = source.delimiter !== undefined && !line.includes(delimiter);
  const likely = isSaid ? likelyDelimiter(line, wanted, source.quote) : delimiter;
  if (line.includes(likely) && likely !== delimiter) {
    throw dataError('data-delimiter', `dataset.${table}.delimiter`, `the first line of ${files[0]} has no ${JSON.stringify(delimiter)}`, {
      received: source.delimiter as string,
      hint: `the line is ${JSON.stringify(line.slice(0, 80))}; ${JSON.stringify(likely)} seems to part its columns`,
    }); // prettier-ignore
  }
  const split = (text: string): string[] => fieldsOf(text, delimiter, source.quote);
  const fields = split(line);
  const names = hasHeader
    ? fields.map((name, k) => (name.trim() === '' ? `column${k}` : name.trim()))
    : fields.map((_, k) => source.names?.[k] ?? `column${k}`);
  const path = `dataset.${table}.${source.names === undefined ? 'files' : 'names'}`;
  if (source.names !== undefined && fields.every((field, k) => field.trim() === source.names?.[k])) {
    throw dataError('data-names', path, `the first line of ${files[0]} holds the names, which are no data`, {
      received: source.names.join(', '),
      hint: 'leave names out',
    });
  }
  if (source.names !== undefined && source.names.length !== fields.length) {
    throw dataError('data-names', path, `${source.names.length} names, but the first line of ${files[0]} has ${fields.length} columns parted by ${JSON.stringify(delimiter)}`, {
      received: source.names.join(', '),
      hint: `the line is ${JSON.stringify(line.slice(0, 80))}`,
    }); // prettier-ignore
  }
  const twice = names.find((name, k) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) !== k);
  if (twice !== undefined) {
    const other = names.find((name) => name.toLowerCase() === twice.toLowerCase()) as string;
    const what =
      other === twice
        ? `have the name "${twice}" twice`
        : `have the names "${other}" and "${twice}", which differ in case alone`;
    throw dataError('data-header', path, `${source.names === undefined ? `the columns of ${files[0]}` : 'they'} ${what}`, {
      received: names.join(', '),
      hint: source.names === undefined ? 'rename one of them in the file; or remove its first line, and write names: [...]' : 'give each column a name of its own',
    }); // prettier-ignore
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
    if (line.trim() === '') {
      throw dataError('data-header', `dataset.${table}.files`, `the first line of ${file} is blank`, {
        allowed: source.header && source.names === undefined ? 'the names of the columns' : 'the first row',
        hint: 'remove it, or get the file again where all of it is blank',
      });
    }
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
  if (/^(Conversion|Invalid Input|Out of Range) Error/.test(text) && !/CSV Error|file name/i.test(text)) {
    const part = source.where === undefined ? 'sql' : 'where';
    const said = source[part];
    if (said !== undefined) {
      throw dataError(`data-${part}`, `dataset.${table}.${part}`, `it fails on a row: ${firstLine(error)}`, {
        received: said,
        hint: 'TRY_CAST gives NULL where a value cannot be converted',
      });
    }
  }
  if (source.sql !== undefined)
    return dataError('data-sql', path, firstLine(error), { received: source.sql, hint: SELECT_HINT });
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
  if (/Maximum line size/i.test(text)) {
    return dataError('data-long-line', path, `${at} is longer than 2,000,000 bytes`, {
      ...originalLine(text),
      hint: 'mend the file; a quote that never ends makes one line of many, and quote: "" reads quotes as text',
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
        allowed: namesText(names),
        ...(hint === undefined ? {} : { hint }),
      };
    }); // prettier-ignore
}

function namesText(names: readonly string[]): string {
  const listed = names.slice(0, MAX_NAMES).map((name) => (name.length > 60 ? `${name.slice(0, 60)}…` : name)).join(', ');
  return names.length > MAX_NAMES ? `${listed} and ${names.length - MAX_NAMES} more` : listed;
} // prettier-ignore
