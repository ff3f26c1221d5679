import { ConfigError, type ConfigIssue } from '@towerbench/config';
import type { Column, Interactions, Table } from '../contract.js';
import {
  dataError,
  type DatasetContent,
  type FilterStep,
  type ReadingProgress,
  type ReadTables,
} from '../definition.js';
import { categoricalColumn, multiColumn } from '../sources/columns.js';
import { packTexts, type PackedTexts } from '../texts.js';
import {
  cellError,
  holdsMoments,
  idSql,
  labelSql,
  numberSql,
  timeSql,
  type CellColumn,
  type CellSql,
} from './cells.js';
import { filterRows } from './filters.js';
import type { CustomParams, FeatureSource } from './params.js';
import { missingColumns, relationOf, unreadable, type NamedSource, type Relation } from './relation.js';
import { literal, quoted, withSession, type Chunk, type Session } from './session.js';
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
    const ids = await readIds(session, reading, params);
    const { interactions, notes } = await readInteractions(session, reading, { params, ids, onProgress });
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
    Object.entries(columns).flatMap(([key, column]) => (column === undefined ? [] : [{ key: `${prefix}.${snake(key)}`, column }])); // prettier-ignore
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

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function columnOf({ columns }: Relation, name: string): CellColumn {
  return { name, type: columns.get(name) as string };
}

/** The ids of users and items, in their order; the same are the values of the types `user_id` and `item_id` of the session. */
interface Ids {
  readonly users: readonly string[];
  readonly items: readonly string[];
}

async function readIds(session: Session, reading: Reading, params: CustomParams): Promise<Ids> {
  const of = async (role: 'user' | 'item'): Promise<readonly string[]> => {
    const relations = [reading.interactions, reading.exposures].filter((each) => each !== null);
    const key = `columns.${role}`;
    const selects = relations.map((relation) => {
      const sql = idSqlAt(relation, { key, column: (params[relation.table] as { columns: Record<string, string> }).columns[role] as string }); // prettier-ignore
      return `SELECT DISTINCT ${sql} AS id FROM (${relation.sql})`;
    });
    const { table, source } = { table: 'interactions' as const, source: params.interactions };
    const file = reading.interactions.files[0] ?? '';
    try {
      await session.run(
        `CREATE TYPE ${role}_id AS ENUM (SELECT id FROM (${selects.join(' UNION ')}) WHERE id IS NOT NULL
         ORDER BY TRY_CAST(id AS BIGINT) NULLS LAST, id)`,
      );
    } catch (error) {
      throw unreadable(error, { table, file, source });
    }
    const ids: string[] = [];
    await session.stream(`SELECT unnest(enum_range(NULL::${role}_id))::VARCHAR`, (chunk) => {
      for (let row = 0; row < chunk.numRows; row++) ids.push(chunk.value(0, row) as string);
    });
    if (params.ids === 'checked') await requireSoundIds(session, relations, { ids, key, params });
    return ids;
  };
  return { users: await of('user'), items: await of('item') };
}

function idSqlAt(relation: Relation, { key, column }: { readonly key: string; readonly column: string }): string {
  const found = columnOf(relation, column);
  const sql = idSql(found);
  if (sql !== null) return sql;
  throw typeError(relation, { key, column: found, allowed: 'text or whole numbers' });
}

function typeError(
  { table }: Relation,
  { key, column, allowed }: { readonly key: string; readonly column: CellColumn; readonly allowed: string },
): ConfigError {
  return dataError('data-type', `dataset.${table}.${key}`, `column "${column.name}" is ${column.type}`, {
    received: column.type,
    allowed,
    hint: 'name another column, or cast it with sql: SELECT ...',
  });
}

/** Refuses ids that mostly mean that there is none, and one id in two spellings. */
async function requireSoundIds(
  session: Session,
  relations: readonly Relation[],
  { ids, key, params }: { readonly ids: readonly string[]; readonly key: string; readonly params: CustomParams },
): Promise<void> {
  const role = key === 'columns.user' ? 'user' : 'item';
  const columnIn = ({ table }: Relation): string => (params[table] as { columns: Record<string, string> }).columns[role] as string; // prettier-ignore
  const refuse = async (id: string, what: string, hint: string): Promise<never> => {
    for (const relation of relations) {
      const column = columnIn(relation);
      const condition = `${idSqlAt(relation, { key, column })} = ${literal(id)}`;
      const found = await session.rows(`SELECT 1 FROM (${relation.sql}) WHERE ${condition} LIMIT 1`);
      if (found.length > 0) throw await cellError(session, relation, { code: 'data-id', key, column, condition, what, hint }); // prettier-ignore
    }
    throw new Error(`the id ${JSON.stringify(id)} is in no table`);
  };
  const leaveOut = `leave such rows out with where, or write ids: as-is where they are ids like others`;
  const negative = ids.find((id) => /^-\d+(\.0+)?$/.test(id));
  if (negative !== undefined) await refuse(negative, 'is negative, which mostly means "unknown"', leaveOut);
  const empty = ids.find((id) => /^(null|nan|none|n\/a|undefined|nil|\\n)$/i.test(id));
  if (empty !== undefined) await refuse(empty, 'mostly means "unknown"', leaveOut);
  const damaged = ids.find((id) => id.includes('\u0000'));
  if (damaged !== undefined) await refuse(damaged, 'holds a byte 0, as damaged files do', leaveOut);
  if (relations.some((relation) => /^(FLOAT|DOUBLE|DECIMAL)/.test(columnOf(relation, columnIn(relation)).type))) {
    const inexact = ids.find((id) => /^-?(\d+\.\d+(e[+-]?\d+)?|\d+e[+-]?\d+|inf(inity)?)$/i.test(id));
    if (inexact !== undefined) await refuse(inexact, 'is no whole number, or one that fractions do not hold to the last digit', 'write ids as whole numbers or as text; ids: as-is takes them as they are'); // prettier-ignore
  }
  const first = new Map<string, string>();
  for (const id of ids) {
    if (!/^\d+(\.0+)?$/.test(id)) continue;
    const same = id.replace(/\.0+$/, '').replace(/^0+(?=\d)/, '');
    const other = first.get(same);
    if (other !== undefined) {
      await refuse(
        id,
        `is ${JSON.stringify(other)} of other rows in another spelling`,
        'write all ids alike, or write ids: as-is where they are two',
      );
    }
    first.set(same, id);
  }
}

/** A number of every row, and what is wrong with those that are none. */
interface NumberColumn {
  readonly key: string;
  readonly column: CellColumn;
  readonly cell: CellSql;
  readonly what: string;
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
    const cell =
      role === 'time'
        ? timeSql(column, { isMoment: await holdsMoments(session, relation, column) })
        : role === 'label'
          ? labelSql(column)
          : numberSql(column);
    const key = `${prefix}.${snake(name)}`;
    const what = role === 'time' ? 'is no such time' : role === 'label' ? 'is no label' : 'is no number';
    if (cell === null) throw typeError(relation, { key, column, allowed: role === 'time' ? 'a number, text or a timestamp' : 'a number' }); // prettier-ignore
    found.set(snake(name), { key, column, cell, what });
  }
  return found;
}

/** Growing columns of one relation. */
interface RowColumns {
  readonly user: Int32Array;
  readonly item: Int32Array;
  readonly numbers: ReadonlyMap<string, Float64Array>;
}

async function readRows(
  session: Session,
  relation: Relation,
  inputs: {
    readonly params: CustomParams;
    readonly numbers: ReadonlyMap<string, NumberColumn>;
    readonly onProgress: ReadingProgress | undefined;
  },
): Promise<RowColumns> {
  const { params, numbers, onProgress } = inputs;
  const { columns } = params[relation.table] as { readonly columns: { readonly user: string; readonly item: string } };
  const ids = (['user', 'item'] as const).map((role) => ({ role, key: `columns.${role}`, column: columns[role] }));
  const selects = [
    ...ids.map((id) => `coalesce(enum_code(${idSqlAt(relation, id)}::${id.role}_id)::INTEGER, -1)`),
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
    user.set(chunk.numbers(0), size);
    item.set(chunk.numbers(1), size);
    for (const [k, column] of [...values.values()].entries()) column.set(chunk.numbers(k + 2), size);
    size += chunk.numRows;
    if (size - reported < PROGRESS_ROWS) return;
    reported = size;
    onProgress?.({ what: relation.table, rows: size, total });
  };
  try {
    await session.stream(`SELECT ${selects.join(', ')} FROM (${relation.sql})`, take);
  } catch (error) {
    throw unreadable(error, { table: relation.table, file: relation.files[0] ?? '', source: params[relation.table] as NamedSource['source'] }); // prettier-ignore
  }
  for (const { role, key, column } of ids) {
    if (!(role === 'user' ? user : item).includes(-1)) continue;
    throw await cellError(session, relation, {
      code: 'data-null-id',
      key,
      column,
      condition: `${idSqlAt(relation, { key, column })} IS NULL`,
      what: `is no id`,
      hint: `mend the file, or leave such rows out: where: ${quoted(column)} IS NOT NULL`,
    });
  }
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
  { params, ids, onProgress }: { readonly params: CustomParams; readonly ids: Ids; readonly onProgress: ReadingProgress | undefined }, // prettier-ignore
): Promise<{ readonly interactions: Interactions; readonly notes: readonly string[] }> {
  const notes: string[] = [];
  const read = async (relation: Relation): Promise<RowColumns & { readonly time: Float64Array | null }> => {
    const source = params[relation.table] as CustomParams['interactions'];
    const numbers = new Map([
      ...(await numberColumns(session, relation, source.columns, 'columns')),
      ...(await numberColumns(session, relation, source.numbers ?? {}, 'numbers')),
    ]);
    const rows = await readRows(session, relation, { params, numbers, onProgress });
    const raw = rows.numbers.get('time');
    if (raw === undefined) return { ...rows, time: null };
    const { column, key } = numbers.get('time') as NumberColumn;
    const isMoment = await holdsMoments(session, relation, column);
    const { time, note } = await scaleTimes(raw, { session, relation, key, column, unit: isMoment ? 's' : source.timeUnit, isMoment }); // prettier-ignore
    notes.push(note);
    return { ...rows, time };
  };
  const rows = await read(reading.interactions);
  const label = rows.numbers.get('label');
  const rating = rows.numbers.get('rating');
  const others = [...rows.numbers].filter(([name]) => !['time', 'label', 'rating'].includes(name));
  const interactions: Interactions = {
    user: rows.user,
    item: rows.item,
    time: rows.time,
    rating: rating === undefined ? null : Float32Array.from(rating),
    label: label === undefined ? null : Uint8Array.from(label),
    ...(others.length === 0 ? {} : { numbers: Object.fromEntries(others.map(([name, values]) => [name, Float32Array.from(values)])) }), // prettier-ignore
  };
  if (reading.exposures === null) return { interactions, notes };
  return { interactions: withExposures(interactions, await read(reading.exposures), ids), notes };
}

/** Interactions with label 1, followed by what was shown to a user who has no interaction with it, with label 0. */
function withExposures(
  { user, item, time, rating, numbers = {} }: Interactions,
  shown: Pick<RowColumns, 'user' | 'item'> & { readonly time: Float64Array | null },
  ids: Ids,
): Interactions {
  const pair = (u: number, i: number): number => u * ids.items.length + i;
  const acted = new Set(Float64Array.from(user, (u, row) => pair(u, item[row] as number)));
  const rows = Int32Array.from(shown.user.keys()).filter((row) => !acted.has(pair(shown.user[row] as number, shown.item[row] as number))); // prettier-ignore
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
    label: Uint8Array.from({ length: user.length + rows.length }, (_, row) => (row < user.length ? 1 : 0)),
    numbers: Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, joined(values, unknown)])),
  };
}

/** A table of users or items: a row of the file for each id, and what the features are of these rows. */
interface KeyedTable {
  readonly ids: readonly string[];
  /** In the order of the interactions' ids, followed by ids that only the table has. */
  readonly columns: Readonly<Record<string, readonly unknown[]>>;
  readonly titles: readonly string[] | null;
  readonly features: Readonly<Record<string, FeatureSource>>;
  readonly relation: Relation | null;
}

async function readTable(
  session: Session,
  relation: Relation | null,
  inputs: {
    readonly ids: readonly string[];
    readonly source: CustomParams['users'] | CustomParams['items'];
    readonly key: 'user' | 'item';
  },
): Promise<KeyedTable> {
  const { ids, source, key } = inputs;
  if (relation === null || source === undefined) return { ids, columns: {}, titles: null, features: {}, relation };
  const { features, missing } = source;
  const roles = source.columns as { readonly user?: string; readonly item?: string; readonly title?: string };
  const keyColumn = roles[key] as string;
  const keySql = idSqlAt(relation, { key: `columns.${key}`, column: keyColumn });
  const names = Object.keys(features);
  const selects = [
    keySql,
    ...(roles.title === undefined ? [`NULL`] : [`${quoted(roles.title)}::VARCHAR`]),
    ...names.map((name) => featureSql(relation, name, features[name] as FeatureSource)),
  ];
  const rowOf = new Map<string, number>(ids.map((id, row) => [id, row]));
  const all = [...ids];
  const titles: (string | undefined)[] = [];
  const columns: unknown[][] = names.map(() => []);
  const isThere = new Uint8Array(ids.length);
  let doubled: string | null = null;
  let hasEmptyKey = false;
  const seen = new Set<string>();
  try {
    await session.stream(`SELECT ${selects.join(', ')} FROM (${relation.sql})`, (chunk) => {
      for (let at = 0; at < chunk.numRows; at++) {
        const id = chunk.value(0, at) as string | null;
        if (id === null) {
          hasEmptyKey = true;
          continue;
        }
        if (seen.has(id)) doubled ??= id;
        seen.add(id);
        let row = rowOf.get(id);
        if (row === undefined) {
          row = all.length;
          rowOf.set(id, row);
          all.push(id);
        } else isThere[row] = 1;
        titles[row] = (chunk.value(1, at) as string | null) ?? '';
        for (const [k, column] of columns.entries()) column[row] = chunk.value(k + 2, at);
      }
    });
  } catch (error) {
    throw unreadable(error, { table: relation.table, file: relation.files[0] ?? '', source });
  }
  const at = { key: `columns.${key}`, column: keyColumn };
  if (hasEmptyKey) {
    throw await cellError(session, relation, { ...at, code: 'data-null-id', condition: `${keySql} IS NULL`, what: 'is no id', hint: `mend the file, or leave such rows out: where: ${quoted(keyColumn)} IS NOT NULL` }); // prettier-ignore
  }
  if (doubled !== null) {
    throw await cellError(session, relation, { ...at, code: 'data-duplicate-key', condition: `${keySql} = ${literal(doubled)}`, what: 'is a key, which may stand in one row', hint: `keep one row for each ${key}` }); // prettier-ignore
  }
  for (const [k, name] of names.entries()) {
    const { kind, column } = features[name] as FeatureSource;
    if (kind !== 'numeric' || !(columns[k] as unknown[]).includes(Infinity)) continue;
    const found = columnOf(relation, column ?? name);
    const cell = numberSql(found) as CellSql;
    throw await cellError(session, relation, { key: `features.${name}`, column: found.name, condition: `${cell.sql} = 'infinity'`, what: 'is no number', code: 'data-value', allowed: cell.allowed, hint: 'mend the file, or write kind: categorical' }); // prettier-ignore
  }
  const lost = isThere.indexOf(0);
  if (lost >= 0 && missing === 'refuse') {
    const count = isThere.reduce((sum, there) => sum + 1 - there, 0);
    throw dataError('data-reference', `dataset.${relation.table}.columns.${key}`, `${key} ${JSON.stringify(ids[lost])} of the interactions has no row in ${relation.files[0] ?? 'the query'}${count > 1 ? `, and so have ${(count - 1).toLocaleString('en')} more` : ''}`, {
      received: ids[lost] as string,
      hint: `add the rows, leave the interactions out with where, or write missing: unknown under ${relation.table}`,
    }); // prettier-ignore
  }
  return {
    ids: all,
    columns: Object.fromEntries(names.map((name, k) => [name, columns[k] as unknown[]])),
    titles: roles.title === undefined ? null : all.map((id, row) => titles[row] || id),
    features,
    relation,
  };
}

function featureSql(relation: Relation, name: string, { column, kind }: FeatureSource): string {
  const found = columnOf(relation, column ?? name);
  if (kind === 'numeric') {
    const cell = numberSql(found);
    if (cell === null) throw typeError(relation, { key: `features.${name}`, column: found, allowed: 'a number' });
    return cell.sql;
  }
  if (kind === 'categorical') {
    if (/\]$|^(STRUCT|MAP|UNION)/.test(found.type)) throw typeError(relation, { key: `features.${name}`, column: found, allowed: 'text, a number, a date, or true and false; a list is kind: multi' }); // prettier-ignore
    return idSql(found) ?? `${quoted(found.name)}::VARCHAR`;
  }
  const isList = /\[\d*\]$/.test(found.type);
  return isList ? `to_json(${quoted(found.name)}::VARCHAR[])::VARCHAR` : `${quoted(found.name)}::VARCHAR`; // text keeps all digits
}

/** Columns of the rows that are kept. */
function columnsOf({ ids, columns, features, relation }: KeyedTable, rows: Int32Array): Record<string, Column> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, cells]) => {
      const spec = features[name] as FeatureSource;
      const of = Array.from(rows, (row) => cells[row] ?? null);
      return [name, featureColumn(of, { name, spec, table: (relation as Relation).table, idOf: (k) => ids[rows[k] as number] as string })]; // prettier-ignore
    }),
  );
}

function featureColumn(
  cells: readonly unknown[],
  { name, spec, table, idOf }: { readonly name: string; readonly spec: FeatureSource; readonly table: string; readonly idOf: (k: number) => string }, // prettier-ignore
): Column {
  const path = `dataset.${table}.features.${name}`;
  switch (spec.kind) {
    case 'categorical':
      return categoricalColumn(cells.map((cell) => (cell as string | null) ?? ''));
    case 'multi':
      return multiColumn(cells.map((cell) => [...new Set(listOf(cell as string | null, spec.separator))]));
    case 'numeric':
      return { kind: 'numeric', values: Float32Array.from(cells, (cell) => (cell === null ? NaN : (cell as number))) };
    case 'vector': {
      const lists = cells.map((cell) => listOf(cell as string | null, spec.separator).map(Number));
      const width = lists.find((list) => list.length > 0)?.length ?? 0;
      const one = table === 'items' ? 'item' : 'user';
      const nameOf = (k: number): string => `${one} ${JSON.stringify(idOf(k))}`;
      const refuse = (message: string): ConfigError =>
        dataError('data-vector', path, message, {
          hint: 'give every row equally many numbers; a separator other than blanks and commas is named by separator',
        });
      if (width === 0) throw refuse('no row has numbers');
      for (const [k, list] of lists.entries()) {
        const bad = list.findIndex((number) => !Number.isFinite(number));
        if (bad >= 0) throw refuse(`${nameOf(k)}: ${JSON.stringify(cells[k])} is no list of numbers`);
        if (list.length > 0 && list.length !== width) {
          throw refuse(`${nameOf(k)} has ${list.length} numbers, but ${nameOf(lists.findIndex(({ length }) => length > 0))} has ${width}`); // prettier-ignore
        }
      }
      const values = new Float32Array(lists.length * width);
      for (const [row, list] of lists.entries()) values.set(list, row * width);
      return { kind: 'vector', width, values };
    }
  }
}

/** The values of a cell: those of a list, else of a text that is parted by the separator. */
function listOf(cell: string | null, separator: string | undefined): string[] {
  if (cell === null) return [];
  if (separator === undefined && cell.startsWith('[') && cell.endsWith(']')) {
    for (const text of [cell, cell.replaceAll("'", '"')]) {
      try {
        return (JSON.parse(text) as unknown[]).flatMap((value) => (value === null ? [] : [typeof value === 'object' ? JSON.stringify(value) : String(value as string)])); // prettier-ignore
      } catch {
        // a text that begins and ends with brackets
      }
    }
  }
  const parts = cell.split(separator ?? /[\s,]+/).map((part) => part.trim());
  return parts.filter((part) => part !== '');
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
    users: { numRows: userRows.length, columns: columnsOf(users, userRows) } satisfies Table,
    items: { numRows: itemRows.length, columns: columnsOf(items, itemRows) } satisfies Table,
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
