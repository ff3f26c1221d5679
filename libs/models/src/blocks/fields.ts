import type { SideBatch, SideFeatures } from '@towerbench/data';
import { poolRows, tf, type EmbeddingTable, type Lookups, type PooledField, type Scope } from '@towerbench/engine';

/** The embedded features of one side of a batch. */
export interface EmbeddedFields {
  /** One vector per field, [batch, fields, dim]; null when the side has no id features. */
  readonly fields: tf.Tensor3D | null;
  /** Dense features side by side, [batch, denseWidth]; null when there are none. */
  readonly dense: tf.Tensor2D | null;
}

/** The id, multi-valued, sequence and dense features of one side, embedded through one table. */
export interface Fields {
  readonly names: readonly string[];
  readonly dim: number;
  readonly denseWidth: number;
  /** Width of all fields and dense features side by side. */
  readonly flatWidth: number;
  prepare(batch: SideBatch, lookups: Lookups): (scope: Scope) => EmbeddedFields;
  /** Where the rows of the fields, without dense features, come to stand; what `prepare` reads. */
  places(batch: SideBatch, lookups: Lookups): PooledField[];
}

/**
 * Fields of `features`: a categorical feature is its row, a multi-valued one and a sequence the mean of its rows without
 * padding (zero when there is nothing). Categorical fields come first, in order.
 *
 *   mean of a field = Σ mask·e / max(Σ mask, 1), mask 0 at padding and 1 elsewhere
 */
export function embedFields(features: SideFeatures, table: EmbeddingTable): Fields {
  const { dim } = table;
  const fields = [
    ...features.ids.filter(({ width }) => width === 1),
    ...features.ids.filter(({ width }) => width > 1),
    ...features.sequences.map(({ name, vocabulary, length }) => ({ name, vocabulary, width: length })),
  ];
  const names = fields.map(({ name }) => name);
  const denseWidth = features.dense.reduce((sum, { width }) => sum + width, 0);

  const placesOf = ({ size, ids: columns }: SideBatch, lookups: Lookups): PooledField[] =>
    fields.map(({ name, vocabulary, width }) => {
      const ids = column(columns, name);
      const places = new Int32Array(ids.length);
      lookups.positions(table, vocabulary, ids, places);
      return { width, places, weights: width === 1 ? null : inverseCounts(ids, size, width) };
    });

  return {
    names,
    dim,
    denseWidth,
    flatWidth: names.length * dim + denseWidth,
    prepare(batch, lookups) {
      const { size } = batch;
      const pooled = placesOf(batch, lookups);
      const dense = features.dense.map(({ name, width }) => ({ values: column(batch.dense, name), width }));

      return (scope) => {
        const blocks = dense.map(({ values, width }) => tf.tensor2d(values, [size, width]));
        return {
          fields: pooled.length > 0 ? poolRows(scope.rows(table), size, pooled) : null,
          dense: blocks.length > 1 ? tf.concat(blocks, 1) : (blocks[0] ?? null),
        };
      };
    },
    places: placesOf,
  };
}

/** All fields and dense features of each row side by side, [batch, flatWidth]. */
export function flatten({ fields, dense }: EmbeddedFields): tf.Tensor2D {
  const parts: tf.Tensor2D[] = [];
  if (fields !== null) parts.push(tf.reshape(fields, [fields.shape[0], fields.shape[1] * fields.shape[2]]));
  if (dense !== null) parts.push(dense);
  const [only] = parts;
  if (only === undefined) throw new RangeError('a tower needs at least one feature');
  return parts.length === 1 ? only : tf.concat(parts, 1);
}

/** 1 / max(number of ids that are not padding, 1) per row. */
function inverseCounts(ids: Int32Array, size: number, width: number): Float32Array {
  const weights = new Float32Array(size);
  for (let row = 0; row < size; row++) {
    let count = 0;
    for (let i = row * width; i < (row + 1) * width; i++) if (ids[i] !== 0) count++;
    weights[row] = 1 / Math.max(count, 1);
  }
  return weights;
}

/** @throws {RangeError} when the batch does not have the feature */
export function column<T>(columns: Readonly<Record<string, T>>, name: string): T {
  const found = columns[name];
  if (found === undefined) throw new RangeError(`the batch has no feature "${name}"`);
  return found;
}
