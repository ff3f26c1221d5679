import { ConfigError, didYouMean, nearestWords, type ConfigIssue, type Section } from '@towerbench/config';
import type { Column, Dataset, IdArray, PreparedData, Table } from './contract.js';
import type { CommonParams, DataPlaces } from './definition.js';
import { idArray } from './ids.js';
import { loadDataset, locate } from './load.js';
import { ownItemIds } from './own-ids.js';
import { prepare } from './prepare.js';

/** Somebody whom the data does not have. */
export interface NewUser {
  /** Values of user features, by name: a text, a number, a list of texts or of numbers; null where it is not known. */
  readonly features: Readonly<Record<string, unknown>>;
  /** Own ids of items that she had, the oldest first. */
  readonly history: readonly string[];
}

/** Data with somebody new in it, who is no part of training and of no evaluation. */
export interface DataWithNewUser {
  readonly data: PreparedData;
  /** Her number in it. */
  readonly user: number;
  /** Names of what can be known of somebody new: the user features of the run, without the id, and its sequences. */
  readonly readable: readonly string[];
  /** What was filled in, and what counts as unknown, a sentence each. */
  readonly notes: readonly string[];
}

type Feature = Exclude<CommonParams['features']['query'][number], string>;

/** Values that a message names. */
const MOST_NAMED = 20;

/**
 * Prepares a dataset with one more user. All else is as `prepareData` gives it: what features count and measure, they count and measure
 * in training rows, and she has none.
 *
 * @throws {ConfigError} with all that is wrong with her features and history
 */
export function prepareWithNewUser(
  section: Section & { readonly name: string },
  places: DataPlaces,
  { features, history }: NewUser,
): DataWithNewUser {
  const source = locate(section, places);
  const dataset = loadDataset(source, places);
  const specs = source.params.features.query.map((spec): Feature => (typeof spec === 'string' ? { name: spec } : spec));
  const known = specs.filter(({ name, kind }) => kind !== 'sequence' && dataset.users.columns[name] !== undefined);
  const issues: ConfigIssue[] = [];
  const notes: string[] = [];
  for (const name of Object.keys(features)) {
    if (!known.some((spec) => spec.name === name)) issues.push(unknownFeature(name, known, dataset.users));
  }
  const columns = Object.fromEntries(
    Object.entries(dataset.users.columns).map(([name, column]) => {
      const spec = known.find((each) => each.name === name);
      const value = features[name] ?? null;
      if (spec !== undefined && value === null) notes.push(`${name}: not given, so it is ${filledWith(spec, column)}`);
      try {
        return [name, withValue(column, value)];
      } catch (error) {
        if (!(error instanceof WrongValue)) throw error;
        issues.push({ code: 'feature-value', path: `--features ${name}`, message: `received ${JSON.stringify(value)}`, received: JSON.stringify(value), allowed: error.message }); // prettier-ignore
        return [name, column];
      }
    }),
  );
  const items = rowsOfItems(history, dataset, issues);
  if (issues.length > 0) throw new ConfigError(issues);
  const user = dataset.users.numRows;
  const prepared = prepare({ ...dataset, users: { numRows: user + 1, columns } }, source);
  for (const { name } of known) {
    notes.push(...unknownValues(name, features[name], { prepared, dataset, user }));
    const width = prepared.query.ids.find((each) => each.name === name)?.width ?? Infinity;
    const value = features[name];
    if (Array.isArray(value) && value.length > width)
      notes.push(`${name}: the first ${width} of ${value.length} count`);
  }
  return {
    user,
    data: { ...prepared, history: withItems(prepared.history, items) },
    readable: [...known.map(({ name }) => name), ...prepared.query.sequences.map(({ name }) => name)],
    notes,
  };
}

/** Says in its message what is allowed. */
class WrongValue extends Error {}

function unknownFeature(name: string, known: readonly Feature[], { columns }: Table): ConfigIssue {
  const names = known.map((spec) => spec.name);
  const isColumn = columns[name] !== undefined;
  const hint = isColumn ? 'it is a column of the users that this run does not read' : didYouMean(name, names);
  return {
    code: 'feature-unknown',
    path: '--features',
    message: `the run has no user feature "${name}"`,
    received: name,
    allowed: names.join(', ') || 'none: it reads no features of users',
    ...(hint === undefined ? {} : { hint }),
  };
}

/** A column with one more row. */
function withValue(column: Column, value: unknown): Column {
  switch (column.kind) {
    case 'numeric': {
      if (value !== null && (typeof value !== 'number' || !Number.isFinite(value))) throw new WrongValue('a number, or null');
      return { ...column, values: longer(column.values, [value ?? NaN]) };
    }
    case 'vector': {
      const { width } = column;
      const isVector = Array.isArray(value) && value.length === width && value.every((each) => Number.isFinite(each));
      if (value !== null && !isVector) throw new WrongValue(`a list of ${width} numbers, or null`);
      return { ...column, values: longer(column.values, (value as number[] | null) ?? Array<number>(width).fill(0)) };
    }
    case 'categorical': {
      const [text, ...more] = textsOf(value ?? '', 'a text or a number, or null');
      if (more.length > 0 || text === undefined) throw new WrongValue('one text or number, or null');
      return { ...column, ...withTexts(column, [text]) };
    }
    case 'multi': {
      const texts = textsOf(value ?? [], 'a list of texts, or null').slice(0, widest(column));
      return { ...column, offsets: longer(column.offsets, [column.ids.length + texts.length]), ...withTexts(column, texts) };
    }
  }
} // prettier-ignore

function textsOf(value: unknown, allowed: string): string[] {
  const all: unknown[] = Array.isArray(value) ? value : [value];
  return all.map((each) => {
    if (!['string', 'number', 'boolean'].includes(typeof each)) throw new WrongValue(allowed);
    return String(each);
  });
}

/** Encoded texts with more at their end; what no row had becomes a value that no training row shows. */
function withTexts(
  { ids, values }: { readonly ids: IdArray; readonly values: readonly string[] },
  texts: readonly string[],
): { readonly ids: IdArray; readonly values: readonly string[] } {
  const all = [...new Set([...values, ...texts])];
  const joined = idArray(ids.length + texts.length, all.length);
  joined.set(ids);
  for (const [k, text] of texts.entries()) joined[ids.length + k] = all.indexOf(text);
  return { ids: joined, values: all };
}

/** The same array with more at its end. */
function longer<A extends Float32Array | Float64Array | Int32Array>(array: A, more: ArrayLike<number>): A {
  const joined = new (array.constructor as new (length: number) => A)(array.length + more.length);
  joined.set(array);
  joined.set(more, array.length);
  return joined;
}

/** Values of the row that has most: what a model was made for. */
function widest({ offsets }: Extract<Column, { readonly kind: 'multi' }>): number {
  return offsets.reduce((most, end, row) => Math.max(most, end - (offsets[row - 1] ?? end)), 0);
}

/** What stands in the place of a value that is not known, as in rows of the data. */
function filledWith({ kind, buckets }: Feature, column: Column): string {
  if (column.kind === 'multi') return 'empty';
  if (column.kind === 'vector') return 'all zeros';
  if (column.kind === 'categorical') return column.values.includes('') ? 'what rows without a value have' : 'unknown';
  return kind === 'categorical' || buckets !== undefined ? 'unknown' : 'the mean of training';
}

/** Which of the given values the model does not tell from others that it does not know. */
function unknownValues(
  name: string,
  value: unknown,
  { prepared, dataset, user }: { readonly prepared: PreparedData; readonly dataset: Dataset; readonly user: number },
): string[] {
  const feature = prepared.query.ids.find((each) => each.name === name);
  const column = dataset.users.columns[name];
  if (feature === undefined || column === undefined || value === undefined || value === null) return [];
  const UNKNOWN = 1;
  const given: unknown[] = Array.isArray(value) ? value : [value];
  const { ids, width } = feature;
  return given.slice(0, width).flatMap((each, k) => {
    if (ids[user * width + k] !== UNKNOWN) return [];
    const text = JSON.stringify(each);
    if (column.kind === 'numeric') return [`${name}: no training row has ${text}, so it is unknown`];
    const { values } = column as Extract<Column, { readonly kind: 'categorical' | 'multi' }>;
    if (values.includes(String(each))) return [`${name}: ${text} is too rare in training, so it is unknown`];
    const all = values.filter((other) => other !== '');
    const some = all.length > MOST_NAMED ? `${nearestWords(String(each), all, 3).join(', ')} and ${all.length - 3} more` : all.join(', '); // prettier-ignore
    return [`${name}: the data has no ${text}, so it is unknown; it has ${some}`];
  });
}

function rowsOfItems(
  ids: readonly string[],
  { itemIds, items }: Pick<Dataset, 'itemIds' | 'items'>,
  issues: ConfigIssue[],
): Int32Array {
  const own = ownItemIds({ itemIds: itemIds ?? null, numItems: items.numRows });
  const rows = ids.flatMap((id) => own.rowOf(id) ?? []);
  for (const id of ids) {
    if (own.rowOf(id) !== undefined) continue;
    issues.push({
      code: 'history-item',
      path: '--history',
      message: `there is no item "${id}"`,
      received: id,
      allowed: `ids such as ${nearestWords(id, own, 3).join(', ')}`,
    });
  }
  return Int32Array.from(rows);
}

/** A history with the items of the last user, who has none, at its end. Her times are not known: they are all alike. */
function withItems({ offsets, items, times }: PreparedData['history'], more: Int32Array): PreparedData['history'] {
  return {
    offsets: longer(offsets.subarray(0, -1), [items.length + more.length]),
    items: longer(items, more),
    times: times && longer(times, new Float64Array(more.length)),
  };
}
