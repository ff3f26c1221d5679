import { z } from 'zod';
import { mlpTowers, mlpTowersParams } from '../../blocks/towers.js';
import { defineModel } from '../../contract.js';

/**
 * The base two-tower model, in its recommender form: each side embeds its features, runs an MLP and gives one vector.
 *   u = norm(MLP_q(concat(e_1 … e_F, mean(e_history), dense))),  v = norm(MLP_c(…)),  s = ⟨u, v⟩
 * Temperature, sampling correction and loss belong to the objective.
 *
 * @shape u, v [batch, outputDim]
 * @source Huang et al. 2013, "Learning Deep Structured Semantic Models", doi:10.1145/2505515.2505665
 * @deviation Text trigrams are replaced by feature embeddings, as every recommender use of the model does; towers do not share weights.
 */
export const definition = defineModel({
  name: 'dssm',
  revision: 1,
  summary: 'Two MLP towers over embedded features; with no hidden layers and no output layer, an id lookup.',
  reference: {
    title: 'Learning Deep Structured Semantic Models for Web Search using Clickthrough Data',
    year: 2013,
    url: 'https://doi.org/10.1145/2505515.2505665',
  },
  params: z.strictObject(mlpTowersParams),
  build: (inputs) => mlpTowers(inputs),
});
