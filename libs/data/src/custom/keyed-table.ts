import type { ConfigError } from '@towerbench/config';
import type { Column } from '../contract.js';
import { dataError } from '../definition.js';
import { categoricalColumn, multiColumn } from '../sources/columns.js';
import { cellError, columnOf, idSql, idSqlAt, numberSql, typeError, type CellSql } from './cells.js';
import type { CustomParams, FeatureSource } from './params.js';
import { unreadable, type Relation } from './relation.js';
import { literal, quoted, type Session } from './session.js';

/** A table of users or items: a row of the file for each id, and what the features are of these rows. */
export interface KeyedTable {
  readonly ids: readonly string[];
  /** In the order of the interactions' ids, followed by ids that only the table has. */
  readonly columns: Readonly<Record<string, readonly unknown[]>>;
  readonly titles: readonly string[] | null;
  readonly features: Readonly<Record<string, FeatureSource>>;
  readonly relation: Relation | null;
}

/**
 * Reads a table of users or items.
 *
 * @throws {ConfigError} when a key is missing or stands twice, a cell is no number, or an id of the interactions has no row and must have one
 */
export async function readTable(
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
export function tableColumns(
  { ids, columns, features, relation }: KeyedTable,
  rows: Int32Array,
): Record<string, Column> {
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
