import {
  causalAttention,
  createParameter,
  glorotUniform,
  poolRows,
  tf,
  type EmbeddingTable,
  type Parameter,
  type Rng,
  type Scope,
} from '@towerbench/engine';
import { dropout, normOfRow } from '../../blocks/between-layers.js';
import { entriesOf, presence, type BehaviourField } from './behaviours.js';
import type { Summary } from './long-term.js';
import { createLstm } from './lstm.js';
import { createUserAttention } from './user-attention.js';

/**
 * The session: what its entries say in their order, then how they hang together, then what of it concerns this user.
 *   x_t = concat_f(e_f,t);   h = LSTM(x), layers from the second on added to what they read
 *   x̂ = LayerNorm(h + MultiHead(h));   head_i = softmax(Q_i K_iᵀ / √d_head) V_i, of entry t over entries up to t;  [Q K V] = h W
 *   s = Σ_t α_t x̂_t, α the attention of the user
 * Inside, steps go from the oldest entry to the most recent one, so padding comes first.
 *
 * @shape x [steps · batch, fields · dim], h, x̂ [steps · batch, units], s [batch, units]
 */
export function createSession(options: {
  readonly fields: readonly BehaviourField[];
  readonly table: EmbeddingTable;
  readonly units: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly profileWidth: number;
  readonly rng: Rng;
}): Summary {
  const { fields, table, units, numLayers, numHeads, profileWidth, rng } = options;
  const name = 'query/session';
  const inputDim = fields.length * table.dim;
  const layers = Array.from({ length: numLayers }, (_, i) =>
    createLstm({
      name: `${name}/lstm${i}`,
      inputDim: i === 0 ? inputDim : units,
      units,
      rng: rng.fork(`lstm${i}`),
    }),
  );
  const drops = layers.map((_, i) => (options.dropout > 0 ? dropout(`${name}/dropout${i}`, options.dropout) : null));
  const heads = createHeads(`${name}/attention`, { units, numHeads, rng: rng.fork('attention') });
  const norm = normOfRow(`${name}/norm`, units);
  const user = createUserAttention({ name: `${name}/user`, width: units, profileWidth, rng: rng.fork('user') });
  const steps = (fields[0] as BehaviourField).length;
  return {
    parameters: [
      ...layers.flatMap(({ parameters }) => parameters),
      ...heads.parameters,
      ...norm.parameters,
      ...user.parameters,
    ],
    prepare(batch, lookups) {
      const { size } = batch;
      const latestFirst = fields.map((field) => entriesOf(batch, field));
      const places = fields.map(({ feature: { vocabulary } }, f) => {
        const ids = stepByStep(latestFirst[f] as Int32Array, size, steps);
        const out = new Int32Array(ids.length);
        lookups.positions(table, vocabulary, ids, out);
        return { width: 1, places: out, weights: null };
      });
      const mask = presence(oldestFirst(latestFirst[0] as Int32Array, steps)); // [batch, steps]
      const maskOfStep = presence(stepByStep(latestFirst[0] as Int32Array, size, steps)); // [steps, batch]
      return (scope, profile) => {
        const present = Array.from({ length: steps }, (_, t) =>
          tf.tensor2d(maskOfStep.subarray(t * size, (t + 1) * size), [size, 1]),
        );
        let h = tf.reshape<tf.Rank.R2>(poolRows(scope.rows(table), steps * size, places), [steps * size, inputDim]);
        for (const [i, layer] of layers.entries()) {
          const read = drops[i]?.apply(scope, h) ?? h;
          const states = layer.apply(scope, read, present); // [steps · batch, units]
          h = i === 0 ? states : tf.add(states, h);
        }
        const related = norm.apply(scope, tf.add(h, heads.apply(scope, h, mask, size)));
        const entries = tf.transpose(tf.reshape<tf.Rank.R3>(related, [steps, size, units]), [1, 0, 2]);
        return user.apply(scope, entries, mask, profile);
      };
    },
  };
}

interface Heads {
  readonly parameters: readonly Parameter[];
  /**
   * @param mask 1 where there is an entry, oldest first, [batch, steps]
   * @shape h [steps · batch, units], result alike
   */
  apply(scope: Scope, h: tf.Tensor2D, mask: Float32Array, batch: number): tf.Tensor2D;
}

/** Attention of several heads, of each entry over itself and those before it. */
function createHeads(
  name: string,
  { units, numHeads, rng }: { readonly units: number; readonly numHeads: number; readonly rng: Rng },
): Heads {
  const weights = (label: string, outputs: number): Parameter =>
    createParameter(
      `${name}/${label}`,
      [units, outputs],
      glorotUniform({ fanIn: units, fanOut: units, rng: rng.fork(label) }),
    );
  const [projections, output] = [weights('projections', 3 * units), weights('output', units)];
  return {
    parameters: [projections, output],
    apply(scope, h, mask, batch) {
      const projected = tf.matMul<tf.Tensor2D>(h, scope.value(projections)); // [steps · batch, 3 · units]
      const attended = causalAttention(projected, { batch, heads: numHeads, mask }); // [steps · batch, units]
      return tf.matMul<tf.Tensor2D>(attended, scope.value(output));
    },
  };
}

/** [batch, steps], most recent first, as [batch, steps] with the oldest first. */
function oldestFirst(ids: Int32Array, steps: number): Int32Array {
  return ids.map((_, at) => ids[at - (at % steps) + (steps - 1 - (at % steps))] as number);
}

/** [batch, steps], most recent first, as [steps, batch] with the oldest first. */
function stepByStep(ids: Int32Array, batch: number, steps: number): Int32Array {
  return ids.map((_, at) => ids[(at % batch) * steps + (steps - 1 - Math.floor(at / batch))] as number);
}
