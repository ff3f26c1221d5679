import type { SequenceFeature, SideBatch } from '@towerbench/data';
import { poolRows, tf, type EmbeddingTable, type Lookups, type Scope } from '@towerbench/engine';
import { column } from './fields.js';

/** What becomes of the rows of a table, [rows, dim] to as many. */
export type RowChange = (scope: Scope, rows: tf.Tensor2D) => tf.Tensor2D;

/** A sequence feature as vectors, one per entry. */
export interface EmbeddedSequence {
  /** 1 where there is an entry, 0 at padding, [batch, length]. */
  readonly mask: Float32Array;
  /**
   * [batch, length, dim]; zero at padding, which learns nothing.
   *
   * @param change what is done to the embeddings first, once for each of the distinct ones
   */
  embed(scope: Scope, change?: RowChange): tf.Tensor3D;
}

/** The entries of a sequence, most recent first, embedded through `table`. */
export function embedSequence(
  { name, vocabulary, length }: SequenceFeature,
  table: EmbeddingTable,
  batch: SideBatch,
  lookups: Lookups,
): EmbeddedSequence {
  const ids = column(batch.ids, name);
  const places = new Int32Array(ids.length);
  lookups.positions(table, vocabulary, ids, places);
  const mask = new Float32Array(ids.length);
  for (let i = 0; i < ids.length; i++) if (ids[i] !== 0) mask[i] = 1;
  return {
    mask,
    embed(scope, change = (_scope, rows) => rows) {
      const rows = change(scope, scope.rows(table));
      const entries = poolRows(rows, ids.length, [{ width: 1, places, weights: null }]); // [batch · length, 1, dim]
      return tf.reshape(entries, [batch.size, length, entries.shape[2]]);
    },
  };
}
