import { z } from 'zod';
import { crossedSidesParams, crossSides, perQuery } from '../../blocks/crossed-sides.js';
import { mlp } from '../../blocks/linear.js';
import { defineModel } from '../../contract.js';

const params = z.strictObject(crossedSidesParams);

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
    const sides = crossSides(inputs);
    const layers = mlp({
      name: 'ranker',
      inputDim: sides.width,
      hiddenUnits: params.hiddenUnits,
      outputDim: 1,
      activation: params.activation,
      rng: rng.fork('ranker'),
    });
    return {
      kind: 'ranker',
      retrieval: 'exhaustive',
      parameters: layers.parameters,
      tables: [sides.table],
      prepare(batches, pairs, lookups) {
        const x = sides.prepare(batches, pairs, lookups);
        return (scope) => perQuery(layers.apply(scope, x(scope)), pairs);
      },
    };
  },
});
