import { createParameter, l2Normalize, tf, type EmbeddingTable, type Parameter } from '@towerbench/engine';
import { z } from 'zod';
import { featuresRead, sharedTable, towerParams } from '../../blocks/towers.js';
import { defineModel, type Tower } from '../../contract.js';
import { buildPair, towerKinds, type EncoderPair } from './kinds.js';

const params = z.strictObject({
  ...towerParams,
  towers: z
    .array(z.enum(towerKinds))
    .min(1)
    .refine((kinds) => new Set(kinds).size === kinds.length, 'a kind of tower can be listed once')
    .default(['mlp', 'fm'])
    .describe('The towers that stand side by side on each side, in the order of the vector.'),
  outputDim: z.int().positive().default(32).describe('Width of the vectors of mlp, dcn and cin; fm has embedding_dim.'),
  normalize: z.boolean().default(false).describe("Whether each tower's vector is L2-normalised before the fusion."),
  fusion: z
    .enum(['dimensions', 'towers', 'none'])
    .default('dimensions')
    .describe(
      'What the logistic regression learns: a weight per dimension, one per tower, or nothing (the plain sum).',
    ),
  sharedEmbeddings: z
    .boolean()
    .default(false)
    .describe('Whether all towers but ffm read one embedding table; otherwise each has its own.'),
  crossLayers: z.int().positive().default(3).describe('dcn: cross layers before its MLP.'),
  cinUnits: z.array(z.int().positive()).min(1).default([16]).describe('cin: feature maps per layer.'),
  ffmDim: z
    .int()
    .positive()
    .default(4)
    .describe('ffm: width of an embedding of a field for one field of the other side.'),
  itemTerms: z
    .boolean()
    .default(true)
    .describe("fm: adds the item's own terms, first order and pairs of its fields, as one more dimension."),
});

/**
 * Towers of several kinds side by side; a logistic regression weighs their matches.
 *   logit = Σ_k w_kᵀ (u_k ⊙ v_k),  served as ⟨[w_1 ⊙ u_1; …], [v_1; …]⟩, one dot product of width Σ d_k
 * The bias of the regression is the objective's. `w` starts at 1, where the logit is the sum of the towers' dot products.
 *
 * @shape u, v [batch, Σ d_k]
 * @source "Parallel two-tower" recall as described for Tencent's feed; no paper gives its equations, these are the usual reading
 */
export const definition = defineModel({
  name: 'parallel-towers',
  revision: 1,
  summary: 'MLP, DCN, FM, FFM and CIN towers side by side, their matches weighed by a logistic regression.',
  params,
  build(whole) {
    const inputs = { ...whole, ...featuresRead(whole) };
    const { params, rng } = inputs;
    const common = params.sharedEmbeddings ? sharedTable(inputs) : null;
    const pairs = params.towers.map((kind): EncoderPair => {
      const own = rng.fork(kind);
      const table = (): EmbeddingTable => common ?? sharedTable({ ...inputs, rng: own }, `${kind}/embeddings`);
      return buildPair(kind, { ...inputs, rng: own, table });
    });
    const weights = params.towers.map((kind, k): Parameter | null => {
      const { dim } = pairs[k] as EncoderPair;
      if (params.fusion === 'none') return null;
      return createParameter(`fusion/${kind}/scale`, [params.fusion === 'towers' ? 1 : dim], () => 1);
    });

    const side = (name: 'query' | 'candidate'): Tower => ({
      dim: pairs.reduce((sum, { dim }) => sum + dim, 0),
      prepare(batch, lookups) {
        const runs = pairs.map((pair) => pair[name].prepare(batch, lookups));
        return (scope) =>
          tf.concat(
            runs.map((run, k) => {
              const vector = params.normalize ? l2Normalize(run(scope)) : run(scope); // [batch, d_k]
              const weight = weights[k] ?? null;
              return name === 'query' && weight !== null ? tf.mul<tf.Tensor2D>(vector, scope.value(weight)) : vector;
            }),
            1,
          );
      },
    });
    return {
      kind: 'towers',
      retrieval: 'dot',
      query: side('query'),
      candidate: side('candidate'),
      parameters: [...pairs.flatMap(({ parameters }) => parameters), ...weights.filter((weight) => weight !== null)],
      statistics: pairs.flatMap(({ statistics = [] }) => statistics),
      queryPerExample: pairs.some(({ queryPerExample }) => queryPerExample === true),
      tables: [...new Set(pairs.flatMap(({ tables }) => tables))],
    };
  },
});
