import { tf } from '@towerbench/engine';
import { z } from 'zod';
import { mlpTowers, towerParams } from '../../blocks/towers.js';
import { defineModel } from '../../contract.js';
import { createExcitation, excitationActivations, granularities, squeezes } from './excitation.js';

const params = z.strictObject({
  ...towerParams,
  reduction: z.number().min(1).default(1).describe('r: the gate has max(1, ⌊fields / r⌋) hidden units.'),
  squeeze: z.enum(squeezes).default('mean').describe('What a field is summarised by before the gate.'),
  excitation: z
    .enum(excitationActivations)
    .default('2*sigmoid')
    .describe('Output activation of the gate. `relu` is the paper; it can switch a field off for good.'),
  granularity: z.enum(granularities).default('field').describe('One weight per field, or one per embedding dimension.'),
  skip: z.boolean().default(false).describe('Adds the unweighted fields: V = E + A·E.'),
});

/**
 * DSSM whose towers first weigh their fields by an input-dependent gate.
 *   z_f = squeeze(E_f),  A = σ2(relu(z W1) W2),  V_f = A_f · E_f,  tower = MLP(flatten(V))
 * A side with a single field has nothing to weigh and is left as it is; dense features pass by the gate.
 *
 * @shape E, V [batch, F, D]; A [batch, F, 1] or [batch, F, D]
 * @source Huang et al. 2019, "FiBiNET", doi:10.1145/3298689.3347043; gate options as in EasyRec's FiBiNET++ and keras SENet
 * @deviation The paper's excitation is ReLU with r = 3; the default here is 2·sigmoid with r = 1, because a ReLU gate often
 *   dies and then stays at zero.
 */
export const definition = defineModel({
  name: 'senet',
  revision: 1,
  summary: 'Two MLP towers whose fields are re-weighted by a squeeze-and-excitation gate.',
  reference: {
    title: 'FiBiNET: Combining Feature Importance and Bilinear feature Interaction',
    year: 2019,
    url: 'https://doi.org/10.1145/3298689.3347043',
  },
  params,
  build: (inputs) =>
    mlpTowers(inputs, (side, { names, dim }, rng) => {
      if (names.length < 2) return null;
      const gate = createExcitation({ ...inputs.params, name: `${side}/senet`, numFields: names.length, dim, rng });
      return {
        parameters: gate.parameters,
        apply(scope, { fields, dense }) {
          if (fields === null) return { fields, dense };
          const weighted = tf.mul<tf.Tensor3D>(fields, gate.weights(scope, fields)); // [batch, F, D]
          return { fields: inputs.params.skip ? tf.add<tf.Tensor3D>(fields, weighted) : weighted, dense };
        },
        weights: (scope, fields) => tf.mean<tf.Tensor2D>(gate.weights(scope, fields), 2), // of a field's dimensions
      };
    }),
});
