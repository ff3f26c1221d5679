import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { ConfigError, didYouMean, type ConfigIssue } from '@towerbench/config';
import { idSql } from '../cells.js';
import { filesMatching, formatByName, namesIn } from '../relation.js';
import { quoted, withSession, type Session } from '../session.js';
import { PER_SECOND, unitOf } from '../times.js';
import { quotedValues, timesOf } from './content.js';
import { draftOf, isWhole, positiveOf, whereOf, type Draft, type RowFacts } from './draft.js';
import { coveragesToMeasure, guess, type ColumnAt, type TableGuess } from './guess.js';
import { fileRole } from './names.js';
import { coverageOf, formOf, openTable, type FileForm, type OpenTable } from './profile.js';

/** What a person's files are, as far as it can be told. */
export interface Description {
  readonly tables: readonly TableGuess[];
  /** Files that were found and are not described. */
  readonly left: readonly { readonly file: string; readonly why: string }[];
  readonly facts: RowFacts;
  /** The section, its paths relative to `base`; absolute without one. */
  draft(base: string | null): Draft;
}

/** A file, and whether it was named itself or found in a folder. */
interface FoundFile {
  readonly file: string;
  readonly isNamed: boolean;
}

/**
 * Looks at files, the files in folders, and those that patterns find, and guesses what they are.
 *
 * @param names as a person typed them, relative to `folder`
 * @throws {ConfigError} when there is none, when one that was named cannot be read, or when no table has users and items
 */
export async function describeFiles(
  names: readonly string[],
  { folder, cacheDir }: { readonly folder: string; readonly cacheDir: string },
): Promise<Description> {
  return withSession({ folder, cacheDir }, async (session) => {
    const { files, left } = await filesNamed(session, names, folder);
    const skipped = [...left];
    const issues: ConfigIssue[] = [];
    const refuse = ({ file, isNamed }: FoundFile, error: unknown): void => {
      if (!(error instanceof ConfigError)) throw error;
      const found = error.issues.map((issue) => ({ ...issue, path: '', ...(issue.code === 'data-empty-file' ? { hint: 'leave it out, or get it again' } : {}) })); // prettier-ignore
      if (isNamed) issues.push(...found);
      else skipped.push({ file, why: found.map(({ message, hint }) => `${message.replace(`${file}:`, 'line ').replace(`"${file}"`, 'it')}${hint === undefined ? '' : ` (${hint})`}`).join('; ') }); // prettier-ignore
    };
    const forms: { readonly form: FileForm; readonly found: FoundFile }[] = [];
    for (const found of files) {
      try {
        forms.push({ form: await formOf(session, found.file), found });
      } catch (error) {
        refuse(found, error);
      }
    }
    const tables: OpenTable[] = [];
    for (const group of tablesOf(forms)) {
      try {
        const table = await openTable(
          session,
          group.map(({ form }) => form),
          `sample_${tables.length}`,
        );
        if (table.profile.sampled > 0) tables.push(table);
        else refuse((group[0] as (typeof forms)[number]).found, problem('data-empty', `there is no row in "${group[0]?.form.file}"`, 'take files with rows')); // prettier-ignore
      } catch (error) {
        refuse((group[0] as (typeof forms)[number]).found, error);
      }
    }
    if (issues.length > 0) throw new ConfigError(issues);
    if (tables.length === 0) throw nothingToRead(names, skipped);
    const coverages = [];
    for (const { from, to } of coveragesToMeasure(tables.map(({ profile }) => profile))) {
      const at = ({ table, column }: ColumnAt) => ({ table: tables[table] as OpenTable, column });
      coverages.push({ from, to, share: await coverageOf(session, at(from), at(to)) });
    }
    const guesses = guess(tables.map(({ profile }) => profile), coverages); // prettier-ignore
    const main = guesses.findIndex(({ role }) => role === 'interactions');
    if (main < 0) throw noInteractions(guesses, folder);
    const interactions = guesses[main] as TableGuess;
    const facts = await factsOf(session, tables[main] as OpenTable, interactions);
    const all = guesses.with(main, await withWholeRange(session, tables[main] as OpenTable, interactions));
    return { tables: all, left: skipped, facts, draft: (base) => draftOf(all, facts, base) };
  });
}

function problem(code: string, message: string, hint?: string, allowed?: string): ConfigError {
  return new ConfigError([{ code, path: '', message, ...(allowed === undefined ? {} : { allowed }), ...(hint === undefined ? {} : { hint }) }]); // prettier-ignore
}

async function filesNamed(
  session: Session,
  names: readonly string[],
  folder: string,
): Promise<{ readonly files: readonly FoundFile[]; readonly left: Description['left'] }> {
  const files = new Map<string, FoundFile>();
  const left: { file: string; why: string }[] = [];
  const add = (file: string, isNamed: boolean): void => void files.set(file, { file, isNamed: isNamed || files.get(file)?.isNamed === true }); // prettier-ignore
  for (const name of names) {
    const path = isAbsolute(name) ? name : resolve(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) {
      const found = readdirSync(path, { recursive: true, withFileTypes: true })
        .filter(
          (entry) =>
            !entry.isDirectory() && !/^[._]/.test(entry.name) && !/[\\/][._]/.test(relative(path, entry.parentPath)),
        ) // prettier-ignore
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
      for (const file of found) {
        if (/\.(md|ya?ml)$|^(readme|licen[cs]e|copying)/i.test(basename(file))) continue;
        if (formatByName(file) !== undefined) add(file, false);
        else
          left.push({ file, why: 'what it holds cannot be told from its name; name it itself to have it described' });
      }
    } else if (stat !== undefined) add(path, true);
    else if (/[*?[]/.test(name)) {
      const found = await filesMatching(session, path);
      if (found.length === 0) throw problem('data-missing', `no file matches "${path}"`, 'correct the pattern: * stands for any name, ** for any folders'); // prettier-ignore
      for (const file of found) add(file, true);
    } else {
      const near = didYouMean(basename(path), namesIn(dirname(path)));
      throw problem('data-missing', `there is no file "${path}"`, near ?? 'correct the path');
    }
  }
  return { files: [...files.values()], left };
}

/** Files that are one table: with the same columns; files without names of columns also with the same name but for its digits. */
function tablesOf<T extends { readonly form: FileForm }>(files: readonly T[]): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const each of files) {
    const { file, names, hasNames, reading } = each.form;
    const shown = fileRole(file) === 'exposures';
    const stem = hasNames ? '' : basename(file).replaceAll(/\d+/g, '');
    const key = JSON.stringify([names, shown, stem, reading.format ?? formatByName(file)]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

function nothingToRead(names: readonly string[], left: Description['left']): ConfigError {
  const [first] = left;
  const why = first === undefined ? '' : `: ${first.file}: ${first.why}${left.length > 1 ? `, and ${left.length - 1} more` : ''}`; // prettier-ignore
  return problem('data-missing', `there is nothing to read in ${names.join(', ')}${why}`, 'name files with rows', 'CSV, TSV, Parquet or JSON (lines), plain, .gz or .zst'); // prettier-ignore
}

/** The error for files none of which has a user and an item in a row: what they have instead. */
function noInteractions(guesses: readonly TableGuess[], folder: string): ConfigError {
  const issues = guesses.map(({ profile: { files, columns, sampled } }): ConfigIssue => {
    const name = relative(folder, files[0] as string);
    const listed = columns.slice(0, 12).map((column) => `${column.name.slice(0, 40)} (${column.known === 0 ? 'empty' : quotedValues(column.values.slice(0, 2))})`); // prettier-ignore
    return {
      code: 'data-no-pairs',
      path: '',
      message: `${name.startsWith('..') ? files[0] : name}: no column could be a user beside one that could be an item`,
      received: columns.map((column) => column.name).join(', '),
      allowed: `an id in each row for who and one for what: whole numbers or short texts. There ${columns.length === 1 ? 'is' : 'are'} ${listed.join(', ')}${columns.length > 12 ? ' …' : ''}${sampled === 1 ? ' in one row' : ''}`,
      hint:
        columns.length === 1
          ? 'it has one column: if another character parts its columns, write the section by hand with delimiter, as docs/how-to/your-own-data.md shows'
          : 'add the file that says which user did something with which item, or write the section by hand, as docs/how-to/your-own-data.md shows',
    };
  });
  return new ConfigError(issues);
}

const isParquet = ({ reading, files }: OpenTable['profile']): boolean => (reading.format ?? formatByName(files[0] as string)) === 'parquet'; // prettier-ignore

/** Counts what decides on the split, over the rows that were looked at and that the draft takes. */
async function factsOf(
  session: Session,
  { sample, relation, profile }: OpenTable,
  table: TableGuess,
): Promise<RowFacts> {
  const of = (role: string): string | undefined => table.columns.find((column) => column.role === role)?.name;
  const idOf = (role: string): string => {
    const name = of(role) as string;
    return idSql({ name, type: relation.columns.get(name) as string }) ?? quoted(name);
  };
  const time = of('time');
  const conditions = [whereOf(table)?.sql, positiveOf(table)?.sql].filter((sql) => sql !== undefined);
  const rows = `SELECT ${idOf('user')} AS u, ${idOf('item')} AS i, ${time === undefined ? 'NULL' : `nullif(trim(${quoted(time)}::VARCHAR), '')`} AS t
    FROM ${sample}${conditions.length === 0 ? '' : ` WHERE ${conditions.map((sql) => `(${sql})`).join(' AND ')}`}`;
  const [found] = await session.rows(
    `SELECT count(*) AS rows, count(DISTINCT u) AS users, count(DISTINCT i) AS items, count(*) - count(t) AS untimed, count(DISTINCT t) AS times,
       (SELECT count(*) FROM (SELECT u FROM (${rows}) GROUP BY u HAVING count(*) >= 3)) AS three FROM (${rows})`,
  );
  const at = (key: string): number => Number(found?.[key] ?? 0);
  const isAll = isWhole(profile);
  const [all] = isAll || !isParquet(profile) ? [] : await session.rows(`SELECT approx_count_distinct(${idOf('user')}) AS users FROM (${relation.sql})`); // prettier-ignore
  const positives = at('rows') / profile.sampled;
  const rowsPerUser = isAll ? at('rows') / at('users') : all === undefined ? null : (profile.rows * positives) / Number(all['users']); // prettier-ignore
  return { rowsPerUser, isWhole: isAll, rows: at('rows'), users: at('users'), items: at('items'), usersWithThree: at('three'), untimed: at('untimed'), times: at('times') }; // prettier-ignore
}

/** The times of a Parquet table that was only looked at in part, over all rows: one column is soon read. */
async function withWholeRange(
  session: Session,
  { relation, profile }: OpenTable,
  table: TableGuess,
): Promise<TableGuess> {
  const time = table.columns.find(({ role }) => role === 'time');
  const column = profile.columns.find(({ name }) => name === time?.name);
  if (time === undefined || column === undefined || !isParquet(profile) || isWhole(profile)) return table;
  const isMoment = timesOf(column)?.unit === 'moment';
  const cell = isMoment ? `epoch(${quoted(time.name)}::TIMESTAMP)` : `${quoted(time.name)}::DOUBLE`;
  const [range] = await session.rows(`SELECT min(${cell}) AS first, max(${cell}) AS last FROM (${relation.sql})`);
  const [first, last] = [Number(range?.['first']), Number(range?.['last'])];
  const whole = timesOf({ ...column, ...(isMoment ? { first, last } : { min: first, max: last }) });
  if (whole === null) return { ...table, columns: table.columns.map((each) => (each === time ? { ...time, why: `${time.why} in the rows that were looked at; others are of another unit or out of all dates (${first} to ${last}${isMoment ? '' : `, ${PER_SECOND[unitOf(last)]} in a second`})`, isUnsure: true } : each)) }; // prettier-ignore
  const why = time.why.replace(timesOf(column)?.text ?? '', whole.text);
  return { ...table, columns: table.columns.map((each) => (each === time ? { ...time, why } : each)) };
}
