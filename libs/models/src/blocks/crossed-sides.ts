import type { SideBatch } from '@towerbench/data';
import { fieldProducts, tf, type EmbeddingTable, type Lookups, type Pairs, type Scope } from '@towerbench/engine';
import { z } from 'zod';
import type { ModelInputs } from '../contract.js';
import { embedFields, flatten } from './fields.js';
import { sharedTable, towerParams } from './towers.js';

const { embeddingDim, embeddingStd, hiddenUnits, activation } = towerParams;

/** Keys of every model that sees both sides of a pair at once. */
export const crossedSidesParams = {
  embeddingDim,
  embeddingStd,
  hiddenUnits: hiddenUnits.describe('Units per hidden layer, input side first; [] for none.'),
  products: z
    .boolean()
    .default(true)
    .describe('Adds the elementwise product of every query field with every candidate field to the input.'),
  activation,
};

type CrossedSidesParams = z.output<z.ZodObject<typeof crossedSidesParams>>;

/**
 * Both sides of each pair side by side, embedded through one table, and the products of their fields.
 *   x(q, c) = e_1 … e_F ‖ dense_q ‖ e'_1 … e'_G ‖ dense_c ‖ (e_f ⊙ e'_g) for all f, g
 */
export interface CrossedSides {
  readonly table: EmbeddingTable;
  readonly width: number;
  /** [pairs, width] */
  prepare(
    batches: { readonly query: SideBatch; readonly candidate: SideBatch },
    pairs: Pairs,
    lookups: Lookups,
  ): (scope: Scope) => tf.Tensor2D;
}

export function crossSides(inputs: ModelInputs<CrossedSidesParams>): CrossedSides {
  const table = sharedTable(inputs);
  const query = embedFields(inputs.query, table);
  const candidate = embedFields(inputs.candidate, table);
  const { products, embeddingDim: dim } = inputs.params;
  const numProducts = products ? query.names.length * candidate.names.length : 0;
  return {
    table,
    width: query.flatWidth + candidate.flatWidth + numProducts * dim,
    prepare(batches, { queryOf, candidateOf }, lookups) {
      const ofQuery = query.prepare(batches.query, lookups);
      const ofCandidate = candidate.prepare(batches.candidate, lookups);
      const perQuery = candidateOf.length / queryOf.length;
      const queryRows = new Int32Array(candidateOf.length);
      for (let pair = 0; pair < queryRows.length; pair++)
        queryRows[pair] = queryOf[Math.floor(pair / perQuery)] as number;
      return (scope) => {
        const [left, right] = [ofQuery(scope), ofCandidate(scope)];
        const sides = [
          tf.gather(flatten(left), tf.tensor1d(queryRows, 'int32')), // [pairs, query width]
          tf.gather(flatten(right), tf.tensor1d(candidateOf, 'int32')), // [pairs, candidate width]
        ];
        if (numProducts === 0 || left.fields === null || right.fields === null) return tf.concat(sides, 1);
        const cross = fieldProducts(left.fields, right.fields, { leftOf: queryRows, rightOf: candidateOf });
        return tf.concat([...sides, cross], 1);
      };
    },
  };
}

/** A number per pair as a row per query. @shape column [pairs, 1] -> [queries, candidates per query] */
export function perQuery(column: tf.Tensor2D, { queryOf, candidateOf }: Pairs): tf.Tensor2D {
  const width = queryOf.length === 0 ? 0 : candidateOf.length / queryOf.length;
  return tf.reshape(column, [queryOf.length, width]);
}
