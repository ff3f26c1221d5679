import { ConfigError, toSnakeCase, type ConfigIssue } from '@towerbench/config';
import type { Interactions, Table } from '../contract.js';
import {
  dataError,
  type DatasetContent,
  type FilterStep,
  type ReadingProgress,
  type ReadTables,
} from '../definition.js';
import { packTexts, type PackedTexts } from '../texts.js';
import {
  cellError,
  columnOf,
  holdsMoments,
  labelSql,
  numberSql,
  timeSql,
  typeError,
  type CellColumn,
  type CellSql,
} from './cells.js';
import { filterRows } from './filters.js';
import { idColumn, keyIn, nameIds, type IdColumn } from './ids.js';
import { KeyTable } from './key-table.js';
import { readTable, tableColumns, type KeyedTable } from './keyed-table.js';
import type { CustomParams, FeatureSource } from './params.js';
import { missingColumns, relationOf, unreadable, type NamedSource, type Relation } from './relation.js';
import { withSession, type Chunk, type Session } from './session.js';
import { scaleTimes } from './times.js';

/** Rows that are read between two reports of progress. */
const PROGRESS_ROWS = 500_000;

/** The tables of a `custom` dataset as they are kept. */
export interface CustomTables extends Omit<DatasetContent, 'userIds' | 'itemIds' | 'itemTitles'> {
  readonly userIds: PackedTexts;
  readonly itemIds: PackedTexts;
  readonly itemTitles: PackedTexts | null;
}

/**
 * Reads the files of a `custom` dataset into tables: users and items in the order of their ids, numbers before texts, rows in the order of
 * the files.
 *
 * @throws {ConfigError} that names file, row, column and value, when something is not what it must be
 */
export async function readCustom(
  params: CustomParams,
  { cacheDir, onProgress }: { readonly cacheDir: string; readonly onProgress?: ReadingProgress },
): Promise<ReadTables> {
  return withSession({ folder: params.interactions.folder, cacheDir }, async (session) => {
    const reading = await openAll(session, params);
    const { interactions, ids, notes } = await readInteractions(session, reading, { params, onProgress });
    const { kept, steps } = filterRows(
      interactions,
      {
        timeRange: params.timeRange === undefined ? null : rangeOf(params.timeRange),
        positive: params.positive,
        duplicates: params.duplicates,
        kCore: params.kCore ?? null,
      },
      { numUsers: ids.users.length, numItems: ids.items.length },
    );
    const users = await readTable(session, reading.users, { ids: ids.users, source: params.users, key: 'user' });
    const items = await readTable(session, reading.items, { ids: ids.items, source: params.items, key: 'item' });
    return assembled({ params, interactions, kept, steps, notes, users, items });
  });
}

interface Reading {
  readonly interactions: Relation;
  readonly exposures: Relation | null;
  readonly users: Relation | null;
  readonly items: Relation | null;
}

/** Makes all tables readable; every column that is not there is reported at once. */
async function openAll(session: Session, params: CustomParams): Promise<Reading> {
  const issues: ConfigIssue[] = [];
  const open = async (
    table: NamedSource['table'],
    wanted: readonly { readonly key: string; readonly column: string }[],
  ): Promise<Relation | null> => {
    const source = params[table];
    if (source === undefined) return null;
    const relation = await relationOf(session, { table, source }, wanted.map(({ column }) => column)); // prettier-ignore
    issues.push(...missingColumns(relation, wanted));
    return relation;
  };
  const columnsOf = (columns: Readonly<Record<string, string | undefined>>, prefix: string) =>
    Object.entries(columns).flatMap(([key, column]) => (column === undefined ? [] : [{ key: `${prefix}.${toSnakeCase(key)}`, column }])); // prettier-ignore
  const featuresOf = (features: Readonly<Record<string, FeatureSource>> = {}) =>
    Object.entries(features).map(([name, { column }]) => ({ key: `features.${name}`, column: column ?? name }));
  const reading = {
    interactions: (await open('interactions', [
      ...columnsOf(params.interactions.columns, 'columns'),
      ...columnsOf(params.interactions.numbers, 'numbers'),
    ])) as Relation,
    exposures: await open('exposures', columnsOf(params.exposures?.columns ?? {}, 'columns')),
    users: await open('users', [...columnsOf(params.users?.columns ?? {}, 'columns'), ...featuresOf(params.users?.features)]),
    items: await open('items', [...columnsOf(params.items?.columns ?? {}, 'columns'), ...featuresOf(params.items?.features)]),
  }; // prettier-ignore
  const { category, features = {} } = params.items ?? {};
  if (category !== undefined && features[category]?.kind !== 'categorical') {
    const names = Object.keys(features).filter((name) => features[name]?.kind === 'categorical');
    issues.push({
      code: 'data-category',
      path: 'dataset.items.category',
      message: `the items have no categorical feature "${category}"`,
      received: category,
      allowed: names.length === 0 ? 'none: there is no categorical feature' : names.join(', '),
      hint: `name it under features first: ${category}: { kind: categorical }`,
    });
  }
  if (issues.length > 0) throw new ConfigError(issues);
  const hasQuery = Object.values(reading).some((relation) => relation !== null && relation.files.length === 0);
  if (hasQuery) await session.run('SET threads = 1'); // rows of a query come in one order, whatever it says
  return reading;
}

/** The ids of users and items, in their order. */
interface Ids {
  readonly users: readonly string[];
  readonly items: readonly string[];
}

/** A number of every row, and what is wrong with those that are none. */
interface NumberColumn {
  readonly key: string;
  readonly column: CellColumn;
  readonly cell: CellSql;
  readonly what: string;
  /** Whether it holds dates and times rather than numbers. */
  readonly isMoment: boolean;
}

async function numberColumns(
  session: Session,
  relation: Relation,
  columns: Readonly<Record<string, string | undefined>>,
  prefix: 'columns' | 'numbers',
): Promise<ReadonlyMap<string, NumberColumn>> {
  const found = new Map<string, NumberColumn>();
  for (const [name, columnName] of Object.entries(columns)) {
    if (columnName === undefined || (prefix === 'columns' && (name === 'user' || name === 'item'))) continue;
    const column = columnOf(relation, columnName);
    const role = prefix === 'columns' ? name : 'number';
    const isMoment = role === 'time' && (await holdsMoments(session, relation, column));
    const cell =
      role === 'time' ? timeSql(column, { isMoment }) : role === 'label' ? labelSql(column) : numberSql(column);
    const key = `${prefix}.${toSnakeCase(name)}`;
    const what = role === 'time' ? 'is no such time' : role === 'label' ? 'is no label' : 'is no number';
    if (cell === null) throw typeError(relation, { key, column, allowed: role === 'time' ? 'a number, text or a timestamp' : 'a number' }); // prettier-ignore
    found.set(toSnakeCase(name), { key, column, cell, what, isMoment });
  }
  return found;
}

/** Columns of one relation. */
interface RowColumns {
  /** Numbers of the users' and items' keys. */
  readonly user: Int32Array;
  readonly item: Int32Array;
  readonly numbers: ReadonlyMap<string, Float64Array>;
}

async function readRows(
  session: Session,
  relation: Relation,
  inputs: {
    readonly ids: { readonly user: IdColumn; readonly item: IdColumn };
    readonly numbers: ReadonlyMap<string, NumberColumn>;
    readonly onProgress: ReadingProgress | undefined;
  },
): Promise<RowColumns> {
  const { ids, numbers, onProgress } = inputs;
  const roles = [ids.user, ids.item];
  const selects = [
    ...roles.map((column) => keyIn(column, relation)),
    ...[...numbers.values()].map(({ cell }) => cell.sql),
  ];
  const [counted] = await session.rows(`SELECT count(*)::INTEGER AS total FROM (${relation.sql})`);
  const total = Number(counted?.['total'] ?? 0);
  if (total === 0) throw await noRows(session, relation);
  const user = new Int32Array(total);
  const item = new Int32Array(total);
  const values = new Map([...numbers.keys()].map((name) => [name, new Float64Array(total)]));
  let size = 0;
  let reported = 0;
  const take = (chunk: Chunk): void => {
    for (const [k, numbered] of [user, item].entries()) {
      const { keys } = roles[k] as IdColumn;
      const halves = chunk.halves(k);
      for (let row = 0; row < chunk.numRows; row++) {
        numbered[size + row] = keys.add(halves[2 * row] as number, halves[2 * row + 1] as number);
      }
    }
    for (const [k, column] of [...values.values()].entries()) column.set(chunk.numbers(k + 2), size);
    size += chunk.numRows;
    if (size - reported < PROGRESS_ROWS) return;
    reported = size;
    onProgress?.({ what: relation.table, rows: size, total });
  };
  await session.stream(`SELECT ${selects.join(', ')} FROM (${relation.sql})`, take);
  for (const [name, { key, column, cell, what }] of numbers) {
    if (!(values.get(name) as Float64Array).includes(Infinity)) continue;
    throw await cellError(session, relation, {
      code: 'data-value',
      key,
      column: column.name,
      condition: `${cell.sql} = 'infinity'`,
      what,
      allowed: cell.allowed,
      hint: 'mend the file, or leave such rows out with where',
    });
  }
  return { user, item, numbers: values };
}

async function noRows(session: Session, { table, where, files, numberedSql }: Relation): Promise<ConfigError> {
  const from = files.length === 0 ? 'the query' : `${files[0]}${files.length > 1 ? ' and the other files' : ''}`;
  const [counted] = await session.rows(`SELECT count(*)::INTEGER AS total FROM (${numberedSql})`);
  const total = Number(counted?.['total']);
  if (where === null || total === 0) return dataError('data-empty', `dataset.${table}.${files.length === 0 ? 'sql' : 'files'}`, `there is no row in ${from}`, { hint: 'take files with rows' }); // prettier-ignore
  return dataError('data-empty', `dataset.${table}.where`, `it holds for none of the ${total.toLocaleString('en')} rows of ${from}`, { received: where, hint: 'take a milder condition' }); // prettier-ignore
}

async function readInteractions(
  session: Session,
  reading: Reading,
  { params, onProgress }: { readonly params: CustomParams; readonly onProgress: ReadingProgress | undefined },
): Promise<{ readonly interactions: Interactions; readonly ids: Ids; readonly notes: readonly string[] }> {
  const notes: string[] = [];
  const relations = [reading.interactions, reading.exposures].filter((each) => each !== null);
  const columns = { user: idColumn('user', relations, params), item: idColumn('item', relations, params) };
  const read = async (relation: Relation): Promise<RowColumns & { readonly time: Float64Array | null }> => {
    const source = params[relation.table] as CustomParams['interactions'];
    const numbers = new Map([
      ...(await numberColumns(session, relation, source.columns, 'columns')),
      ...(await numberColumns(session, relation, source.numbers ?? {}, 'numbers')),
    ]);
    const rows = await readRows(session, relation, { ids: columns, numbers, onProgress });
    const raw = rows.numbers.get('time');
    if (raw === undefined) return { ...rows, time: null };
    const { column, key, isMoment } = numbers.get('time') as NumberColumn;
    const { time, note } = await scaleTimes(raw, { session, relation, key, column, unit: isMoment ? 's' : source.timeUnit, isMoment }); // prettier-ignore
    notes.push(note);
    return { ...rows, time };
  };
  const readable = (relation: Relation): ReturnType<typeof read> =>
    read(relation).catch((error: unknown) => {
      if (error instanceof ConfigError) throw error;
      throw unreadable(error, { table: relation.table, file: relation.files[0] ?? '', source: params[relation.table] as NamedSource['source'] }); // prettier-ignore
    });
  const rows = await readable(reading.interactions);
  const shown = reading.exposures && (await readable(reading.exposures));
  const users = await nameIds(session, columns.user, params);
  const items = await nameIds(session, columns.item, params);
  for (const { user, item } of shown === null ? [rows] : [rows, shown]) {
    renumber(user, users.rank);
    renumber(item, items.rank);
  }
  const label = rows.numbers.get('label');
  const rating = rows.numbers.get('rating');
  const others = [...rows.numbers].filter(([name]) => !['time', 'label', 'rating'].includes(name));
  const interactions: Interactions = {
    user: rows.user,
    item: rows.item,
    time: rows.time,
    rating: rating === undefined ? null : new Float32Array(rating),
    label: label === undefined ? null : new Uint8Array(label),
    ...(others.length === 0 ? {} : { numbers: Object.fromEntries(others.map(([name, values]) => [name, new Float32Array(values)])) }), // prettier-ignore
  };
  return {
    interactions: shown === null ? interactions : withExposures(interactions, shown),
    ids: { users: users.ids, items: items.ids },
    notes,
  };
}

function renumber(numbers: Int32Array, rank: Int32Array): void {
  for (let row = 0; row < numbers.length; row++) numbers[row] = rank[numbers[row] as number] as number;
}

/** Interactions with label 1, followed by what was shown to a user who has no interaction with it, with label 0. */
function withExposures(
  { user, item, time, rating, numbers = {} }: Interactions,
  shown: Pick<RowColumns, 'user' | 'item'> & { readonly time: Float64Array | null },
): Interactions {
  const acted = new KeyTable(user.length);
  for (let row = 0; row < user.length; row++) acted.add(user[row] as number, item[row] as number);
  const rows = Int32Array.from(shown.user.keys()).filter((row) => acted.find(shown.user[row] as number, shown.item[row] as number) === -1); // prettier-ignore
  const joined = <A extends Int32Array | Float32Array | Float64Array>(first: A, fill: (row: number) => number): A => {
    const all = new (first.constructor as new (length: number) => A)(first.length + rows.length);
    all.set(first);
    for (const [k, row] of rows.entries()) all[first.length + k] = fill(row);
    return all;
  };
  const unknown = (): number => NaN;
  return {
    user: joined(user, (row) => shown.user[row] as number),
    item: joined(item, (row) => shown.item[row] as number),
    time: time === null ? null : joined(time, (row) => shown.time?.[row] ?? NaN),
    rating: rating === null ? null : joined(rating, unknown),
    label: new Uint8Array(user.length + rows.length).fill(1, 0, user.length),
    numbers: Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, joined(values, unknown)])),
  };
}

function rangeOf({ from, to }: NonNullable<CustomParams['timeRange']>): { readonly from: number; readonly to: number } {
  const second = (value: string | number | undefined, key: string, fallback: number): number => {
    if (value === undefined) return fallback;
    const at = typeof value === 'number' ? value : Date.parse(/T|\s/.test(value) && !/(Z|[+-]\d\d:?\d\d)$/.test(value) ? `${value}Z` : value) / 1000; // prettier-ignore
    if (!Number.isNaN(at)) return at;
    throw dataError('data-time-range', `dataset.time_range.${key}`, `"${value}" is no time`, {
      received: String(value),
      allowed: 'ISO 8601 such as 2026-01-31 or 2026-01-31T12:00:00Z, or Unix seconds',
    });
  };
  const range = { from: second(from, 'from', -Infinity), to: second(to, 'to', Infinity) };
  if (range.from < range.to) return range;
  throw dataError('data-time-range', 'dataset.time_range', `from ${from} is not before to ${to}`, {
    received: `${from} to ${to}`,
    hint: 'exchange them; rows at `to` are left out',
  });
}

/** Tables of what the filters kept; users and items are numbered anew, in their order. */
function assembled(inputs: {
  readonly params: CustomParams;
  readonly interactions: Interactions;
  readonly kept: Int32Array;
  readonly steps: readonly FilterStep[];
  readonly notes: readonly string[];
  readonly users: KeyedTable;
  readonly items: KeyedTable;
}): ReadTables {
  const { params, interactions, kept, steps, notes, users, items } = inputs;
  const userRows = usedRows(interactions.user, kept, users.ids.length);
  const itemRows =
    params.items?.catalogue === 'items'
      ? Int32Array.from(items.ids.keys())
      : usedRows(interactions.item, kept, items.ids.length);
  const userAt = inverse(userRows, users.ids.length);
  const itemAt = inverse(itemRows, items.ids.length);
  const pick = <A extends Float32Array | Float64Array | Uint8Array>(values: A): A => {
    const picked = new (values.constructor as new (length: number) => A)(kept.length);
    for (let k = 0; k < kept.length; k++) picked[k] = values[kept[k] as number] as number;
    return picked;
  };
  const { time, rating, label, numbers } = interactions;
  const tables: CustomTables = {
    users: { numRows: userRows.length, columns: tableColumns(users, userRows) } satisfies Table,
    items: { numRows: itemRows.length, columns: tableColumns(items, itemRows) } satisfies Table,
    interactions: {
      user: kept.map((row) => userAt[interactions.user[row] as number] as number),
      item: kept.map((row) => itemAt[interactions.item[row] as number] as number),
      time: time && pick(time),
      rating: rating && pick(rating),
      label: label && pick(label),
      ...(numbers === undefined
        ? {}
        : { numbers: Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, pick(values)])) }),
    },
    truth: null,
    fixedSplit: null,
    userIds: packTexts(Array.from(userRows, (row) => users.ids[row] as string)),
    itemIds: packTexts(Array.from(itemRows, (row) => items.ids[row] as string)),
    itemTitles: items.titles && packTexts(Array.from(itemRows, (row) => items.titles?.[row] as string)),
  };
  return { tables, steps, notes };
}

function usedRows(ids: Int32Array, kept: Int32Array, size: number): Int32Array {
  const isUsed = new Uint8Array(size);
  for (let k = 0; k < kept.length; k++) isUsed[ids[kept[k] as number] as number] = 1;
  return Int32Array.from(isUsed.keys()).filter((row) => isUsed[row] === 1);
}

function inverse(rows: Int32Array, size: number): Int32Array {
  const at = new Int32Array(size).fill(-1);
  for (let k = 0; k < rows.length; k++) at[rows[k] as number] = k;
  return at;
}
