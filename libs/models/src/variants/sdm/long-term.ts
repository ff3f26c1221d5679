import type { SideBatch } from '@towerbench/data';
import { tf, type EmbeddingTable, type Lookups, type Parameter, type Rng, type Scope } from '@towerbench/engine';
import { mlp } from '../../blocks/linear.js';
import { embedSequence } from '../../blocks/sequences.js';
import { entriesOf, type BehaviourField } from './behaviours.js';
import { createUserAttention } from './user-attention.js';

/** What makes one vector of a part of the history. */
export interface Summary {
  readonly parameters: readonly Parameter[];
  /** @shape profile [batch, profileWidth], result [batch, units]; zero where the part has no entry */
  prepare(batch: SideBatch, lookups: Lookups): (scope: Scope, profile: tf.Tensor2D | null) => tf.Tensor2D;
}

/**
 * The long-term history, field by field.
 *   z_f = Σ_k α_k g_k,  g_k the embedding of entry k of field f, α the attention of the user;   p = tanh(W concat_f(z_f) + b)
 *
 * @shape g [batch, length, dim], z [batch, dim], p [batch, units]
 */
export function createLongTerm(options: {
  readonly fields: readonly BehaviourField[];
  readonly table: EmbeddingTable;
  readonly units: number;
  readonly profileWidth: number;
  readonly rng: Rng;
}): Summary {
  const { fields, table, units, profileWidth, rng } = options;
  const attentions = fields.map(({ feature: { name } }) =>
    createUserAttention({ name: `query/long-term/${name}`, width: table.dim, profileWidth, rng: rng.fork(name) }),
  );
  const together = mlp({
    name: 'query/long-term',
    inputDim: fields.length * table.dim,
    hiddenUnits: [],
    outputDim: units,
    activation: 'tanh',
    lastActivation: 'tanh',
    rng: rng.fork('together'),
  });
  return {
    parameters: [...attentions.flatMap(({ parameters }) => parameters), ...together.parameters],
    prepare(batch, lookups) {
      const { size } = batch;
      const embedded = fields.map((field) => {
        const { feature, length } = field;
        const ids = { [feature.name]: entriesOf(batch, field) };
        return embedSequence({ ...feature, length }, table, { size, ids, dense: {} }, lookups);
      });
      const [first] = embedded as [ReturnType<typeof embedSequence>];
      const isThere = Float32Array.from({ length: size }, (_, row) =>
        Number(first.mask[(row * first.mask.length) / size]),
      ); // the latest
      return (scope, profile) => {
        const vectors = embedded.map(({ mask, embed }, f) =>
          (attentions[f] as (typeof attentions)[number]).apply(scope, embed(scope), mask, profile),
        );
        const z = vectors.length === 1 ? (vectors[0] as tf.Tensor2D) : tf.concat(vectors, 1); // [batch, fields · dim]
        return tf.mul(together.apply(scope, z), tf.tensor2d(isThere, [size, 1]));
      };
    },
  };
}
