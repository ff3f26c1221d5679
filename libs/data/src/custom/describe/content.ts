/** What the cells of a column can be, by their content alone. */
import { dateOf, PER_SECOND, unitOf, UNIT_WORDS, type Unit } from '../times.js';
import type { CellParts, ColumnProfile } from './profile.js';

const FIRST_YEAR = Date.UTC(1990) / 1000;
const LAST_YEAR = Date.UTC(2100) / 1000;

/** A count with separators: 12,345. */
export const count = (value: number): string => value.toLocaleString('en');

/** `1 row`, `12,345 rows`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** Values as they are quoted in a sentence, cut where they are long. */
export function quotedValues(values: readonly string[]): string {
  return values.map((value) => (value.length > 24 ? `${value.slice(0, 23)}…` : value)).join(', ');
}

const isList = ({ type }: ColumnProfile): boolean => /\]$|^(STRUCT|MAP|UNION|BLOB)/.test(type);

/** Whether all cells that are known are numbers. */
export const isNumeric = ({ numbers, known }: ColumnProfile): boolean => known > 0 && numbers === known;

/** Whether all cells are there, and are 1 or 0, true or false, and both occur. */
export const isFlag = ({ flags, known, distinct }: ColumnProfile, rows: number): boolean =>
  known === rows && flags === known && distinct === 2;

/** Whether ids may look like this: whole numbers or short texts without fractions, dates and lists. */
export function isIdLike(column: ColumnProfile): boolean {
  const { known, numbers, wholes, moments, maxLength, phrases, parts } = column;
  if (known === 0 || isList(column)) return false;
  if (numbers > wholes || moments > known / 2) return false;
  return maxLength <= 80 && phrases <= known / 2 && (parts === null || parts.total < known * 1.2);
}

/** Whether no value stands in two rows, and every row has one. */
const isUnique = ({ known, distinct }: ColumnProfile, rows: number): boolean => known === rows && distinct === rows;

/** What times a column holds: the unit of numbers, or texts and types that are moments. */
export interface TimeForm {
  readonly unit: Unit | 'moment';
  /** In Unix seconds. */
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

/** The times of a column; null where it holds none that look like some. */
export function timesOf({
  known,
  numbers,
  wholes,
  min,
  max,
  moments,
  first,
  last,
  type,
}: ColumnProfile): TimeForm | null {
  if (known === 0) return null;
  if (moments === known && first !== null && last !== null) {
    const form = /^(TIMESTAMP|DATE)/.test(type) ? (type.startsWith('DATE') ? 'dates' : 'times') : 'ISO 8601';
    return { unit: 'moment', first, last, text: `${form}, ${dateOf(first)} to ${dateOf(last)}` };
  }
  if (numbers !== known || min === null || max === null) return null;
  const unit = unitOf(min);
  if (unit !== unitOf(max)) return null;
  const [from, to] = [min / PER_SECOND[unit], max / PER_SECOND[unit]];
  if (from < FIRST_YEAR || to > LAST_YEAR) return null;
  const digits = String(Math.trunc(max)).length;
  const kind = wholes === known ? `${digits}-digit whole numbers` : 'numbers';
  return {
    unit,
    first: from,
    last: to,
    text: `${kind}, as ${UNIT_WORDS[unit]} since 1970 they are ${dateOf(from)} to ${dateOf(to)}`,
  };
}

/** What a column can be as a feature of users or items. */
export type FeatureGuess =
  | {
      readonly kind: 'categorical' | 'numeric' | 'multi' | 'vector';
      readonly separator?: string;
      readonly why: string;
      readonly isUnsure: boolean;
    }
  | { readonly kind: null; readonly why: string; readonly isUnsure: boolean };

/** Whole numbers of fewer different values are taken for codes. */
const FEW_VALUES = 12;
/** Categories of more values have an embedding row for each all the same, and mostly say little. */
const MANY_VALUES = 20_000;

/**
 * What a column can be as a feature, by its content and by whether its name is that of a code.
 *
 * @param rows of the table, as many as were looked at
 */
export function featureOf(
  column: ColumnProfile,
  { rows, isCode }: { readonly rows: number; readonly isCode: boolean },
): FeatureGuess {
  const { known, distinct, numbers, wholes, min, max, padded, parts, phrases, meanLength, type } = column;
  const none = (why: string, isUnsure = false): FeatureGuess => ({ kind: null, why, isUnsure });
  if (known === 0) return none('empty');
  if (/^(STRUCT|MAP|UNION|BLOB)/.test(type))
    return none(`${type.split('(')[0]?.toLowerCase()}, which is no feature; sql can take a part of it`);
  if (distinct === 1) return none(`the same in every row: ${quotedValues(column.values)}`);
  if (parts !== null && parts.total > known && !isOnlyText(column, parts)) return listFeature(column, parts, rows);
  if (isList(column)) return none('lists of at most one value', true);
  const times = timesOf(column);
  if (times !== null && (times.unit === 'moment' || numbers === 0))
    return none(`${times.text}: no feature; sql can make a number of it: epoch(...), year(...)`);
  const range = `${numberText(min)} to ${numberText(max)}`;
  if (isNumeric(column)) {
    if (wholes < known) return { kind: 'numeric', why: `numbers from ${range}`, isUnsure: false };
    if (isUnique(column, rows) && rows > FEW_VALUES)
      return none('a whole number of its own in each row, as ids are', true);
    if (padded > 0) return categorical(column, 'digits that begin with 0, so codes');
    if (isCode) return categorical(column, 'whole numbers, by the name codes');
    const isDense = max !== null && min !== null && max - min < 2 * distinct;
    if (distinct === 2 || (distinct <= FEW_VALUES && isDense)) return few(column, range);
    return { kind: 'numeric', why: `whole numbers from ${range}`, isUnsure: false };
  }
  if (isUnique(column, rows) && rows > FEW_VALUES) return none('a text of its own in each row');
  if (distinct > known / 2 && known > 2 * FEW_VALUES)
    return none(`${count(distinct)} different texts in ${counted(known, 'row')}: too many to learn from`);
  if (phrases > known / 2 && meanLength > 60) return none('long texts');
  return categorical(column, 'texts');
}

/** Few whole numbers: codes, or amounts of which there are few. */
function few(column: ColumnProfile, range: string): FeatureGuess {
  if (column.distinct === 2) return categorical(column, 'two numbers');
  return { ...categorical(column, `whole numbers from ${range}, so few that they may be codes`), isUnsure: true };
}

function categorical({ distinct, values }: ColumnProfile, what: string): FeatureGuess {
  const why = `${what}, ${count(distinct)} different: ${quotedValues(values)}${distinct > values.length ? ' …' : ''}`;
  return distinct > MANY_VALUES
    ? { kind: null, why: `${why}; too many to learn from`, isUnsure: true }
    : { kind: 'categorical', why, isUnsure: false };
}

/** Whether commas are part of the texts, as in (10,50]: of lists there are more than of the values in them. */
function isOnlyText({ distinct }: ColumnProfile, parts: CellParts): boolean {
  return (
    (parts.separator === ',' || parts.separator === ';') && distinct < parts.distinct && parts.numbers < parts.total
  );
}

function listFeature(column: ColumnProfile, parts: CellParts, rows: number): FeatureGuess {
  const { separator, total, distinct, numbers, wholes, fewest, most } = parts;
  const { known, phrases } = column;
  const form = separator === null ? {} : { separator };
  const by = separator === null ? '' : `, parted by ${JSON.stringify(separator)}`;
  if (numbers === total && wholes < total) {
    if (fewest !== most)
      return {
        kind: null,
        why: `lists of ${fewest} to ${most} numbers: a vector has equally many in each row`,
        isUnsure: true,
      };
    return { kind: 'vector', ...form, why: `${most} numbers in each row${by}`, isUnsure: known < rows };
  }
  if (distinct > total / 2 && total > 50) {
    const isText = phrases > known / 2;
    return { kind: null, why: isText ? 'texts with marks in them, as sentences have' : `lists${by} whose values hardly occur twice`, isUnsure: true }; // prettier-ignore
  }
  return {
    kind: 'multi',
    ...form,
    why: `lists${by} of ${fewest === most ? most : `${fewest} to ${most}`} values, ${count(distinct)} different`,
    isUnsure: separator === ',' && phrases > known / 2,
  };
}

/** A number as a person writes it. */
export function numberText(value: number | null): string {
  return value === null ? '?' : Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

/** What the cells of a column are, in a word or two. */
export function typeText(column: ColumnProfile): string {
  const { type, known, numbers, wholes, moments, flags, parts } = column;
  if (known === 0) return 'empty';
  if (type !== 'VARCHAR') return type.toLowerCase();
  if (flags === known) return 'yes or no';
  if (numbers === known) return wholes === known ? 'whole numbers' : 'numbers';
  if (moments === known) return 'times';
  return parts !== null && parts.total > known ? 'lists as text' : 'text';
}
