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
function idIn({ path, nameIn }: IdColumn, relation: Relation): string {
  return idSqlAt(relation, { key: path, column: nameIn(relation) });
}

/** Stands for NULL among whole numbers, unless it is one of them. */
const NULL_KEY = -(2n ** 63n);

/** The key in SQL, a number of 64 bits. */
export function keyIn(column: IdColumn, relation: Relation): string {
  return column.isWhole
    ? `coalesce(${quoted(column.nameIn(relation))}::BIGINT, ${NULL_KEY})`
    : hashOf(cellIn(column, relation));
}

/** What an id is made of by `nullif(trim(...), '')`: the cell of a text, which is hashed in a third of the time. */
function cellIn(column: IdColumn, relation: Relation): string {
  const { name, type } = columnOf(relation, column.nameIn(relation));
  return type === 'VARCHAR' ? quoted(name) : idIn(column, relation);
}

function hashOf(cell: string): string {
  return `hash(${cell})`;
}

/** Ids in their order, and where each key, by its number, stands in it. */
export interface NamedIds {
  readonly ids: readonly string[];
  readonly rank: Int32Array;
}

/**
 * Names the keys of all rows: whole numbers come in the order of their values, texts after them as they are compared in JavaScript.
 *
 * @throws {ConfigError} when a row has no id; and unless `ids` is `as-is`, when an id mostly means that there is none, or stands there in two
 * spellings
 */
export async function nameIds(session: Session, column: IdColumn, params: CustomParams): Promise<NamedIds> {
  const { keys, isWhole } = column;
  const texts = isWhole ? [] : await textsOf(session, column);
  if (isWhole ? keys.find(0, Number(NULL_KEY >> 32n)) !== -1 : texts.includes(null)) await requireIds(session, column);
  const named = isWhole ? wholeIds(keys) : textIds(texts as readonly string[]);
  if (params.ids === 'checked') await requireSound(session, column, named.ids);
  return named;
}

async function requireIds(session: Session, column: IdColumn): Promise<void> {
  await refuseWhere(session, column, (id) => `${id} IS NULL`, {
    code: 'data-null-id',
    what: 'is no id',
    hint: (name) => `mend the file, or leave such rows out: where: ${quoted(name)} IS NOT NULL`,
  });
}

/**
 * Refuses rows whose id fulfils a condition, with the first of them; does nothing where there is none.
 *
 * @throws {ConfigError}
 */
async function refuseWhere(
  session: Session,
  column: IdColumn,
  conditionOn: (id: string) => string,
  { code, what, hint }: { readonly code: string; readonly what: string; readonly hint: (name: string) => string },
): Promise<void> {
  for (const relation of column.relations) {
    const condition = conditionOn(idIn(column, relation));
    const found = await session.rows(`SELECT 1 FROM (${relation.sql}) WHERE ${condition} LIMIT 1`);
    if (found.length === 0) continue;
    const name = column.nameIn(relation);
    throw await cellError(session, relation, {
      code,
      key: column.path,
      column: name,
      condition,
      what,
      hint: hint(name),
    });
  }
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
  const ids: string[] = [];
  const rank = new Int32Array(order.length);
  for (const number of order) {
    const text = texts[number] as string;
    if (text !== ids.at(-1)) ids.push(text); // cells that differ in the blanks around it are one id
    rank[number] = ids.length - 1;
  }
  return { ids, rank };
}

function valueOf(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** The id of each key, null where it is none. */
async function textsOf(session: Session, column: IdColumn): Promise<readonly (string | null)[]> {
  const { role, relations, keys } = column;
  const texts: (string | null)[] = [];
  const isNamed = new Uint8Array(keys.size);
  let isNew = false;
  const cells = relations.map((relation) => `SELECT ${cellIn(column, relation)} AS cell FROM (${relation.sql})`);
  const distinct = `SELECT DISTINCT cell FROM (${cells.join(' UNION ALL ')})`;
  await session.stream(`SELECT nullif(trim(cell), ''), ${hashOf('cell')} FROM (${distinct})`, (chunk) => {
    const halves = chunk.halves(1);
    for (let row = 0; row < chunk.numRows; row++) {
      const number = keys.find(halves[2 * row] as number, halves[2 * row + 1] as number);
      const text = chunk.value(0, row) as string | null;
      if (number === -1) isNew = true;
      else if (isNamed[number] === 1)
        throw new Error(`the ${role}s ${JSON.stringify(texts[number])} and ${JSON.stringify(text)} have one hash of 64 bits`); // prettier-ignore
      else {
        texts[number] = text;
        isNamed[number] = 1;
      }
    }
  });
  if (!isNew && !isNamed.includes(0)) return texts;
  throw dataError('data-changing', 'dataset.interactions', `${role}s are others when they are read again`, {
    hint: 'wait until whatever writes the files is done; a query must give the same rows every time',
  });
}

/** Refuses ids that mostly mean that there is none, and one id in two spellings. */
async function requireSound(session: Session, column: IdColumn, ids: readonly string[]): Promise<void> {
  const { relations, nameIn } = column;
  const refuse = async (id: string, what: string, hint: string): Promise<never> => {
    await refuseWhere(session, column, (sql) => `${sql} = ${literal(id)}`, { code: 'data-id', what, hint: () => hint });
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
