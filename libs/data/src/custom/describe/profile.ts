/** What the columns of files hold, as far as first rows and free counts tell. */
import { openSync, readSync, closeSync, statSync } from 'node:fs';
import { ConfigError } from '@towerbench/config';
import { FALSE_TEXTS, idSql, isOneOf, TRUE_TEXTS, UNKNOWN_TEXTS, type CellColumn } from '../cells.js';
import type { TableSource } from '../params.js';
import { formatByName, relationOf, unreadable, type Format, type Relation } from '../relation.js';
import { literal, quoted, type Session, type SqlRow } from '../session.js';

/** What a file is said to be in the section, where its name and the defaults do not say it. */
export type Reading = Partial<Pick<TableSource, 'format' | 'delimiter' | 'header' | 'encoding'>>;

/** Values that stand in one cell. */
export interface CellParts {
  /** What parts them in a text; null where the type is a list. */
  readonly separator: string | null;
  readonly total: number;
  readonly distinct: number;
  /** How many of them are numbers, and whole ones. */
  readonly numbers: number;
  readonly wholes: number;
  readonly fewest: number;
  readonly most: number;
}

/** What the rows that were looked at have in one column. Cells that are empty or mean "not known" are not known. */
export interface ColumnProfile {
  readonly name: string;
  /** In SQL; VARCHAR for every column of a CSV file. */
  readonly type: string;
  readonly known: number;
  readonly distinct: number;
  /** Cells that are numbers, whole numbers, and their range. */
  readonly numbers: number;
  readonly wholes: number;
  readonly min: number | null;
  readonly max: number | null;
  /** Cells that are dates or times and no numbers, and their range in Unix seconds. */
  readonly moments: number;
  readonly first: number | null;
  readonly last: number | null;
  /** Cells that are 1, 0, true, false, yes or no. */
  readonly flags: number;
  /** Whole numbers below 0, digits that begin with 0, and the words for "not known" where an id would be. */
  readonly negatives: number;
  readonly padded: number;
  readonly unknownWords: number;
  readonly meanLength: number;
  readonly maxLength: number;
  /** Cells with more than one word. */
  readonly phrases: number;
  readonly parts: CellParts | null;
  /** A few that are there, in the order in which they come. */
  readonly values: readonly string[];
}

/** What files that are one table hold. */
export interface TableProfile {
  /** Absolute, in the order in which they are read. */
  readonly files: readonly string[];
  readonly reading: Reading;
  /** Whether the first line names the columns; else they are column0, column1 ... */
  readonly hasNames: boolean;
  /** Rows of all files; at least so many where they were not counted. */
  readonly rows: number;
  readonly isCounted: boolean;
  /** Where they were not counted: about how many there are by the size of the files; null where that does not tell. */
  readonly about: number | null;
  /** Rows that were looked at. */
  readonly sampled: number;
  readonly columns: readonly ColumnProfile[];
}

/** A table that is open: its rows, and those of them that are looked at. */
export interface OpenTable {
  readonly profile: TableProfile;
  readonly relation: Relation;
  /** Name of the table of the session that holds the rows that are looked at. */
  readonly sample: string;
}

/** Rows that are looked at, of a table that has more. */
const SAMPLE_ROWS = 100_000;
/** Of files that are many, so many are looked at. */
const SAMPLE_FILES = 8;
/** Cells that are looked at: of wide tables fewer rows. */
const SAMPLE_CELLS = 3_000_000;
/** Text files of more bytes are not read to the end to count their rows; packed ones are a fifth of that. */
const COUNTED_BYTES = 150_000_000;
const SEPARATORS = ['|', ';', ','] as const;

/** The form of one file: how it is read, and the names of its columns. */
export interface FileForm {
  readonly file: string;
  readonly reading: Reading;
  readonly hasNames: boolean;
  readonly names: readonly string[];
}

function sourceOf(files: readonly string[], reading: Reading): TableSource {
  return { files: [...files], folder: '/', quote: '"', header: true, encoding: 'utf-8', ...reading };
}

const open = (session: Session, files: readonly string[], reading: Reading): Promise<Relation> =>
  relationOf(session, { table: 'interactions', source: sourceOf(files, reading) }, [], { isGlance: true });

/**
 * Tells the form of a file from its name and its first rows.
 *
 * @throws {ConfigError} when it cannot be read
 */
export async function formOf(session: Session, file: string): Promise<FileForm> {
  const start = startOf(file);
  const format = formatByName(file) ?? formatByContent(start);
  const said: Reading = formatByName(file) === undefined ? { format } : {};
  if (format !== 'csv') {
    const { columns } = await open(session, [file], said);
    return { file, reading: said, hasNames: true, names: [...columns.keys()] };
  }
  const encoded: Reading = start.subarray(0, 2).toString('hex') === 'fffe' ? { ...said, encoding: 'utf-16' } : said;
  return inEncoding(encoded, async (reading) => {
    const bare = await open(session, [file], { ...reading, header: false });
    const names = [...bare.columns.keys()].filter(isNumbered); // without those that folders add, as day=1 does
    if (!holdsNames(names, await firstRows(session, bare, reading))) {
      return { file, reading: { ...reading, header: false }, hasNames: false, names };
    }
    const { columns } = await open(session, [file], reading);
    return { file, reading, hasNames: true, names: [...columns.keys()] };
  });
}

/** Whether a column of a file without names has its number for one. */
export const isNumbered = (name: string): boolean => /^column\d+$/.test(name);

/** Reads text as UTF-8, and as Latin-1 where it is none, which DuckDB finds out only by reading. */
async function inEncoding<T>(reading: Reading, use: (reading: Reading) => Promise<T>): Promise<T> {
  try {
    return await use(reading);
  } catch (error) {
    const isEncoding = error instanceof ConfigError && error.issues.some(({ code }) => code === 'data-encoding');
    if (!isEncoding || reading.encoding !== undefined) throw error;
    return use({ ...reading, encoding: 'latin-1' });
  }
}

async function firstRows(session: Session, { sql, files }: Relation, reading: Reading): Promise<SqlRow[]> {
  try {
    return await session.rows(`SELECT * FROM (${sql}) LIMIT 200`);
  } catch (error) {
    throw unreadable(error, { table: 'interactions', file: files[0] ?? '', source: sourceOf(files, reading) });
  }
}

/**
 * Whether the first row names the columns. What speaks for it is a text above numbers; what speaks against it a number, a date, or a text that
 * stands again below.
 */
function holdsNames(columns: readonly string[], [first, ...rest]: readonly SqlRow[]): boolean {
  if (first === undefined) return true;
  let numFor = 0;
  let numAgainst = 0;
  for (const name of columns) {
    const textOf = (row: SqlRow): string => String(row[name] ?? '').trim();
    const isNumber = (text: string): boolean => !Number.isNaN(Number(text));
    const cell = textOf(first);
    const below = rest.map(textOf).filter((text) => text !== '');
    if (UNKNOWN_TEXTS.includes(cell.toLowerCase())) continue;
    if (isNumber(cell) || /^\d{4}-\d\d-\d\d/.test(cell) || below.includes(cell)) numAgainst++;
    else if (below.length > 0 && below.filter(isNumber).length > below.length / 2) numFor++;
  }
  return numFor > numAgainst || numAgainst === 0;
}

function startOf(file: string): Buffer {
  const bytes = Buffer.alloc(64);
  let opened: number | undefined;
  try {
    opened = openSync(file, 'r');
    return bytes.subarray(0, readSync(opened, bytes, 0, bytes.length, 0));
  } catch {
    return bytes.subarray(0, 0); // whoever reads it says what is wrong with it
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

function formatByContent(start: Buffer): Format {
  const text = start
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (text.startsWith('PAR1')) return 'parquet';
  return /^(\{\s*"|\[\s*\{)/.test(text) ? 'json' : 'csv';
}

/**
 * Opens files that are one table, and looks at their rows.
 *
 * @throws {ConfigError} when they cannot be read or do not fit together
 */
export async function openTable(session: Session, forms: readonly FileForm[], sample: string): Promise<OpenTable> {
  const [{ reading: told, hasNames, names }] = forms as readonly [FileForm];
  const files = forms.map(({ file }) => file);
  const step = Math.ceil(files.length / SAMPLE_FILES);
  const looked = files.filter((_, k) => k % step === 0);
  const limit = Math.ceil(Math.min(SAMPLE_ROWS, SAMPLE_CELLS / names.length) / looked.length);
  return inEncoding(told, async (reading) => {
    const relation = await open(session, files, reading);
    const { rows, isCounted } = await countOf(session, relation, reading);
    const isAll = isCounted && rows <= limit * looked.length;
    const parts = [];
    for (const file of isAll ? [] : looked) parts.push((await open(session, [file], reading)).sql);
    const sql = isAll ? relation.sql : parts.map((part) => `(SELECT * FROM (${part}) LIMIT ${limit})`).join(' UNION ALL BY NAME '); // prettier-ignore
    try {
      await session.run(`CREATE TEMP TABLE ${sample} AS ${sql}`);
    } catch (error) {
      throw unreadable(error, { table: 'interactions', file: files[0] ?? '', source: sourceOf(files, reading) });
    }
    const [counted] = await session.rows(`SELECT count(*) AS rows FROM ${sample}`);
    const sampled = Number(counted?.['rows']);
    const columns: ColumnProfile[] = [];
    for (const [name, type] of relation.columns) columns.push(await profileOf(session, sample, { name, type }));
    const about = isCounted ? null : rowsBySize(files, columns, sampled);
    const profile = { files, reading, hasNames, rows: Math.max(rows, sampled), isCounted, about, sampled, columns };
    return { relation, sample, profile };
  });
}

/** Rows of all files: free for Parquet, counted for text that is soon read. */
async function countOf(
  session: Session,
  { sql, files }: Relation,
  { format = formatByName(files[0] as string) }: Reading,
): Promise<{ readonly rows: number; readonly isCounted: boolean }> {
  const bytes = files.reduce((sum, file) => sum + statSync(file).size * (/\.(gz|zst)$/i.test(file) ? 5 : 1), 0);
  if (format !== 'parquet' && bytes > COUNTED_BYTES) return { rows: 0, isCounted: false };
  try {
    const [counted] = await session.rows(`SELECT count(*) AS rows FROM (${sql})`);
    return { rows: Number(counted?.['rows']), isCounted: true };
  } catch (error) {
    throw unreadable(error, { table: 'interactions', file: files[0] ?? '', source: sourceOf(files, { format }) });
  }
}

/** About how many rows plain text has, to two digits. */
function rowsBySize(files: readonly string[], columns: readonly ColumnProfile[], sampled: number): number | null {
  if (files.some((file) => /\.(gz|zst)$/i.test(file) || formatByName(file) === 'json')) return null;
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const width = columns.reduce((sum, { meanLength, known }) => sum + (meanLength * known) / sampled + 1, 0);
  return Number((bytes / width).toPrecision(2));
}

/** The cells of a column as text; NULL where they are empty or mean "not known". */
function textSql({ name }: CellColumn): string {
  const text = `trim(${quoted(name)}::VARCHAR)`;
  return `CASE WHEN ${isOneOf(`lower(${text})`, UNKNOWN_TEXTS)} THEN NULL ELSE ${text} END`;
}

async function profileOf(session: Session, sample: string, column: CellColumn): Promise<ColumnProfile> {
  const { name, type } = column;
  const isList = /\[\d*\]$/.test(type);
  const number = `TRY_CAST(t AS DOUBLE)`;
  const [row] = await session.rows(
    `WITH cells AS (SELECT ${textSql(column)} AS t, trim(${quoted(name)}::VARCHAR) AS raw FROM ${sample}),
          parsed AS (SELECT *, CASE WHEN isfinite(${number}) THEN ${number} END AS n FROM cells),
          all_of AS (SELECT *, CASE WHEN n IS NULL AND regexp_matches(t, '^\\d{4}-\\d\\d?-\\d\\d?') THEN epoch(TRY_CAST(t AS TIMESTAMPTZ)) END AS m FROM parsed)
     SELECT count(t)::INTEGER AS known, count(DISTINCT t)::INTEGER AS distinct, count(n)::INTEGER AS numbers,
       (count(*) FILTER (n = floor(n)))::INTEGER AS wholes, min(n) AS min, max(n) AS max,
       count(m)::INTEGER AS moments, min(m) AS first, max(m) AS last,
       (count(*) FILTER (${isOneOf('lower(t)', [...TRUE_TEXTS, ...FALSE_TEXTS])}))::INTEGER AS flags,
       (count(*) FILTER (n < 0 AND n = floor(n)))::INTEGER AS negatives,
       (count(*) FILTER (regexp_full_match(t, '0\\d+')))::INTEGER AS padded,
       (count(*) FILTER (t IS NULL AND raw <> ''))::INTEGER AS unknown_words,
       coalesce(avg(length(t)), 0)::DOUBLE AS mean_length, coalesce(max(length(t)), 0)::INTEGER AS max_length,
       (count(*) FILTER (t LIKE '% %'))::INTEGER AS phrases,
       ${SEPARATORS.map((separator, k) => `(count(*) FILTER (contains(t, '${separator}')))::INTEGER AS parts${k}`).join(', ')},
       (count(*) FILTER (t LIKE '[%]'))::INTEGER AS lists
     FROM all_of`,
  );
  const at = (key: string): number => Number(row?.[key] ?? 0);
  const maybe = (key: string): number | null =>
    row?.[key] === null || row?.[key] === undefined ? null : Number(row[key]);
  const found = await session.rows(
    `SELECT t FROM (SELECT ${textSql(column)} AS t, rowid AS k FROM ${sample}) WHERE t IS NOT NULL GROUP BY t ORDER BY min(k) LIMIT 3`,
  );
  return {
    name,
    type,
    known: at('known'),
    distinct: at('distinct'),
    numbers: at('numbers'),
    wholes: at('wholes'),
    min: maybe('min'),
    max: maybe('max'),
    moments: at('moments'),
    first: maybe('first'),
    last: maybe('last'),
    flags: at('flags'),
    negatives: at('negatives'),
    padded: at('padded'),
    unknownWords: at('unknown_words'),
    meanLength: at('mean_length'),
    maxLength: at('max_length'),
    phrases: at('phrases'),
    parts: await partsOf(session, sample, column, {
      isList,
      lists: at('lists'),
      known: at('known'),
      numbers: at('numbers') + at('moments'),
      withSeparator: SEPARATORS.map((_, k) => at(`parts${k}`)),
    }),
    values: found.map(({ t }) => String(t)),
  };
}

/** Lists, and texts of which at least a tenth holds one of the usual separators or all are lists of numbers. */
async function partsOf(
  session: Session,
  sample: string,
  column: CellColumn,
  seen: { readonly isList: boolean; readonly lists: number; readonly known: number; readonly numbers: number; readonly withSeparator: readonly number[] }, // prettier-ignore
): Promise<CellParts | null> {
  const { isList, lists, known, numbers, withSeparator } = seen;
  if (known === 0 || numbers > known / 2) return null;
  const most = Math.max(...withSeparator);
  const separator = SEPARATORS[withSeparator.indexOf(most)] as string;
  const isWritten = !isList && lists > known * 0.9; // [1, 2] as text
  const cell = textSql(column);
  let split: string;
  if (isList) split = `${quoted(column.name)}::VARCHAR[]`;
  else if (isWritten) split = `regexp_extract_all(${cell}, '[^\\[\\],\\s''"]+')`;
  else if (most >= known / 10) split = `string_split(${cell}, ${literal(separator)})`;
  else {
    const [blanks] = await session.rows(`SELECT (count(*) FILTER (regexp_full_match(t, '[-+.eE\\d]+( +[-+.eE\\d]+)+')))::INTEGER AS found FROM (SELECT ${cell} AS t FROM ${sample})`); // prettier-ignore
    if (Number(blanks?.['found']) < known * 0.9) return null;
    split = `string_split_regex(${cell}, ' +')`;
  }
  const [row] = await session.rows(
    `WITH lists AS (SELECT ${split} AS parts FROM ${sample} WHERE ${cell} IS NOT NULL),
          parts AS (SELECT trim(unnest(parts)) AS p FROM lists)
     SELECT count(*)::INTEGER AS total, count(DISTINCT p)::INTEGER AS distinct, count(TRY_CAST(p AS DOUBLE))::INTEGER AS numbers,
       (count(*) FILTER (TRY_CAST(p AS DOUBLE) = floor(TRY_CAST(p AS DOUBLE)) AND NOT contains(p, '.')))::INTEGER AS wholes,
       (SELECT min(len(parts)) FROM lists)::INTEGER AS fewest, (SELECT max(len(parts)) FROM lists)::INTEGER AS most FROM parts`,
  );
  const at = (key: string): number => Number(row?.[key] ?? 0);
  const isDefault = isWritten || (!isList && most < known / 10);
  return {
    separator: isList || isDefault ? null : separator,
    total: at('total'),
    distinct: at('distinct'),
    numbers: at('numbers'),
    wholes: at('wholes'),
    fewest: at('fewest'),
    most: at('most'),
  };
}

/** Part of the different ids of one column that stand in another, among the rows that are looked at. */
export async function coverageOf(
  session: Session,
  from: { readonly table: OpenTable; readonly column: string },
  to: { readonly table: OpenTable; readonly column: string },
): Promise<number> {
  const [ids, keys] = [from, to].map(({ table, column }) => {
    const sql = idSql({ name: column, type: table.relation.columns.get(column) as string });
    return sql === null ? null : `SELECT DISTINCT ${sql} AS id FROM ${table.sample}`;
  });
  if (ids === null || keys === null) return 0;
  const [row] = await session.rows(
    `SELECT coalesce(avg((id IN (SELECT id FROM (${keys}) WHERE id IS NOT NULL))::INTEGER), 0)::DOUBLE AS share FROM (${ids}) WHERE id IS NOT NULL`,
  );
  return Number(row?.['share'] ?? 0);
}
