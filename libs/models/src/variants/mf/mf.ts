import type { PreparedData } from '@towerbench/data';
import {
  createParameter,
  logisticSteps,
  pairwiseSteps,
  type FactorTables,
  type LabelledPairs,
  type PreferredPairs,
  type Rng,
} from '@towerbench/engine';
import { z } from 'zod';
import { trainingPositives } from '../../blocks/positives.js';
import { scoresByVectors } from '../../blocks/scores-by-vectors.js';
import { defineModel, type FitProgress } from '../../contract.js';
import { shuffledExamples, TO_DRAW, type Pairs } from './epoch.js';

const params = z.strictObject({
  embeddingDim: z
    .int()
    .min(2)
    .default(16)
    .describe('d, what is stored per user and item: d − 1 numbers of a vector and a bias.'),
  embeddingStd: z
    .number()
    .positive()
    .default(0.1)
    .describe('Standard deviation of the initial vectors; biases begin at 0.'),
  loss: z
    .enum(['logistic', 'bpr'])
    .default('logistic')
    .describe(
      'What a step descends: the logistic loss of a labelled pair, or of the margin between a positive and a negative.',
    ),
  numNegatives: z
    .int()
    .positive()
    .default(8)
    .describe('Negatives per positive and epoch, drawn from all items alike, the positives of the user among them.'),
  learningRate: z.number().positive().default(0.002).describe('Step size of gradient descent; constant.'),
  regularization: z
    .number()
    .min(0)
    .default(0.005)
    .describe('λ, the weight of the squares of all numbers that a step touches.'),
  epochs: z.int().positive().default(64).describe('Passes over the positives, each in a new order with new negatives.'),
});

/** Examples that follow one another in one go, about: what moves at random then stays in the second-level cache. */
const PILE = 1 << 16;
/** Where tables are large there are more of them, as the tables are copied each time. */
const STEPS_PER_ROW = 4;

/**
 * Matrix factorisation with biases, by plain gradient descent of one example at a time.
 *   s(u, i) = b + b_u + b_i + ⟨p_u, q_i⟩
 *   logistic: L = softplus(−s) for a positive, softplus(s) for a negative;  bpr: L = softplus(s(u, j) − s(u, i))
 * and λ/2 of the squares of all that a step touches. An epoch visits every positive of the training part once, and `num_negatives`
 * negatives for each, items drawn alike from all of the catalogue; `logistic` shuffles positives and negatives together, `bpr` has a step
 * per pair of them. `train/loss` is the mean of L over the steps of an epoch, each before its step, without squares.
 *
 * @shape p [users, d − 1], q [items, d − 1]
 * @source Rendle, Krichene, Zhang and Anderson 2020, "Neural collaborative filtering vs. matrix factorization revisited",
 *   doi:10.1145/3383313.3412488 (logistic)
 * @source Rendle, Freudenthaler, Gantner and Schmidt-Thieme 2009, "BPR: Bayesian personalized ranking from implicit feedback",
 *   arXiv:1205.2618 (bpr)
 * @deviation The published code of 2020 moves an item by the user's vector that has just been moved; here both move by what was before.
 * @deviation BPR as published draws its positives with repetition and one negative for each.
 * @numerics Numbers are float32; a step rounds each of them once. On the simd engine it computes in float32, elsewhere in float64.
 */
export const definition = defineModel({
  name: 'mf',
  revision: 2,
  summary: 'Matrix factorisation with biases by gradient descent of one example at a time, logistic or BPR.',
  reference: {
    title: 'Neural Collaborative Filtering vs. Matrix Factorization Revisited',
    year: 2020,
    url: 'https://doi.org/10.1145/3383313.3412488',
  },
  params,
  build({ params, data, rng }) {
    const { embeddingDim: dim, embeddingStd, numNegatives, epochs } = params;
    const { numUsers, numItems } = data;
    const table = (name: string, rows: number) => {
      const { normal } = rng.fork(name);
      return createParameter(name, [rows, dim], (at) => (at % dim === dim - 1 ? 0 : embeddingStd * normal()));
    };
    const parameters = [
      table('users', numUsers),
      table('items', numItems),
      createParameter('bias', [1], () => 0),
    ] as const;
    const tables = (): FactorTables => {
      const [users, items, bias] = parameters;
      return { users: users.values, items: items.values, bias: bias.values, dim };
    };
    return {
      kind: 'scorer',
      retrieval: 'exhaustive',
      parameters,
      parameterCount: (numUsers + numItems) * dim + 1,
      *fit(): Iterable<FitProgress> {
        const positives = positivePairs(data);
        const isPairwise = params.loss === 'bpr';
        const perPositive = isPairwise ? { copies: numNegatives, drawn: 0 } : { copies: 1, drawn: numNegatives };
        const perEpoch = positives.users.length * (perPositive.copies + perPositive.drawn);
        const total = epochs * perEpoch;
        const size = Math.max(PILE, STEPS_PER_ROW * (numUsers + numItems));
        const trained = tables();
        const draws = rng.fork('examples');
        let done = 0;
        for (let number = 1; number <= epochs; number++) {
          let loss = 0;
          for (const examples of shuffledExamples(positives, { ...perPositive, size }, draws)) {
            if (done % perEpoch > 0) yield { done, total };
            loss += isPairwise
              ? pairwiseSteps(trained, preferred(examples, numItems, draws), params)
              : logisticSteps(trained, labelled(examples, numItems, draws), params);
            done += examples.users.length;
          }
          yield { done, total, epoch: { number, values: { loss: loss / perEpoch } } };
        }
      },
      ...scoresByVectors((users) => servedVectors(tables(), users)),
    };
  },
});

function positivePairs(data: PreparedData): Pairs {
  const { itemsOf } = trainingPositives(data);
  return {
    users: Int32Array.from(itemsOf.flatMap(({ length }, user) => new Array<number>(length).fill(user))),
    items: Int32Array.from(itemsOf.flatMap((items) => [...items])),
  };
}

/** Draws the items that are missing, in place: they are the negatives. */
function labelled({ users, items }: Pairs, numItems: number, rng: Rng): LabelledPairs {
  const labels = new Float32Array(items.length);
  for (let k = 0; k < items.length; k++) {
    if (items[k] === TO_DRAW) items[k] = rng.int(numItems);
    else labels[k] = 1;
  }
  return { users, items, labels };
}

function preferred({ users, items }: Pairs, numItems: number, rng: Rng): PreferredPairs {
  return { users, positives: items, negatives: items.map(() => rng.int(numItems)) };
}

/** Vectors whose inner products are the scores, biases included: (p_u, b + b_u, 1) and (q_i, 1, b_i), d + 1 numbers wide. */
function servedVectors({ users, items, bias, dim }: FactorTables, ofUsers: Int32Array) {
  const width = dim + 1;
  const queries = new Float32Array(ofUsers.length * width);
  for (const [row, user] of ofUsers.entries()) {
    queries.set(users.subarray(user * dim, (user + 1) * dim), row * width);
    queries[row * width + dim - 1]! += bias[0] as number;
    queries[row * width + dim] = 1;
  }
  const candidates = new Float32Array((items.length / dim) * width);
  for (let item = 0; item < items.length / dim; item++) {
    candidates.set(items.subarray(item * dim, (item + 1) * dim), item * width);
    candidates[item * width + dim] = candidates[item * width + dim - 1] as number;
    candidates[item * width + dim - 1] = 1;
  }
  return { queries, candidates, dim: width };
}
