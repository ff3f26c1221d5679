/** The section of an experiment file that reads what was guessed. */
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { readdirSync } from 'node:fs';
import { toSnakeCase } from '@towerbench/config';
import { isOneOf, TRUE_TEXTS, UNKNOWN_TEXTS } from '../cells.js';
import { literal, quoted } from '../session.js';
import { count, counted } from './content.js';
import { percentText, type ColumnGuess, type TableGuess, type TableRole } from './guess.js';
import { isNumbered, type ColumnProfile, type TableProfile } from './profile.js';

/** What the rows that were looked at have, of those that the draft takes. */
export interface RowFacts {
  readonly rows: number;
  readonly users: number;
  readonly items: number;
  /** Users with at least three rows, which leave-one-out needs. */
  readonly usersWithThree: number;
  /** Rows of a user on average, counted over all rows; null where not all were looked at and counting would take long. */
  readonly rowsPerUser: number | null;
  /** Whether all rows were looked at. */
  readonly isWhole: boolean;
  /** Rows without a time. */
  readonly untimed: number;
  /** Different times. */
  readonly times: number;
}

/** A value of YAML. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** A section to edit, and why each part of it is there. */
export interface Draft {
  readonly dataset: Readonly<Record<string, Plain>>;
  /** By the keys that lead to a part of `dataset`. */
  readonly reasons: readonly { readonly path: readonly string[]; readonly text: string; readonly isUnsure: boolean }[];
}

/** Rows that the draft takes: in SQL over the columns of the interactions, and as `positive` says it. */
export interface Positive {
  readonly condition: string;
  readonly sql: string;
  readonly why: string;
}

const ROLES: readonly TableRole[] = ['interactions', 'exposures', 'users', 'items'];

/** Names of the columns in the section: those of the file, and of a file without a header what they are for. */
function columnNames({ profile, columns }: TableGuess): ReadonlyMap<string, string> {
  if (profile.hasNames) return new Map(columns.map(({ name }) => [name, name]));
  return new Map(columns.map(({ name, role }) => [name, !isNumbered(name) || role === null || role === 'feature' || role === 'number' ? name : role])); // prettier-ignore
}

/** Which rows are positives where a column tells; null where all are. */
export function positiveOf({ columns, profile }: TableGuess): Positive | null {
  const find = (role: ColumnGuess['role']): ColumnProfile | undefined =>
    profile.columns.find(({ name }) => columns.some((column) => column.name === name && column.role === role));
  const label = find('label');
  if (label !== undefined) {
    const sql = isOneOf(`lower(trim(${quoted(label.name)}::VARCHAR))`, TRUE_TEXTS);
    return { condition: 'label == 1', sql, why: 'rows that were acted on; task: labelled would predict the label of all rows instead' }; // prettier-ignore
  }
  const rating = find('rating');
  const most = rating?.max ?? null;
  if (rating === undefined || (most !== 5 && most !== 10)) return null;
  const bound = most === 5 ? 4 : 8;
  return { condition: `rating >= ${bound}`, sql: `TRY_CAST(${quoted(rating.name)} AS DOUBLE) >= ${bound}`, why: `of ratings up to ${most} those that say that a user liked it; null would take every row` }; // prettier-ignore
}

/** A condition in SQL that leaves out rows whose cell is no id; null where all are. */
export function whereOf({ profile, columns }: TableGuess): { readonly sql: string; readonly why: string } | null {
  const found = columns.filter(({ role }) => role === 'user' || role === 'item').flatMap(({ name, role }) => {
    const column = profile.columns.find((each) => each.name === name) as ColumnProfile;
    const lost = profile.sampled - column.known;
    const { negatives } = column;
    if (lost + negatives === 0) return [];
    const cell = quoted(name);
    const isText = column.type === 'VARCHAR';
    const parts = [
      ...(lost === 0 ? [] : [isText && column.unknownWords > 0 ? `lower(trim(${cell})) NOT IN (${UNKNOWN_TEXTS.map(literal).join(', ')})` : isText ? `trim(${cell}) <> ''` : `${cell} IS NOT NULL`]),
      ...(negatives === 0 ? [] : [isText ? `${cell} NOT LIKE '-%'` : `${cell} >= 0`]),
    ];
    const what = [...(lost === 0 ? [] : [`${counted(lost, 'row')} without ${role}`]), ...(negatives === 0 ? [] : [`${counted(negatives, 'row')} with ${role === 'item' ? 'an' : 'a'} ${role} below 0, which mostly means "unknown"`])];
    return [{ sql: parts.join(' AND '), why: what.join(', ') }];
  }); // prettier-ignore
  if (found.length === 0) return null;
  return {
    sql: found.map(({ sql }) => sql).join(' AND '),
    why: `leaves out ${found.map(({ why }) => why).join(', ')}`,
  };
}

/** How rows are divided, by whether their order is known and how many a user has. */
function splitOf(
  { users, usersWithThree, rowsPerUser, isWhole, untimed, times, rows }: RowFacts,
  hasTime: boolean,
): { readonly split: Plain; readonly why: string; readonly isUnsure: boolean } {
  const byTime = hasTime && untimed === 0 && times > 1;
  const enough = isWhole ? usersWithThree >= Math.max(1, users / 10) : rowsPerUser === null || rowsPerUser >= 3;
  const who = isWhole
    ? `${percentText(usersWithThree / Math.max(1, users))} of the users have 3 rows or more`
    : rowsPerUser === null
      ? 'whether users have the 3 rows that this needs is not known, as not all rows were looked at'
      : `users have ${rowsPerUser.toFixed(1)} rows on average`;
  if (byTime && enough) {
    return { split: { protocol: 'leave-one-out' }, why: `the last row of each user is for testing; ${who}. { protocol: global-time } leaks nothing of the future`, isUnsure: !isWhole && rowsPerUser === null }; // prettier-ignore
  }
  if (byTime && times >= 20 && rows >= 20) {
    return { split: { protocol: 'global-time' }, why: `two moments cut all rows, as users have too few for leave-one-out: ${who}`, isUnsure: false }; // prettier-ignore
  }
  const reason = !hasTime ? 'there is no time' : untimed > 0 ? `${counted(untimed, 'row')} ${untimed === 1 ? 'has' : 'have'} no time` : 'there are too few times'; // prettier-ignore
  return { split: { protocol: 'ratio' }, why: `at random, because ${reason}${enough ? '' : `; ${who}, so little is left to test`}`, isUnsure: !enough }; // prettier-ignore
}

/**
 * The section, with the paths of files relative to `base`, or absolute where that is null.
 *
 * @param guesses with exactly one table of interactions
 */
export function draftOf(guesses: readonly TableGuess[], facts: RowFacts, base: string | null): Draft {
  const reasons: { path: readonly string[]; text: string; isUnsure: boolean }[] = [];
  const say = (path: readonly string[], text: string, isUnsure = false): void => void reasons.push({ path, text, isUnsure }); // prettier-ignore
  const dataset: Record<string, Plain> = { name: 'custom' };
  const interactions = guesses.find(({ role }) => role === 'interactions') as TableGuess;
  const features: Record<'users' | 'items', string[]> = { users: [], items: [] };
  for (const role of ROLES) {
    const table = guesses.find((each) => each.role === role);
    if (table === undefined) continue;
    const { section, names } = tableSection(table, {
      base,
      say,
      isAllKnown: isWhole(table.profile) && isWhole(interactions.profile),
    });
    dataset[role] = section;
    if (role === 'users' || role === 'items') features[role] = names;
    say([role], `${rowsText(table.profile)}: ${table.why}`, table.isUnsure); // prettier-ignore
  }
  const exposed = 'exposures' in dataset;
  const positive = exposed ? null : positiveOf(interactions);
  if (positive !== null) {
    dataset['positive'] = positive.condition;
    say(['positive'], positive.why);
  }
  const { split, why, isUnsure } = splitOf(facts, interactions.columns.some(({ role }) => role === 'time')); // prettier-ignore
  dataset['split'] = split;
  say(['split'], why, isUnsure);
  dataset['features'] = { query: ['user_id', ...features.users], candidate: ['item_id', ...features.items] };
  say(['features'], 'what each tower sees');
  return { dataset, reasons };
}

/** Whether all rows were looked at. */
export const isWhole = ({ isCounted, sampled, rows }: TableProfile): boolean => isCounted && sampled === rows;

function tableSection(
  table: TableGuess,
  { base, say, isAllKnown }: { readonly base: string | null; readonly isAllKnown: boolean; readonly say: (path: readonly string[], text: string, isUnsure?: boolean) => void }, // prettier-ignore
): { readonly section: Record<string, Plain>; readonly names: string[] } {
  const { profile, columns, coverage, category } = table;
  const role = table.role as TableRole;
  const { reading, hasNames, files } = profile;
  const nameOf = columnNames(table);
  const section: Record<string, Plain> = { files: filesText(files, base) };
  if (reading.format !== undefined) section['format'] = reading.format;
  if (reading.encoding !== undefined) section['encoding'] = reading.encoding;
  if (!hasNames) {
    section['names'] = [...nameOf].filter(([name]) => isNumbered(name)).map(([, given]) => given);
    say([role, 'names'], 'the first line holds data, so these names are given here');
  }
  const where = whereOf(table);
  if (where !== null) {
    section['where'] = renamed(where.sql, nameOf);
    say([role, 'where'], where.why);
  }
  const roles: Record<string, Plain> = {};
  const numbers: Record<string, Plain> = {};
  const features: Record<string, Plain> = {};
  const taken = new Set<string>(['user_id', 'item_id', 'time', 'rating', 'label', 'weight', 'watch_time', 'user', 'item']); // prettier-ignore
  for (const column of columns) {
    const named = nameOf.get(column.name) as string;
    if (column.role === 'number') {
      const name = freshName(column.name, taken);
      numbers[name] = named;
      say([role, 'numbers', name], column.why, column.isUnsure);
    } else if (column.role === 'feature') {
      const name = freshName(column.name, taken);
      const { kind, separator } = column;
      features[name] = { ...(name === named ? {} : { column: named }), kind: kind as string, ...(separator === undefined ? {} : { separator }) }; // prettier-ignore
      say([role, 'features', name], column.why, column.isUnsure);
    } else if (column.role !== null) {
      roles[column.role] = named;
      say([role, 'columns', column.role], column.why, column.isUnsure);
    }
  }
  const order = ['user', 'item', 'time', 'rating', 'label', 'weight', 'watch_time', 'title'];
  section['columns'] = Object.fromEntries(
    Object.entries(roles).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)),
  );
  if (Object.keys(numbers).length > 0) section['numbers'] = numbers;
  if (Object.keys(features).length > 0) section['features'] = features;
  if (role === 'users' || role === 'items') {
    if (coverage !== 1 || !isAllKnown) {
      section['missing'] = 'unknown';
      const one = role.slice(0, -1);
      say([role, 'missing'], coverage === 1 ? `not all rows were looked at, so perhaps a ${one} has no row here; refuse would be an error then` : `${percentText(1 - (coverage ?? 0))} of the ${role} of the interactions have no row here: their features are unknown; refuse would be an error`); // prettier-ignore
    }
    if (category !== null) {
      const name = Object.keys(features).find((each) => each === category || (features[each] as { column?: string }).column === category); // prettier-ignore
      if (name !== undefined) section['category'] = name;
    }
  }
  return { section, names: Object.keys(features) };
}

/** A condition over the columns as the section names them. */
function renamed(sql: string, nameOf: ReadonlyMap<string, string>): string {
  let text = sql;
  for (const [from, to] of nameOf) if (from !== to) text = text.replaceAll(quoted(from), quoted(to));
  return text;
}

/** A name that a feature may have: letters, digits and `_`, and no other has it. */
function freshName(column: string, taken: Set<string>): string {
  const plain = (/^\w+$/.test(column) ? column : toSnakeCase(column).replaceAll(/\W+/g, '_').replaceAll(/^_+|_+$/g, '')) || 'column'; // prettier-ignore
  let name = plain;
  for (let k = 2; taken.has(name); k++) name = `${plain}_${k}`;
  taken.add(name);
  return name;
}

/** The files as the section names them: one by name, all that a pattern finds by the pattern, others as a list. */
function filesText(files: readonly string[], base: string | null): Plain {
  const at = (file: string): string => (base === null ? file : placed(file, base));
  const [first = ''] = files;
  if (files.length === 1) return at(first);
  const pattern = patternOf(files);
  return pattern === null ? files.map(at) : at(pattern);
}

/** `logs/*.parquet`, where the folder has no other file that it finds. */
function patternOf(files: readonly string[]): string | null {
  const folder = dirname(files[0] as string);
  if (/[*?[]/.test(folder) || files.some((file) => dirname(file) !== folder || /[*?[]/.test(file))) return null;
  const names = files.map((file) => basename(file));
  const beside = readdirSync(folder);
  const end = commonStart(names.map((name) => [...name].reverse().join('')));
  const ending = [...end]
    .reverse()
    .join('')
    .replace(/^[^.]*(?=\.)/, '');
  if (!ending.startsWith('.')) return null;
  const start = commonStart(names).replace(/\d+$/, '');
  for (const pattern of [`*${ending}`, `${start}*${ending}`]) {
    const [head = '', tail = ''] = pattern.split('*');
    const found = beside.filter((name) => name.startsWith(head) && name.endsWith(tail) && name.length >= head.length + tail.length); // prettier-ignore
    if (found.length === names.length && found.every((name) => names.includes(name))) return join(folder, pattern);
  }
  return null;
}

function commonStart([first = '', ...rest]: readonly string[]): string {
  let length = first.length;
  for (const text of rest) while (!text.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length);
}

function placed(file: string, base: string): string {
  const path = relative(base, file);
  return path === '' || isAbsolute(path) ? file : path.split(sep).join('/');
}

/** What else there is to know of a table, for people. */
export function rowsText({ rows, isCounted, about, sampled }: TableGuess['profile']): string {
  if (isCounted && sampled === rows) return counted(rows, 'row');
  const all = isCounted ? counted(rows, 'row') : about === null ? `at least ${counted(rows, 'row')}` : `about ${counted(about, 'row')}, by the size`; // prettier-ignore
  return `${all}, ${count(sampled)} of them looked at`;
}
