/** How the ids of users and items become numbers: in the order of the ids, whole numbers before texts. */
import { dataError } from '../definition.js';
import { cellError, columnOf, idSqlAt } from './cells.js';
import { KeyTable } from './key-table.js';
import type { CustomParams } from './params.js';
import type { Relation } from './relation.js';
import { literal, quoted, type Session } from './session.js';

/** Types whose values are keys of 64 bits as they are. */
const WHOLE_TYPES = /^((TINY|SMALL|BIG)INT|INTEGER|U(TINYINT|SMALLINT|INTEGER))$/;

/** The ids of the users or of the items, in all tables that have rows of them. */
export interface IdColumn {
  readonly role: 'user' | 'item';
  /** Where the column is named in the section of a table. */
  readonly path: string;
  readonly relations: readonly Relation[];
  /** The name of the column in one of the tables. */
  nameIn(relation: Relation): string;
  /** Whether all ids are whole numbers, and their own keys; else a key is a hash of the text. */
  readonly isWhole: boolean;
  /** The keys of the rows that were read so far. */
  readonly keys: KeyTable;
}

/** @throws {ConfigError} when the column of a table is of a type that is no id */
export function idColumn(role: 'user' | 'item', relations: readonly Relation[], params: CustomParams): IdColumn {
  const nameIn = ({ table }: Relation): string => (params[table] as CustomParams['interactions']).columns[role];
  const path = `columns.${role}`;
  for (const relation of relations) idSqlAt(relation, { key: path, column: nameIn(relation) });
  const isWhole = relations.every((relation) => WHOLE_TYPES.test(columnOf(relation, nameIn(relation)).type));
  return { role, path, relations, nameIn, isWhole, keys: new KeyTable() };
}

/** The id in SQL, as text; NULL where there is none. */
export function idIn({ path, nameIn }: IdColumn, relation: Relation): string {
  return idSqlAt(relation, { key: path, column: nameIn(relation) });
}

/** The key of the id in SQL, a number of 64 bits; any where there is no id. */
export function keyIn(column: IdColumn, relation: Relation): string {
  return column.isWhole ? `coalesce(${quoted(column.nameIn(relation))}::BIGINT, 0)` : hashOf(idIn(column, relation));
}

function hashOf(id: string): string {
  return `hash(${id})`;
}

/** Ids in their order, and where each key, by its number, stands in it. */
export interface NamedIds {
  readonly ids: readonly string[];
  readonly rank: Int32Array;
}

/**
 * Names the keys of all rows: whole numbers come in the order of their values, texts after them as they are compared in JavaScript.
 *
 * @throws {ConfigError} when an id is none, or one id stands there in two spellings, unless `ids` is `as-is`
 */
export async function nameIds(session: Session, column: IdColumn, params: CustomParams): Promise<NamedIds> {
  const named = column.isWhole ? wholeIds(column.keys) : textIds(await textsOf(session, column));
  if (params.ids === 'checked') await requireSound(session, column, named.ids);
  return named;
}

function wholeIds(keys: KeyTable): NamedIds {
  const values = keys.keys().sort();
  const halves = new Int32Array(values.buffer);
  const rank = new Int32Array(values.length);
  for (let k = 0; k < values.length; k++) rank[keys.find(halves[2 * k] as number, halves[2 * k + 1] as number)] = k;
  return { ids: Array.from(values, String), rank };
}

function textIds(texts: readonly string[]): NamedIds {
  const values = texts.map((text) => (/^-?\d+$/.test(text) ? valueOf(text) : null));
  const order = Int32Array.from(texts.keys()).sort((a, b) => {
    const [first, second] = [values[a] ?? null, values[b] ?? null];
    if (first !== null && second !== null && first !== second) return first < second ? -1 : 1;
    if ((first === null) !== (second === null)) return first === null ? 1 : -1;
    return (texts[a] as string) < (texts[b] as string) ? -1 : 1;
  });
  const rank = new Int32Array(order.length);
  for (let k = 0; k < order.length; k++) rank[order[k] as number] = k;
  return { ids: Array.from(order, (number) => texts[number] as string), rank };
}

function valueOf(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** The text of each key. */
async function textsOf(session: Session, column: IdColumn): Promise<readonly string[]> {
  const { role, relations, keys } = column;
  const texts: string[] = [];
  let numTexts = 0;
  let isNew = false;
  const selects = relations.map((relation) => `SELECT ${idIn(column, relation)} AS id FROM (${relation.sql})`);
  const all = `SELECT DISTINCT id FROM (${selects.join(' UNION ALL ')}) WHERE id IS NOT NULL`;
  await session.stream(`SELECT id, ${hashOf('id')} FROM (${all})`, (chunk) => {
    const halves = chunk.halves(1);
    for (let row = 0; row < chunk.numRows; row++) {
      const number = keys.find(halves[2 * row] as number, halves[2 * row + 1] as number);
      const text = chunk.value(0, row) as string;
      if (number === -1) isNew = true;
      else if (texts[number] !== undefined)
        throw new Error(`the ${role}s ${JSON.stringify(texts[number])} and ${JSON.stringify(text)} have one hash of 64 bits`); // prettier-ignore
      else {
        texts[number] = text;
        numTexts++;
      }
    }
  });
  if (!isNew && numTexts === keys.size) return texts;
  throw dataError('data-changing', 'dataset.interactions', `${role}s are others when they are read again`, {
    hint: 'wait until whatever writes the files is done; a query must give the same rows every time',
  });
}

/** Refuses ids that mostly mean that there is none, and one id in two spellings. */
async function requireSound(session: Session, column: IdColumn, ids: readonly string[]): Promise<void> {
  const { path, relations, nameIn } = column;
  const refuse = async (id: string, what: string, hint: string): Promise<never> => {
    for (const relation of relations) {
      const condition = `${idIn(column, relation)} = ${literal(id)}`;
      const found = await session.rows(`SELECT 1 FROM (${relation.sql}) WHERE ${condition} LIMIT 1`);
      if (found.length > 0) throw await cellError(session, relation, { code: 'data-id', key: path, column: nameIn(relation), condition, what, hint }); // prettier-ignore
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
  if (relations.some((relation) => /^(FLOAT|DOUBLE|DECIMAL)/.test(columnOf(relation, nameIn(relation)).type))) {
    const inexact = ids.find((id) => /^-?(\d+\.\d+(e[+-]?\d+)?|\d+e[+-]?\d+|inf(inity)?)$/i.test(id));
    if (inexact !== undefined) await refuse(inexact, 'is no whole number, or one that fractions do not hold to the last digit', 'write ids as whole numbers or as text; ids: as-is takes them as they are'); // prettier-ignore
  }
  if (column.isWhole) return; // which have one spelling
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
