import { fieldProducts, tf, type Pairs, type Scope } from '@towerbench/engine';
import { z } from 'zod';
import { embedFields, flatten, type EmbeddedFields } from '../../blocks/fields.js';
import { mlp } from '../../blocks/linear.js';
import { sharedTable, towerParams } from '../../blocks/towers.js';
import { defineModel } from '../../contract.js';

const { embeddingDim, embeddingStd, hiddenUnits, activation } = towerParams;

const params = z.strictObject({
  embeddingDim,
  embeddingStd,
  hiddenUnits: hiddenUnits.describe('Units per hidden layer, input side first; [] for none.'),
  products: z
    .boolean()
    .default(true)
    .describe('Adds the elementwise product of every query field with every candidate field to the input.'),
  activation,
});

/**
 * A ranking model over cross features: one MLP sees both sides at once, so its score is no product of vectors.
 *   s(q, c) = MLP(e_1 … e_F ‖ dense_q ‖ e'_1 … e'_G ‖ dense_c ‖ (e_f ⊙ e'_g) for all f, g)
 * It cannot be searched by an index: every pair is scored by itself. As a teacher of a two-tower model it knows what that cannot say.
 *
 * @shape score [size, candidates per query]
 * @source Cheng et al. 2016, "Wide & Deep Learning for Recommender Systems", doi:10.1145/2988450.2988454
 * @deviation Products of embeddings in place of hand-made crosses of ids; without them an MLP learns a product of two ids badly.
 */
export const definition = defineModel({
  name: 'ranker-mlp',
  revision: 1,
  summary:
    'An MLP over query and candidate features together: scores pairs, has no vectors; a teacher for distillation.',
  reference: {
    title: 'Wide & Deep Learning for Recommender Systems',
    year: 2016,
    url: 'https://doi.org/10.1145/2988450.2988454',
  },
  params,
  isRanker: true,
  build(inputs) {
    const { params, rng } = inputs;
    const table = sharedTable(inputs);
    const query = embedFields(inputs.query, table);
    const candidate = embedFields(inputs.candidate, table);
    const numProducts = params.products ? query.names.length * candidate.names.length : 0;
    const layers = mlp({
      name: 'ranker',
      inputDim: query.flatWidth + candidate.flatWidth + numProducts * params.embeddingDim,
      hiddenUnits: params.hiddenUnits,
      outputDim: 1,
      activation: params.activation,
      rng: rng.fork('ranker'),
    });
    return {
      kind: 'ranker',
      retrieval: 'exhaustive',
      parameters: layers.parameters,
      tables: [table],
      prepare(batches, pairs, lookups) {
        const ofQuery = query.prepare(batches.query, lookups);
        const ofCandidate = candidate.prepare(batches.candidate, lookups);
        const perQuery = pairs.queryOf.length === 0 ? 0 : pairs.candidateOf.length / pairs.queryOf.length;
        return (scope) => {
          const x = crossed(scope, ofQuery, ofCandidate, pairs, numProducts > 0); // [pairs, inputDim]
          return tf.reshape(layers.apply(scope, x), [pairs.queryOf.length, perQuery]);
        };
      },
    };
  },
});

/** Both sides of each pair side by side, and the products of their fields. @shape result [pairs, inputDim] */
function crossed(
  scope: Scope,
  ofQuery: (scope: Scope) => EmbeddedFields,
  ofCandidate: (scope: Scope) => EmbeddedFields,
  { queryOf, candidateOf }: Pairs,
  products: boolean,
): tf.Tensor2D {
  const [query, candidate] = [ofQuery(scope), ofCandidate(scope)];
  const perQuery = candidateOf.length / queryOf.length;
  const queryRows = new Int32Array(candidateOf.length);
  for (let pair = 0; pair < queryRows.length; pair++) queryRows[pair] = queryOf[Math.floor(pair / perQuery)] as number;
  const sides = [
    tf.gather(flatten(query), tf.tensor1d(queryRows, 'int32')), // [pairs, query width]
    tf.gather(flatten(candidate), tf.tensor1d(candidateOf, 'int32')), // [pairs, candidate width]
  ];
  if (!products || query.fields === null || candidate.fields === null) return tf.concat(sides, 1);
  const cross = fieldProducts(query.fields, candidate.fields, { leftOf: queryRows, rightOf: candidateOf });
  return tf.concat([...sides, cross], 1);
}
