import type { SideBatch, SideFeatures } from '@towerbench/data';
import { tf, type EmbeddingTable, type Lookups, type Scope } from '@towerbench/engine';

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
}

/**
 * Fields of `features`: a categorical feature is its row, a multi-valued one and a sequence the mean of its rows without
 * padding (zero when there is nothing). Categorical fields come first, in order, and are read in one gather.
 *
 * @source models reference, section 1: masked mean = Σ mask·e / max(Σ mask, 1)
 */
export function embedFields(features: SideFeatures, table: EmbeddingTable): Fields {
  const { dim } = table;
  const single = features.ids.filter(({ width }) => width === 1);
  const wide = [
    ...features.ids.filter(({ width }) => width > 1),
    ...features.sequences.map(({ name, vocabulary, length }) => ({ name, vocabulary, width: length })),
  ];
  const names = [...single, ...wide].map(({ name }) => name);
  const denseWidth = features.dense.reduce((sum, { width }) => sum + width, 0);

  return {
    names,
    dim,
    denseWidth,
    flatWidth: names.length * dim + denseWidth,
    prepare(batch, lookups) {
      const { size } = batch;
      const places = new Int32Array(size * single.length); // [batch, single fields]
      for (const [start, { name, vocabulary }] of single.entries()) {
        lookups.positions(table, vocabulary, column(batch.ids, name), { out: places, start, stride: single.length });
      }
      const bags = wide.map(({ name, vocabulary, width }) => {
        const ids = column(batch.ids, name);
        const out = new Int32Array(ids.length);
        lookups.positions(table, vocabulary, ids, { out, start: 0, stride: 1 });
        return { places: out, width, weight: inverseCounts(ids, size, width) };
      });
      const dense = features.dense.map(({ name, width }) => ({ values: column(batch.dense, name), width }));

      return (scope) => {
        const rows = scope.rows(table);
        const gathered = (at: Int32Array, width: number): tf.Tensor3D =>
          tf.reshape(tf.gather(rows, tf.tensor1d(at, 'int32')), [size, width, dim]);
        const parts: tf.Tensor3D[] = single.length > 0 ? [gathered(places, single.length)] : [];
        for (const { places: at, width, weight } of bags) {
          const sum = tf.sum(gathered(at, width), 1, true); // [batch, 1, dim]
          parts.push(tf.mul(sum, tf.tensor3d(weight, [size, 1, 1])));
        }
        const blocks = dense.map(({ values, width }) => tf.tensor2d(values, [size, width]));
        return {
          fields: parts.length > 1 ? tf.concat(parts, 1) : (parts[0] ?? null),
          dense: blocks.length > 1 ? tf.concat(blocks, 1) : (blocks[0] ?? null),
        };
      };
    },
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

function column<T>(columns: Readonly<Record<string, T>>, name: string): T {
  const found = columns[name];
  if (found === undefined) throw new RangeError(`the batch has no feature "${name}"`);
  return found;
}
