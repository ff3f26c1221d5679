import { ConfigError } from '@towerbench/config';
import { createEmbeddingTable, l2Normalize, tf, type EmbeddingTable } from '@towerbench/engine';
import { z } from 'zod';
import type { ModelInputs, Tower } from '../contract.js';
import { embedFields } from './fields.js';
import { noFeatures, sharedTable, type TowerParams } from './towers.js';

/** Key of every model whose candidates are rows of a table. */
export const sharedItemTable = z
  .boolean()
  .default(false)
  .describe('Whether candidates are the rows that the history is read from; otherwise they have a table of their own.');

type ItemTableInputs = Omit<
  ModelInputs<Pick<TowerParams, 'embeddingDim' | 'embeddingStd' | 'normalize'> & { readonly sharedItemTable: boolean }>,
  'data'
>;

/** The table that the query side reads. */
export function queryTable(inputs: ItemTableInputs): EmbeddingTable {
  return sharedTable(inputs.params.sharedItemTable ? inputs : { ...inputs, candidate: noFeatures });
}

/**
 * Candidates that are rows of a table, without a layer between: of a table of their own, or of the one that the query side reads.
 *   v = Σ_f e_f, e_f the row of feature f (the mean of its rows where it has several values), L2-normalised when asked
 *
 * @param inputs `embeddings` is what `queryTable` made, `outputDim` the width of the query vectors
 * @throws {ConfigError} when the candidates have dense features, or the shared table is not as wide as the query vectors
 */
export function itemRows(
  inputs: ItemTableInputs & { readonly embeddings: EmbeddingTable; readonly outputDim: number },
): { readonly tower: Tower; readonly table: EmbeddingTable } {
  const { params, candidate, vocabularies, rng, embeddings, outputDim } = inputs;
  const [dense] = candidate.dense;
  if (dense !== undefined) {
    throw new ConfigError([
      {
        code: 'item-table-dense',
        path: 'model.type',
        message: `candidates are rows of a table here, and the feature "${dense.name}" is numbers`,
        hint: 'give it buckets, or leave it out of dataset.features.candidate',
      },
    ]);
  }
  if (params.sharedItemTable && embeddings.dim !== outputDim) {
    throw new ConfigError([
      {
        code: 'tower-widths',
        path: 'model.shared_item_table',
        message: `the query tower gives ${outputDim} numbers and a row of the shared table has ${embeddings.dim}, so there is no dot product`,
        received: 'true',
        allowed: 'true where both are equally wide; false',
        hint: `write embedding_dim: ${outputDim}, or shared_item_table: false`,
      },
    ]);
  }
  const table = params.sharedItemTable
    ? embeddings
    : createEmbeddingTable({
        name: 'items',
        dim: outputDim,
        vocabularies: candidate.ids.flatMap(({ vocabulary }) => vocabularies[vocabulary] ?? []),
        standardDeviation: params.embeddingStd,
        rng: rng.fork('items'),
      });
  const fields = embedFields(candidate, table);
  return {
    table,
    tower: {
      dim: outputDim,
      prepare(batch, lookups) {
        const embed = fields.prepare(batch, lookups);
        return (scope) => {
          const v = tf.sum<tf.Tensor2D>(embed(scope).fields as tf.Tensor3D, 1); // [batch, dim]
          return params.normalize ? l2Normalize(v) : v;
        };
      },
    },
  };
}
