import { pairLabels, sigmoidCrossEntropy, tf, type Scope } from '@towerbench/engine';
import { z } from 'zod';
import { crossedSidesParams, crossSides, perQuery } from '../../blocks/crossed-sides.js';
import { mlp } from '../../blocks/linear.js';
import { defineModel, type PrepareScores } from '../../contract.js';

const params = z.strictObject({
  ...crossedSidesParams,
  hiddenUnits: crossedSidesParams.hiddenUnits.describe(
    'Units per hidden layer that both heads share, input side first; [] for none.',
  ),
  headUnits: z
    .array(z.int().positive())
    .default([])
    .describe('Units per hidden layer of each head, input side first; [] for none.'),
  clickWeight: z
    .number()
    .min(0)
    .default(1)
    .describe('What the cross-entropy of the clicks counts beside the objective; at 0 only the product is learned.'),
});

/**
 * A ranking model of clicks and of what follows a click: two heads on one bottom over the features of both sides.
 *   h = MLP(x(q, c)),   a = head_click(h),   d = head_duration(h)
 *   p_click = σ(a),   p_long|click = σ(d),   p = p_click · p_long|click
 *   s = log p − log(1 − p) = −log(e^−a + e^−d + e^−(a + d))
 * Its score s is the log-odds of a click that lasts; the objective trains it on such clicks, `objective: {type: bce, label: duration > 50,
 * bias: false}`, so that what lasts is learned from all rows and not only from those that were clicked. The loss of the clicks is added:
 *   L = L_objective(s, long) + w · mean BCE(a, click)
 *
 * @shape score [size, candidates per query]
 * @source Zhao et al. 2021, "Distillation based Multi-task Learning: A Candidate Generation Model for Improving Reading Duration",
 * arXiv:2102.07142; the product of two probabilities is that of Ma et al. 2018, arXiv:1804.07931
 * @deviation The bottom is one MLP; the paper mixes experts.
 * @numerics s is a log-sum-exp, so it stays finite where p is 0 or 1 in float32.
 */
export const definition = defineModel({
  name: 'multi-task-ranker',
  revision: 1,
  summary: 'Two heads, click and duration, over query and candidate features together; scores by their product.',
  reference: {
    title: 'Distillation based Multi-task Learning: A Candidate Generation Model for Improving Reading Duration',
    year: 2021,
    url: 'https://arxiv.org/abs/2102.07142',
  },
  params,
  isRanker: true,
  build(inputs) {
    const { params, rng } = inputs;
    const sides = crossSides(inputs);
    const bottom = mlp({
      name: 'bottom',
      inputDim: sides.width,
      hiddenUnits: params.hiddenUnits,
      outputDim: null,
      activation: params.activation,
      rng: rng.fork('bottom'),
    });
    const [click, duration] = ['click', 'duration'].map((name) =>
      mlp({
        name,
        inputDim: bottom.outputDim,
        hiddenUnits: params.headUnits,
        outputDim: 1,
        activation: params.activation,
        rng: rng.fork(name),
      }),
    ) as [ReturnType<typeof mlp>, ReturnType<typeof mlp>];

    /** The score and the log-odds of a click, of each pair. */
    const prepareHeads = (...[batches, pairs, lookups]: Parameters<PrepareScores>) => {
      const x = sides.prepare(batches, pairs, lookups);
      return (scope: Scope) => {
        const h = bottom.apply(scope, x(scope)); // [pairs, hidden]
        const a = click.apply(scope, h); // [pairs, 1]
        return { scores: perQuery(logOddsOfProduct(a, duration.apply(scope, h)), pairs), click: perQuery(a, pairs) };
      };
    };
    return {
      kind: 'ranker',
      retrieval: 'exhaustive',
      parameters: [bottom, click, duration].flatMap(({ parameters }) => parameters),
      tables: [sides.table],
      prepare(...inputs) {
        const heads = prepareHeads(...inputs);
        return (scope) => heads(scope).scores;
      },
      prepareTraining(batches, pairs, labels, lookups) {
        const heads = prepareHeads(batches, pairs, lookups);
        return (scope) => {
          const { scores, click } = heads(scope);
          const { y } = pairLabels({ size: pairs.queryOf.length, numPairs: pairs.candidateOf.length, labels });
          return { scores, terms: { click: { weight: params.clickWeight, value: sigmoidCrossEntropy(click, y) } } };
        };
      },
    };
  },
});

/** Log-odds of σ(a) σ(d). @shape a, d [pairs, 1] -> [pairs, 1] */
function logOddsOfProduct(a: tf.Tensor2D, d: tf.Tensor2D): tf.Tensor2D {
  return tf.neg(tf.logSumExp(tf.neg(tf.concat([a, d, tf.add(a, d)], 1)), 1, true));
}
