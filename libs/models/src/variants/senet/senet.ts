import { ConfigError, type ConfigIssue } from '@towerbench/config';
import { tf } from '@towerbench/engine';
import { z } from 'zod';
import { featuresRead, mlpTowers, mlpTowersParams } from '../../blocks/towers.js';
import { defineModel, type ModelInputs } from '../../contract.js';
import { createExcitation, excitationActivations, gates, granularities, squeezes } from './excitation.js';

const params = z.strictObject({
  ...mlpTowersParams,
  gate: z
    .enum(gates)
    .default('squeeze')
    .describe(
      'What the gate reads: `squeeze` a summary of every field, `lhuc` the fields of `gate_features`, `ppnet` these and a copy of all ' +
        'fields that it does not train.',
    ),
  gateFeatures: z
    .array(z.string())
    .default([])
    .describe('Features that the gate of their side reads, for `lhuc` and `ppnet`; a side without one has no gate.'),
  reduction: z.number().min(1).default(1).describe('r: a gate that reads Z numbers has max(1, ⌊Z / r⌋) hidden units.'),
  squeeze: z.enum(squeezes).default('mean').describe('What a field is summarised by before the gate.'),
  groups: z.int().min(1).default(1).describe('g: how many parts of a field are summarised one by one.'),
  excitation: z
    .enum(excitationActivations)
    .default('2*sigmoid')
    .describe('Output activation of the gate. `relu` is the paper; it can switch a field off for good.'),
  granularity: z.enum(granularities).default('field').describe('One weight per field, or one per embedding dimension.'),
  skip: z.boolean().default(false).describe('Adds the unweighted fields: V = E + A·E.'),
});

/**
 * DSSM whose towers first weigh their fields by an input-dependent gate.
 *   A = σ2(relu(z W1) W2),  V_f = A_f · E_f,  tower = MLP(flatten(V))
 * with z what `gate` reads: a summary of every field (SENet), named fields (LHUC), or these and all fields without learning through them
 * (PPNet). A side with a single field has nothing to weigh and is left as it is; dense features pass by the gate.
 *
 * @shape E, V [batch, F, D]; A [batch, F, 1] or [batch, F, D]
 * @source Huang et al. 2019, "FiBiNET", doi:10.1145/3298689.3347043; gate options as in EasyRec's FiBiNET++ and keras SENet; Swietojanski
 *   et al. 2016, "Learning Hidden Unit Contributions", arXiv:1601.02828; Chang et al. 2023, "PEPNet", arXiv:2302.01115
 * @deviation The paper's excitation is ReLU with r = 3; the default here is 2·sigmoid with r = 1, because a ReLU gate often
 *   dies and then stays at zero.
 * @deviation LHUC and PPNet weigh hidden units, here they weigh the fields, as PEPNet's EPNet does; all have a hidden layer of ReLU.
 * @throws {ConfigError} when `gate` and `gate_features` do not fit each other or the features, or `groups` does not divide embedding_dim
 */
export const definition = defineModel({
  name: 'senet',
  revision: 2,
  summary:
    'Two MLP towers whose fields are re-weighted by a squeeze-and-excitation gate, or one that reads named fields.',
  reference: {
    title: 'FiBiNET: Combining Feature Importance and Bilinear feature Interaction',
    year: 2019,
    url: 'https://doi.org/10.1145/3298689.3347043',
  },
  params,
  build(inputs) {
    refuseUnfit(inputs);
    const { gate: kind, gateFeatures, skip } = inputs.params;
    return mlpTowers(inputs, (side, { names, dim }, rng) => {
      const named = [...names.keys()].filter((place) => gateFeatures.includes(names[place] as string));
      if (names.length < 2 || (kind !== 'squeeze' && named.length === 0)) return null;
      const gate = createExcitation({
        ...inputs.params,
        name: `${side}/senet`,
        numFields: names.length,
        dim,
        named,
        rng,
      });
      return {
        parameters: gate.parameters,
        apply(scope, { fields, dense }) {
          if (fields === null) return { fields, dense };
          const weighted = tf.mul<tf.Tensor3D>(fields, gate.weights(scope, fields)); // [batch, F, D]
          return { fields: skip ? tf.add<tf.Tensor3D>(fields, weighted) : weighted, dense };
        },
        weights: (scope, fields) => tf.mean<tf.Tensor2D>(gate.weights(scope, fields), 2), // of a field's dimensions
      };
    });
  },
});

function refuseUnfit(inputs: ModelInputs<z.output<typeof params>>): void {
  const { gate, gateFeatures, groups, embeddingDim } = inputs.params;
  const { query, candidate } = featuresRead(inputs);
  const names = [query, candidate].flatMap(({ ids, sequences }) => [...ids, ...sequences].map(({ name }) => name));
  const issues: ConfigIssue[] = gateFeatures.flatMap((name, index) =>
    names.includes(name)
      ? []
      : {
          code: 'gate-features',
          path: `model.gate_features[${index}]`,
          message: `neither side has a field "${name}"`,
          received: name,
          allowed: [...new Set(names)].join(', '),
        },
  );
  if ((gate === 'squeeze') !== (gateFeatures.length === 0)) {
    issues.push({
      code: 'gate-features',
      path: 'model.gate_features',
      message:
        gate === 'squeeze' ? 'a gate that squeezes reads every field' : `${gate} needs the fields that its gate reads`,
      received: gateFeatures.join(', '),
      allowed: gate === 'squeeze' ? 'nothing; or with gate: lhuc or ppnet' : [...new Set(names)].join(', '),
    });
  }
  if (embeddingDim % groups !== 0) {
    issues.push({
      code: 'groups',
      path: 'model.groups',
      message: `${groups} groups do not divide the ${embeddingDim} dimensions of an embedding`,
      received: String(groups),
      allowed: 'a divisor of model.embedding_dim',
    });
  }
  if (issues.length > 0) throw new ConfigError(issues);
}
