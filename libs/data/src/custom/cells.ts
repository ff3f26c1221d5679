/** How cells of files become ids, numbers and times, and how a cell that does not is told. */
import { relative } from 'node:path';
import type { ConfigError } from '@towerbench/config';
import { dataError } from '../definition.js';
import type { Relation } from './relation.js';
import { literal, quoted, type Session, type SqlRow } from './session.js';

/** Texts that programs write for "not known". */
export const UNKNOWN_TEXTS = ['', 'null', 'na', 'n/a', 'nan', 'none', '\\n'];
/** Texts for 1 and for 0. */
export const TRUE_TEXTS = ['1', 'true', 't', 'yes', '1.0'];
export const FALSE_TEXTS = ['0', 'false', 'f', 'no', '0.0'];
const NUMBER_TYPES = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\))$/;
const MOMENT_TYPES = /^(TIMESTAMP(_S|_MS|_NS)?( WITH TIME ZONE)?|DATE)$/;

/** A cell in SQL: NaN where it is not known, infinity where it is something else than what it must be. */
export interface CellSql {
  readonly sql: string;
  /** In words, for the message. */
  readonly allowed: string;
}

/** A column with its type, out of a relation that has it. */
export interface CellColumn {
  readonly name: string;
  readonly type: string;
}

function isNumberType(type: string): boolean {
  return NUMBER_TYPES.test(type);
}

function isMomentType(type: string): boolean {
  return MOMENT_TYPES.test(type);
}

/** An id as text; NULL where there is none. Whole numbers of a column of fractions lose their `.0`, text the blanks around it. */
export function idSql({ name, type }: CellColumn): string | null {
  const cell = quoted(name);
  if (type === 'VARCHAR' || type.startsWith('ENUM')) return `nullif(trim(${cell}::VARCHAR), '')`;
  if (type === 'FLOAT' || type === 'DOUBLE' || type.startsWith('DECIMAL')) {
    const exact = type === 'FLOAT' ? 2 ** 24 : 2 ** 53;
    return `CASE WHEN ${cell} = floor(${cell}) AND abs(${cell}) < ${exact} THEN ${cell}::BIGINT::VARCHAR WHEN isnan(${cell}::DOUBLE) THEN NULL ELSE ${cell}::VARCHAR END`;
  }
  return isNumberType(type) || type === 'UUID' || isMomentType(type) ? `${cell}::VARCHAR` : null;
}

/** A number. */
export function numberSql({ name, type }: CellColumn): CellSql | null {
  const cell = quoted(name);
  const allowed = 'a number; empty where it is not known';
  if (isNumberType(type)) return { sql: finite(`coalesce(${cell}::DOUBLE, 'nan')`), allowed };
  if (type === 'BOOLEAN') return { sql: `coalesce(${cell}::INTEGER::DOUBLE, 'nan')`, allowed };
  return type === 'VARCHAR' ? { sql: textSql(cell, `TRY_CAST(trim(${cell}) AS DOUBLE)`), allowed } : null;
}

/** 1 or 0. */
export function labelSql({ name, type }: CellColumn): CellSql | null {
  const cell = quoted(name);
  const allowed = '1 or 0, true or false; never empty';
  if (type !== 'VARCHAR') {
    const number = numberSql({ name, type });
    return number && { sql: `CASE WHEN ${number.sql} IN (0, 1) THEN ${number.sql} ELSE 'infinity' END`, allowed };
  }
  return {
    sql: `CASE WHEN ${isOneOf(`lower(trim(${cell}))`, TRUE_TEXTS)} THEN 1::DOUBLE WHEN ${isOneOf(`lower(trim(${cell}))`, FALSE_TEXTS)} THEN 0::DOUBLE ELSE 'infinity' END`,
    allowed,
  };
}

/** A time as a number: Unix seconds of a moment, and of a number the number itself, whose unit the reader decides. */
export function timeSql({ name, type }: CellColumn, { isMoment }: { readonly isMoment: boolean }): CellSql | null {
  const cell = quoted(name);
  if (isMomentType(type)) return { sql: `coalesce(epoch(${cell}::TIMESTAMP), 'nan')`, allowed: 'a time' };
  if (isNumberType(type)) return { sql: finite(`coalesce(${cell}::DOUBLE, 'nan')`), allowed: 'a number' };
  if (type !== 'VARCHAR') return null;
  return isMoment
    ? {
        sql: textSql(cell, `epoch(TRY_CAST(trim(${cell}) AS TIMESTAMPTZ))`),
        allowed:
          'ISO 8601 as in most of the other rows, e.g. 2026-01-31 or 2026-01-31T12:00:00Z; empty where it is not known',
      }
    : {
        sql: textSql(cell, `TRY_CAST(trim(${cell}) AS DOUBLE)`),
        allowed:
          'seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO 8601 in all rows; empty where it is not known',
      };
}

/** The infinity that tells what is wrong in the place of the other one, and of NULL. */
function finite(sql: string): string {
  return `coalesce(nullif(${sql}, '-infinity'), 'infinity')`;
}

/** As `IN`, which DuckDB may turn into a join that loses the order of files. */
export function isOneOf(sql: string, texts: readonly string[]): string {
  return `list_contains([${texts.map(literal).join(', ')}], ${sql})`;
}

function textSql(cell: string, sql: string): string {
  return `CASE WHEN ${cell} IS NULL OR ${isOneOf(`lower(trim(${cell}))`, UNKNOWN_TEXTS)} THEN 'nan'::DOUBLE ELSE ${finite(sql)} END`;
}

/** Whether most texts of a column are moments and no numbers. */
export async function holdsMoments(session: Session, { sql }: Relation, { name, type }: CellColumn): Promise<boolean> {
  if (type !== 'VARCHAR') return isMomentType(type);
  const cell = quoted(name);
  const [row] = await session.rows(
    `SELECT count(TRY_CAST(trim(cell) AS DOUBLE)) AS numbers, count(TRY_CAST(trim(cell) AS TIMESTAMPTZ)) AS moments
     FROM (SELECT ${cell} AS cell FROM (${sql}) LIMIT 10000)`,
  );
  return Number(row?.['moments']) > Number(row?.['numbers']);
}

/**
 * The error for cells that are not what they must be: how many, and the first of them with file and row.
 *
 * @param condition which rows, in SQL over the columns of the relation
 */
export async function cellError(
  session: Session,
  relation: Relation,
  issue: {
    readonly key: string;
    readonly column: string;
    readonly condition: string;
    /** What is wrong with the cell: `is no number`. */
    readonly what: string;
    readonly code: string;
    readonly allowed?: string;
    readonly hint: string;
  },
): Promise<ConfigError> {
  const { key, column, condition, what, code, allowed, hint } = issue;
  const { table, numberedSql, where } = relation;
  const chosen = `FROM (${numberedSql}) WHERE ${where === null ? '' : `(${where}\n) AND `}(${condition})`;
  const [first] = await session.rows(`SELECT towerbench_file AS file, towerbench_row AS row, ${quoted(column)}::VARCHAR AS cell ${chosen} ORDER BY towerbench_row LIMIT 1`); // prettier-ignore
  const [total] = await session.rows(`SELECT count(*) AS count ${chosen}`);
  const count = Number(total?.['count'] ?? 0);
  const received = first?.['cell'] === null || first === undefined ? 'nothing' : JSON.stringify(first['cell']);
  return dataError(
    code,
    `dataset.${table}.${key}`,
    `${await placeOf(session, relation, first)}: ${received} in column "${column}" ${what}${count > 1 ? `, and so in ${(count - 1).toLocaleString('en')} more ${count === 2 ? 'row' : 'rows'}` : ''}`,
    { received, ...(allowed === undefined ? {} : { allowed }), hint },
  );
}

/** `events/b.csv row 17`, rows counted from 1 in their file and without the header. */
async function placeOf(session: Session, { numberedSql }: Relation, first: SqlRow | undefined): Promise<string> {
  if (first === undefined) return 'some row';
  const { file, row } = first as { readonly file: string | null; readonly row: bigint };
  if (file === null) return `row ${row} of the query`;
  const [start] = await session.rows(
    `SELECT min(towerbench_row) AS start FROM (${numberedSql}) WHERE towerbench_file = ${literal(file)}`,
  );
  return `${relative(process.cwd(), file)} row ${Number(row) - Number(start?.['start'] ?? 1) + 1}`;
}

/** A column of the relation, which has it. */
export function columnOf({ columns }: Relation, name: string): CellColumn {
  return { name, type: columns.get(name) as string };
}

/**
 * The id of a column in SQL.
 *
 * @throws {ConfigError} when it is of a type that is no id
 */
export function idSqlAt(
  relation: Relation,
  { key, column }: { readonly key: string; readonly column: string },
): string {
  const found = columnOf(relation, column);
  const sql = idSql(found);
  if (sql !== null) return sql;
  throw typeError(relation, { key, column: found, allowed: 'text or whole numbers' });
}

/** The error for a column that cannot be what it is named for. */
export function typeError(
  { table }: Relation,
  { key, column, allowed }: { readonly key: string; readonly column: CellColumn; readonly allowed: string },
): ConfigError {
  return dataError('data-type', `dataset.${table}.${key}`, `column "${column.name}" is ${column.type}`, {
    received: column.type,
    allowed,
    hint: 'name another column, or cast it with sql: SELECT ...',
  });
}
