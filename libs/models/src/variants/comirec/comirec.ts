import {
  createParameter,
  denseLayers,
  glorotUniform,
  productsByPosition,
  routeToCapsules,
  tf,
  type Scope,
} from '@towerbench/engine';
import { z } from 'zod';
import {
  interestModel,
  interestParams,
  selectByTarget,
  type HistoryShape,
  type InterestExtractor,
} from '../../blocks/interests.js';
import { maskedSoftmax } from '../../blocks/masked-softmax.js';
import { defineModel } from '../../contract.js';
import { controllableAggregation } from './controllable-aggregation.js';

const params = z.strictObject({
  ...interestParams,
  extractor: z
    .enum(['sa', 'dr'])
    .default('dr')
    .describe(
      'How interests are read: `sa` self-attention over the history, `dr` dynamic routing with a transform per position.',
    ),
  routingIterations: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe('r of `dr`: how often capsules and routing weights are computed; `sa` has none.'),
  diversity: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'λ of controllable aggregation: what every earlier item of another category adds to an item of a list; 0 lists by score alone. For datasets that name a category of each item.',
    ),
});

/**
 * Several interests per user, by self-attention or by dynamic routing.
 *   sa:  A = softmax_t(tanh((H + P) W1) W2)^T,  V = A H
 *   dr:  û_kt = h_t W_kt;  r times, from b = 0:  w_kt = softmax_k(b_kt),  c_k = squash(Σ_t w_kt û_kt),  b_kt += ⟨û_kt, c_k⟩;  V = c
 *   v_k = MLP([V_k ‖ profile]),  training: v_u = v_k with k = argmax_k ⟨v_k, v_target⟩,  score = max_k ⟨v_k, v_i⟩
 * Lists are made by controllable aggregation, see `controllableAggregation`.
 * Position t is counted from the end of the history (0 is the most recent item), so P and W mean the same however much padding follows.
 * The choice k and the weights w are constants of the step: the gradient goes through the last capsules alone.
 *
 * @shape H [batch, T, D], P [T, D], W1 [D, 4D], W2 [4D, K], W [K, T·D, D], V [batch, K, D]
 * @source Cen et al. 2020, "Controllable Multi-Interest Framework for Recommendation", doi:10.1145/3394486.3403344
 * @deviation The paper has no layers after the interests and no profile; `hidden_units: []`, `output_dim: null` and no other feature of
 *   the user is the paper.
 * @deviation The published code counts positions from the oldest item that is kept.
 */
export const definition = defineModel({
  name: 'comirec',
  revision: 1,
  summary: 'Several vectors per user: self-attention or dynamic routing over the positions of the history.',
  reference: {
    title: 'Controllable Multi-Interest Framework for Recommendation',
    year: 2020,
    url: 'https://doi.org/10.1145/3394486.3403344',
  },
  params,
  build(inputs) {
    const { extractor, numInterests, routingIterations, embeddingStd, diversity } = inputs.params;
    const model = interestModel(
      inputs,
      (shape) =>
        extractor === 'sa'
          ? selfAttention({ ...shape, numInterests, embeddingStd })
          : dynamicRouting({ ...shape, numInterests, routingIterations }),
      (_scope, examples) => selectByTarget(examples),
    );
    return diversity === 0 ? model : { ...model, aggregate: controllableAggregation(inputs.data, diversity) };
  },
});

function selfAttention({
  history: { length },
  dim,
  rng,
  numInterests,
  embeddingStd,
}: HistoryShape & { readonly numInterests: number; readonly embeddingStd: number }): InterestExtractor {
  const units = 4 * dim;
  const draw = rng.fork('positions');
  const positions = createParameter('query/positions', [length, dim], () => draw.normal() * embeddingStd);
  const hidden = createParameter(
    'query/attention/hidden',
    [dim, units],
    glorotUniform({ fanIn: dim, fanOut: units, rng: rng.fork('hidden') }),
  );
  const heads = createParameter(
    'query/attention/heads',
    [units, numInterests],
    glorotUniform({ fanIn: units, fanOut: numInterests, rng: rng.fork('heads') }),
  );
  return {
    parameters: [positions, hidden, heads],
    activeInterests: () => null,
    prepare:
      ({ size }, mask) =>
      (scope: Scope, entries: tf.Tensor3D) => {
        const placed = tf.add(entries, scope.value(positions)); // [batch, T, D]
        const scores = denseLayers(tf.reshape<tf.Rank.R2>(placed, [size * length, dim]), [
          { kernel: scope.value(hidden) as tf.Tensor2D, bias: tf.zeros([units]), activation: 'tanh' },
          { kernel: scope.value(heads) as tf.Tensor2D, bias: tf.zeros([numInterests]), activation: 'linear' },
        ]);
        const weights = maskedSoftmax(
          tf.transpose<tf.Tensor3D>(tf.reshape(scores, [size, length, numInterests]), [0, 2, 1]), // [batch, K, T]
          tf.tensor3d(mask, [size, 1, length]),
        );
        return tf.matMul(weights, entries);
      },
  };
}

function dynamicRouting({
  history: { length },
  dim,
  rng,
  numInterests,
  routingIterations,
}: HistoryShape & { readonly numInterests: number; readonly routingIterations: number }): InterestExtractor {
  const transforms = createParameter(
    'query/transforms',
    [numInterests, length * dim, dim],
    glorotUniform({ fanIn: dim, fanOut: dim, rng: rng.fork('transforms') }),
  );
  return {
    parameters: [transforms],
    activeInterests: () => null,
    prepare:
      ({ size }) =>
      (scope: Scope, entries: tf.Tensor3D): tf.Tensor3D =>
        routeToCapsules(
          productsByPosition(entries, scope.value(transforms) as tf.Tensor3D), // û, [batch, T, K, D]
          tf.zeros([size, length, numInterests]),
          routingIterations,
        ),
  };
}
