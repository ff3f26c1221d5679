import { createParameter, glorotUniform, offTape, routeToCapsules, tf } from '@towerbench/engine';
import type { SideBatch } from '@towerbench/data';
import { z } from 'zod';
import { column } from '../../blocks/fields.js';
import {
  interestModel,
  interestParams,
  selectByTarget,
  targetProducts,
  type HistoryShape,
  type InterestExtractor,
} from '../../blocks/interests.js';
import { maskedSoftmax } from '../../blocks/masked-softmax.js';
import { defineModel, type MultiInterestModel } from '../../contract.js';
import { initialLogits, routingInits } from './initial-logits.js';

/** From this power on, label-aware attention is the choice of the largest product. */
const HARD = 100;
/** Least magnitude of a product under a power, whose derivative at 0 may be infinite. */
const LEAST = 1e-6;

const params = z.strictObject({
  ...interestParams,
  routingIterations: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe('r: how often capsules and routing weights are computed.'),
  routingInit: z
    .enum(routingInits)
    .default('normal')
    .describe('How routing begins. With `zero` all capsules stay equal, which shows what the random start is for.'),
  routingStd: z.number().positive().default(1).describe('σ: standard deviation of the initial routing logits.'),
  dynamicInterests: z
    .boolean()
    .default(true)
    .describe('Whether a user with n items in the history has max(1, min(K, ⌊log2 n⌋)) interests; otherwise K.'),
  power: z
    .number()
    .min(0)
    .default(HARD)
    .describe(
      'p of label-aware attention: 0 averages the interests, 100 and more takes the one that fits the target best.',
    ),
});

/**
 * Several interests per user by dynamic routing from behaviours to capsules.
 *   u_i = e_i S;   r times:  w_ij = softmax_j(b_ij),  z_j = Σ_i w_ij u_i,  c_j = squash(z_j),  b_ij += ⟨c_j, u_i⟩
 *   v_j = MLP([c_j ‖ profile]),   training: v_u = Σ_j softmax_j(sign(x_j)·|x_j|^p) v_j, x_j = ⟨v_j, v_target⟩;   score = max_j ⟨v_j, v_i⟩
 * The softmax of routing is over the capsules; padding adds nothing, because its u is zero. The weights w are constants of the step: the
 * gradient goes through the last z alone, so nothing is learned through iterations 1 to r − 1.
 *
 * @shape e [batch, length, D], S [D, D], w and b [batch, length, K], c [batch, K, D], v [batch, K, d]
 * @source Li et al. 2019, "Multi-Interest Network with Dynamic Routing for Recommendation at Tmall", doi:10.1145/3357384.3357814
 * @deviation Initial logits are seeded per user and item and the same when serving, see `initialLogits`; the paper draws them anew.
 * @deviation The last layer is linear; the paper's are all ReLU.
 * @deviation An item is embedded by the id that the history lists; the paper averages it with side features.
 * @numerics A magnitude under 1e-6 counts as 1e-6 before it is raised to p, so that the gradient is finite for p < 1.
 */
export const definition = defineModel({
  name: 'mind',
  revision: 2,
  summary: 'Several vectors per user: dynamic routing of the history to capsules.',
  reference: {
    title: 'Multi-Interest Network with Dynamic Routing for Recommendation at Tmall',
    year: 2019,
    url: 'https://doi.org/10.1145/3357384.3357814',
  },
  params,
  build: (inputs) =>
    interestModel(
      inputs,
      (shape) => capsules(inputs.params, shape),
      (_scope, examples) => labelAwareAttention(examples, inputs.params.power),
    ),
});

function capsules(
  { numInterests, routingIterations, routingInit, routingStd, dynamicInterests }: z.output<typeof params>,
  { history, profile, dim, rng }: HistoryShape,
): InterestExtractor {
  const bilinear = createParameter(
    'query/bilinear',
    [dim, dim],
    glorotUniform({ fanIn: dim, fanOut: dim, rng: rng.fork('bilinear') }),
  );
  const logitsOf = initialLogits({
    init: routingInit,
    standardDeviation: routingStd,
    numInterests,
    history,
    profile,
    rng: rng.fork('logits'),
  });
  const activeInterests = (batch: SideBatch): Int32Array | null =>
    dynamicInterests ? interestCounts(column(batch.ids, history.name), batch.size, numInterests) : null;
  return {
    parameters: [bilinear],
    activeInterests,
    changeItems: (scope, items) => tf.matMul(items, scope.value(bilinear)),
    prepare(batch) {
      const { size } = batch;
      const logits = logitsOf(batch, activeInterests(batch));
      return (_scope, behaviours) => {
        const length = behaviours.shape[1];
        const initial = tf.tensor3d(logits, [size, length, numInterests]);
        return routeToCapsules(tf.reshape(behaviours, [size, length, 1, dim]), initial, routingIterations);
      };
    },
  };
}

/** max(1, min(K, ⌊log2 n⌋)) per row, n the entries that are not padding. */
export function interestCounts(ids: Int32Array, size: number, numInterests: number): Int32Array {
  const length = ids.length / size;
  return Int32Array.from({ length: size }, (_, row) => {
    let count = 0;
    for (const id of ids.subarray(row * length, (row + 1) * length)) if (id !== 0) count++;
    return Math.max(1, Math.min(numInterests, 31 - Math.clz32(count))); // clz32 is exact where log2 may round
  });
}

/** The vector that the objective trains, see `power`. @shape result [batch, dim] */
export function labelAwareAttention(
  examples: Parameters<MultiInterestModel['readout']>[1],
  power: number,
): tf.Tensor2D {
  if (power >= HARD) return selectByTarget(examples);
  const { interests, targets, active } = examples;
  const [batch, numInterests, dim] = interests.shape;
  const mask = tf.tensor2d(
    Float32Array.from({ length: batch * numInterests }, (_, at) =>
      at % numInterests < (active?.[Math.floor(at / numInterests)] ?? numInterests) ? 1 : 0,
    ),
    [batch, numInterests],
  );
  const products = targetProducts(interests, targets);
  const weights = maskedSoftmax(power === 0 ? tf.zerosLike(products) : signedPower(products, power), mask);
  return tf.reshape(tf.matMul(tf.reshape(weights, [batch, 1, numInterests]), interests), [batch, dim]);
}

/** sign(x)·|x|^p, so that an even power keeps the order of negative products and a fractional one is a number. */
function signedPower(x: tf.Tensor2D, power: number): tf.Tensor2D {
  return power === 1
    ? x
    : tf.mul<tf.Tensor2D>(
        offTape(() => tf.sign(x)),
        tf.pow(tf.maximum(tf.abs(x), LEAST), power),
      );
}
