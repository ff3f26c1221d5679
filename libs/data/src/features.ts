import type {
  Column,
  DenseFeature,
  IdArray,
  IdFeature,
  SequenceFeature,
  SessionRule,
  SideFeatures,
  Table,
  Vocabulary,
} from './contract.js';
import { dataError, type FeatureSpec, type FeatureSpecs } from './definition.js';
import { idArray, numberedValues } from './ids.js';

/** Row of an embedding table that stands for "unknown or rarer than min_frequency"; 0 is padding, real values start at 2. */
const UNKNOWN = 1;
const FIRST_VALUE = 2;
const DEFAULT_SEQUENCE_LENGTH = 50;
const LAST_ITEMS: SessionRule = { length: 5, gap: null };

type Spec = Exclude<FeatureSpec, string>;

/** A table, and in how many training rows each of its rows occurs: the only statistic that features may know. */
export interface CountedTable {
  readonly table: Table;
  readonly trainRows: Int32Array;
}

/**
 * Makes the declared features of both sides. Frequencies, bucket bounds, means and deviations come from training rows alone: a value
 * that only validation or test rows show is unknown.
 *
 * @throws {ConfigError} for a column that is not there, a kind that does not fit it, or a sequence of something that is no id
 */
export function buildFeatures(inputs: {
  readonly users: CountedTable;
  readonly items: CountedTable;
  readonly features: FeatureSpecs;
  readonly minFrequency: number;
}): {
  readonly query: SideFeatures;
  readonly candidate: SideFeatures;
  readonly vocabularies: Readonly<Record<string, Vocabulary>>;
} {
  const { users, items, features, minFrequency } = inputs;
  const vocabularies: Record<string, Vocabulary> = {};
  const { session = LAST_ITEMS } = features;
  const context = { minFrequency, vocabularies, session };
  const candidate = buildSide('candidate', items, features.candidate, { ...context, sequenceOf: [] });
  const query = buildSide('query', users, features.query, { ...context, sequenceOf: candidate.ids });
  return { query, candidate, vocabularies };
}

function buildSide(
  side: 'query' | 'candidate',
  counted: CountedTable,
  specs: readonly FeatureSpec[],
  context: {
    readonly minFrequency: number;
    readonly vocabularies: Record<string, Vocabulary>;
    readonly sequenceOf: readonly IdFeature[];
    readonly session: SessionRule;
  },
): SideFeatures {
  const { minFrequency, vocabularies, sequenceOf, session } = context;
  const idColumn = side === 'query' ? 'user_id' : 'item_id';
  const ids: IdFeature[] = [];
  const dense: DenseFeature[] = [];
  const sequences: SequenceFeature[] = [];
  const names = new Set<string>();

  for (const [index, declared] of specs.entries()) {
    const spec: Spec = typeof declared === 'string' ? { name: declared } : declared;
    const path = `dataset.features.${side}[${index}]`;
    if (names.has(spec.name)) throw dataError('feature-twice', path, `"${spec.name}" is listed twice`);
    names.add(spec.name);
    if (spec.kind === 'sequence') {
      if (side === 'candidate') {
        throw dataError('feature-kind', path, 'a sequence is a feature of the query side', { received: spec.name });
      }
      sequences.push(sequenceFeature(spec, sequenceOf, session, path));
      continue;
    }
    const column = columnOf(counted.table, spec, idColumn, path);
    const kind = kindOf(spec, column, path);
    if (column.kind === 'vector') {
      dense.push({ name: spec.name, width: column.width, values: column.values });
    } else if (column.kind === 'numeric' && kind === 'numeric' && spec.buckets === undefined) {
      dense.push({ name: spec.name, width: 1, values: standardised(column.values, counted.trainRows) });
    } else {
      const column2 =
        column.kind !== 'numeric'
          ? column
          : kind === 'numeric'
            ? bucketised(column.values, counted.trainRows, spec.buckets as number)
            : distinctNumbers(column.values);
      const vocabulary = vocabularies[spec.name] === undefined ? spec.name : `${side}.${spec.name}`;
      const { feature, size } = idFeature(column2, counted.trainRows, {
        name: spec.name,
        vocabulary,
        minFrequency,
        ...(spec.length === undefined ? {} : { length: spec.length }),
      });
      ids.push(feature);
      vocabularies[vocabulary] = { name: vocabulary, size };
    }
  }
  return { ids, dense, sequences };
}

function columnOf({ columns, numRows }: Table, spec: Spec, idColumn: string, path: string): Column {
  const column = columns[spec.name];
  if (column !== undefined) return column;
  if (spec.name === idColumn) return rowNumbers(numRows);
  throw dataError('feature-column', path, `there is no column "${spec.name}"`, {
    received: spec.name,
    allowed: [idColumn, ...Object.keys(columns)].join(', '),
  });
}

/** The column of a table's own ids. */
function rowNumbers(numRows: number): Column {
  const ids = idArray(numRows, numRows);
  for (let row = 0; row < numRows; row++) ids[row] = row;
  return { kind: 'categorical', ids, values: numberedValues(numRows) };
}

const FITTING: Readonly<Record<Column['kind'], readonly string[]>> = {
  categorical: ['categorical'],
  multi: ['multi'],
  numeric: ['numeric', 'categorical'],
  vector: ['vector'],
};

function kindOf(spec: Spec, column: Column, path: string): string {
  const kind = spec.kind ?? column.kind;
  if (!FITTING[column.kind].includes(kind)) {
    throw dataError('feature-kind', path, `"${spec.name}" is a ${column.kind} column and cannot become ${kind}`, {
      received: kind,
      allowed: FITTING[column.kind].join(', '),
    });
  }
  if (spec.buckets !== undefined && kind !== 'numeric') {
    throw dataError('feature-buckets', path, `buckets are for numbers; "${spec.name}" is ${kind}`, {
      hint: 'remove buckets',
    });
  }
  if (spec.length !== undefined && kind !== 'multi') {
    throw dataError(
      'feature-length',
      path,
      `a length is for sequences and multi-valued columns; "${spec.name}" is ${kind}`,
      {
        hint: 'remove length',
      },
    );
  }
  for (const key of ['of', 'window'] as const) {
    if (spec[key] === undefined) continue;
    throw dataError(`feature-${key}`, path, `only a sequence has "${key}"; "${spec.name}" is ${kind}`, {
      hint: `remove ${key}`,
    });
  }
  return kind;
}

function sequenceFeature(
  spec: Spec,
  candidates: readonly IdFeature[],
  session: SessionRule,
  path: string,
): SequenceFeature {
  const of = spec.of ?? 'item_id';
  const single = candidates.filter(({ width }) => width === 1);
  const source = single.find(({ name }) => name === of);
  if (source === undefined) {
    throw dataError('feature-of', path, `"${of}" is no categorical feature of the candidate side`, {
      received: of,
      allowed: single.map(({ name }) => name).join(', ') || 'nothing: add item_id to features.candidate',
    });
  }
  if (spec.buckets !== undefined)
    throw dataError('feature-buckets', path, 'a sequence has no buckets', { hint: 'remove buckets' });
  const feature = {
    name: spec.name,
    of,
    vocabulary: source.vocabulary,
    length: spec.length ?? DEFAULT_SEQUENCE_LENGTH,
  };
  if (spec.window === undefined || spec.window === 'all') return feature;
  if (spec.window === 'session' && spec.length !== undefined && spec.length !== session.length) {
    throw dataError('feature-length', path, `a session has up to ${session.length} items`, {
      received: String(spec.length),
      hint: `remove length, or write session: {length: ${spec.length}} beside query and candidate`,
    });
  }
  const length = spec.window === 'session' ? session.length : feature.length;
  return { ...feature, length, window: { part: spec.window, session } };
}

/** Values shown by at least `minFrequency` training rows get ids from 2, in the order of the column's values; others get 1. */
function idFeature(
  column: Extract<Column, { readonly kind: 'categorical' | 'multi' }>,
  trainRows: Int32Array,
  options: {
    readonly name: string;
    readonly vocabulary: string;
    readonly minFrequency: number;
    readonly length?: number;
  },
): { readonly feature: IdFeature; readonly size: number } {
  const numRows = trainRows.length;
  const { ids } = column;
  const offsets = column.kind === 'multi' ? column.offsets : null;
  const frequency = new Float64Array(column.values.length);
  for (let row = 0; row < numRows; row++) {
    const count = trainRows[row] as number;
    if (count === 0) continue;
    const from = offsets === null ? row : (offsets[row] as number);
    const to = offsets === null ? row + 1 : (offsets[row + 1] as number);
    for (let at = from; at < to; at++) frequency[ids[at] as number]! += count;
  }
  let size = FIRST_VALUE;
  const rowOf = Int32Array.from(frequency, (count) => (count >= options.minFrequency ? size++ : UNKNOWN));

  let width = 1;
  if (offsets !== null) {
    for (let row = 0; row < numRows; row++)
      width = Math.max(width, (offsets[row + 1] as number) - (offsets[row] as number));
    width = Math.min(width, options.length ?? width);
  }
  const out = idArray(numRows * width, size - 1);
  if (offsets === null) {
    for (let row = 0; row < numRows; row++) out[row] = rowOf[ids[row] as number] as number;
  } else {
    for (let row = 0; row < numRows; row++) {
      const from = offsets[row] as number;
      const count = Math.min((offsets[row + 1] as number) - from, width);
      for (let k = 0; k < count; k++) out[row * width + k] = rowOf[ids[from + k] as number] as number;
    }
  }
  return { feature: { name: options.name, vocabulary: options.vocabulary, width, ids: out }, size };
}

/**
 * (x − mean) / deviation over training rows; a missing number becomes 0, the mean. A column that never varies becomes all zeros.
 *
 * @numerics sums in float64
 */
function standardised(values: Float32Array, trainRows: Int32Array): Float32Array {
  let count = 0;
  let sum = 0;
  for (const [row, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    count += trainRows[row] as number;
    sum += value * (trainRows[row] as number);
  }
  const mean = count === 0 ? 0 : sum / count;
  let squares = 0;
  for (const [row, value] of values.entries()) {
    if (!Number.isNaN(value)) squares += (value - mean) ** 2 * (trainRows[row] as number);
  }
  const deviation = count === 0 ? 0 : Math.sqrt(squares / count);
  return values.map((value) => (Number.isNaN(value) || deviation === 0 ? 0 : (value - mean) / deviation));
}

/** Buckets that hold about equally many training rows; bucket k holds bound[k − 1] < x ≤ bound[k]. Missing numbers have no bucket. */
function bucketised(
  values: Float32Array,
  trainRows: Int32Array,
  buckets: number,
): Extract<Column, { readonly kind: 'multi' }> | Extract<Column, { readonly kind: 'categorical' }> {
  const order = [...values.keys()].filter((row) => !Number.isNaN(values[row]) && (trainRows[row] as number) > 0);
  order.sort((a, b) => (values[a] as number) - (values[b] as number));
  const total = order.reduce((sum, row) => sum + (trainRows[row] as number), 0);
  const bounds: number[] = [];
  let below = 0;
  for (const row of order) {
    below += trainRows[row] as number;
    const value = values[row] as number;
    if (bounds.length < buckets - 1 && below >= (total * (bounds.length + 1)) / buckets && value !== bounds.at(-1))
      bounds.push(value);
  }
  return categoricalBy(values, bounds.length + 1, (value) => {
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    return bucket;
  });
}

/** Each distinct number as a value of its own. */
function distinctNumbers(values: Float32Array): Extract<Column, { readonly kind: 'categorical' }> {
  const sorted = [...new Set(values)].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const idOf = new Map(sorted.map((value, id) => [value, id]));
  return categoricalBy(values, sorted.length, (value) => idOf.get(value) as number);
}

/** A missing number gets a value that no training row shows, so that it is unknown to every model. */
function categoricalBy(
  values: Float32Array,
  count: number,
  idOf: (value: number) => number,
): Extract<Column, { readonly kind: 'categorical' }> {
  const ids: IdArray = idArray(values.length, count);
  for (const [row, value] of values.entries()) ids[row] = Number.isNaN(value) ? count : idOf(value);
  return { kind: 'categorical', ids, values: numberedValues(count + 1) };
}
