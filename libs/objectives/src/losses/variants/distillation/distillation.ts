import { createParameter, logSoftmax, pairLabels, sigmoidCrossEntropy, tf } from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss, type LossBatch } from '../../contract.js';
import { labelParams } from '../../label.js';
import { logExpectedCounts } from '../../sampling-probability.js';
import { createTemperature, temperatureParams } from '../../temperature.js';

const params = z.strictObject({
  ...temperatureParams,
  temperature: temperatureParams.temperature.default(1),
  bias: z.boolean().default(true).describe('Adds one learned number to every logit of the student.'),
  teacherNoise: z
    .number()
    .min(0)
    .default(0)
    .describe("Standard deviation of what is added to the teacher's log-odds, once for each pair."),
  form: z
    .enum(['pointwise', 'pointwise-mse', 'pairwise', 'listwise'])
    .default('pointwise')
    .describe(
      'Whether the student imitates log-odds, their squared distance, their differences, or the softmax of a list.',
    ),
  candidates: z
    .enum(['labelled', 'exposed', 'unlabelled', 'all'])
    .default('unlabelled')
    .describe(
      'What it imitates the teacher on: the items of the rows, what their users were shown and did not click, the items drawn beside them, or all of these.',
    ),
  softTemperature: z
    .number()
    .min(0.1)
    .max(100)
    .default(1)
    .describe(
      'T: log-odds are divided by it before they are compared; the loss is multiplied by T², as its gradient shrinks so.',
    ),
  softWeight: z
    .number()
    .min(0)
    .max(1)
    .default(0.7)
    .describe('λ: share of the imitation; the rest learns from the labels of the rows.'),
  ...labelParams,
});

type Params = z.output<typeof params>;

/**
 * Distillation of a teacher's log-odds z into a student's, s = score / τ + b, beside the labels.
 *   L = (1 − λ) L_hard + λ L_soft
 *   L_hard         mean BCE of the labels; where all rows are positives, of these and of what was drawn, as `bce`
 *   pointwise      T² · mean BCE(s / T, σ(z / T))
 *   pointwise-mse  mean (s − z)²
 *   pairwise       mean over pairs i < j of a row's candidates of BCE(s_i − s_j, σ((z_i − z_j) / T))
 *   listwise       T² · mean over rows of KL(softmax(z / T − log q) ‖ softmax(s / T − log q)), q the sampling probability where known
 * The teacher is constant: nothing is learned through z.
 *
 * @shape scores, teacher [size, 1 + numNegatives]
 * @returns nats, but for `pointwise-mse`; a row's weight counts in L_hard alone
 * @source Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531
 * @deviation `pairwise` compares undivided differences of the student, so with T ≠ 1 it learns z / T.
 * @numerics Soft labels are computed in float64 and rounded once.
 */
export const definition = defineLoss({
  name: 'distillation',
  revision: 1,
  summary: "Imitates a teacher's scores of pairs, pointwise, pairwise or as a list, beside the labels.",
  reference: {
    title: 'Distilling the Knowledge in a Neural Network',
    year: 2015,
    url: 'https://arxiv.org/abs/1503.02531',
  },
  params,
  layout: 'pairs',
  labelled: true,
  leastDrawn: ({ form, candidates }) => {
    const least = form === 'pairwise' || form === 'listwise' ? 2 : 1;
    if (candidates === 'labelled') return least === 1 ? { least: 0, by: ['numNegatives'] } : null;
    if (candidates === 'all') return { least: least - 1, by: ['numNegatives', 'numExposed'] };
    return { least, by: [candidates === 'exposed' ? 'numExposed' : 'numNegatives'] };
  },
  teacherNoise: ({ teacherNoise }) => teacherNoise,
  label: ({ label }) => label,
  build({ params: of }) {
    const temperature = createTemperature(of);
    const bias = of.bias ? createParameter('objective/bias', [], () => 0) : null;
    return {
      layout: 'pairs',
      parameters: [...temperature.parameters, ...(bias === null ? [] : [bias])],
      logits: (scores) => {
        const tau = temperature.current();
        const shift = bias?.values[0] ?? 0;
        return scores.map((score) => score / tau + shift);
      },
      apply(scope, scores, batch) {
        const scaled = tf.div<tf.Tensor2D>(scores, temperature.value(scope));
        const logits = bias === null ? scaled : tf.add<tf.Tensor2D>(scaled, scope.value(bias));
        const hard = hardLoss(logits, batch);
        const soft = softLoss(logits, batch, of);
        const loss = tf.add<tf.Scalar>(tf.mul(hard, 1 - of.softWeight), tf.mul(soft, of.softWeight));
        return { loss, terms: { hard, soft } };
      },
    };
  },
});

function hardLoss(logits: tf.Tensor2D, { size, labels, weights }: LossBatch): tf.Scalar {
  if (labels !== null) return sigmoidCrossEntropy(tf.slice(logits, [0, 0], [size, 1]), labels, weights);
  const { y, w } = pairLabels({ size, numPairs: logits.size, labels, weights });
  return sigmoidCrossEntropy(logits, y, w);
}

function softLoss(logits: tf.Tensor2D, batch: LossBatch, { form, candidates, softTemperature: T }: Params): tf.Scalar {
  const { size, numNegatives, numExposed = 0, teacher } = batch;
  if (teacher === undefined) throw new RangeError('distillation: there is no teacher');
  const first = candidates === 'unlabelled' ? 1 + numExposed : candidates === 'exposed' ? 1 : 0;
  const end = candidates === 'labelled' ? 1 : candidates === 'exposed' ? 1 + numExposed : 1 + numNegatives;
  const width = end - first;
  const s = tf.slice(logits, [0, first], [size, width]); // [size, width]
  const at = (row: number, k: number): number => row * (1 + numNegatives) + first + k;
  const z = Float64Array.from(
    { length: size * width },
    (_, i) => teacher[at(Math.floor(i / width), i % width)] as number,
  );
  switch (form) {
    case 'pointwise':
      return tf.mul(
        sigmoidCrossEntropy(
          tf.div(s, T),
          Float32Array.from(z, (value) => sigmoid(value / T)),
        ),
        T * T,
      );
    case 'pointwise-mse':
      return tf.mean(tf.square(tf.sub(s, tf.tensor2d(Float32Array.from(z), [size, width]))));
    case 'pairwise': {
      const pairs = Array.from({ length: width }, (_, i) =>
        Array.from({ length: i }, (_, j) => [j, i] as const),
      ).flat();
      const signs = Array.from({ length: width }, (_, k) => pairs.map(([i, j]) => (k === i ? 1 : k === j ? -1 : 0)));
      const labels = Float32Array.from({ length: size * pairs.length }, (_, n) => {
        const [i, j] = pairs[n % pairs.length] as readonly [number, number];
        const row = Math.floor(n / pairs.length) * width;
        return sigmoid(((z[row + i] as number) - (z[row + j] as number)) / T);
      });
      return sigmoidCrossEntropy(tf.matMul(s, tf.tensor2d(signs)), labels); // differences [size, pairs]
    }
    case 'listwise': {
      const logE = batch.logSamplingProbability && logExpectedCounts(batch, batch.logSamplingProbability);
      const logQ = Float64Array.from(z, (_, i) => logE?.[at(Math.floor(i / width), i % width)] ?? 0);
      const p = logProbabilities(
        z.map((value, i) => value / T - (logQ[i] as number)),
        width,
      );
      const student = logSoftmax(tf.sub(tf.div(s, T), tf.tensor2d(Float32Array.from(logQ), [size, width])));
      const teachers = tf.tensor2d(Float32Array.from(p, Math.exp), [size, width]);
      const gaps = tf.mul(teachers, tf.sub(tf.tensor2d(Float32Array.from(p), [size, width]), student));
      return tf.mul(tf.div<tf.Scalar>(tf.sum(gaps), size), T * T);
    }
  }
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Log softmax of each row. @shape values [rows, width] */
function logProbabilities(values: Float64Array, width: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let from = 0; from < values.length; from += width) {
    const row = values.subarray(from, from + width);
    const most = Math.max(...row);
    const total = Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0)) + most;
    for (const [k, value] of row.entries()) out[from + k] = value - total;
  }
  return out;
}
