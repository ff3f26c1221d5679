import { createParameter, pairLabels, sigmoidCrossEntropy, tf } from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss } from '../../contract.js';
import { labelParams } from '../../label.js';
import { createTemperature, temperatureParams } from '../../temperature.js';

const params = z.strictObject({
  ...temperatureParams,
  temperature: temperatureParams.temperature.default(1),
  bias: z
    .boolean()
    .default(true)
    .describe('Adds one learned number to every logit, so that rare positives can be met.'),
  ...labelParams,
});

/**
 * Pointwise binary cross-entropy from logits, over positives and drawn negatives, or over labelled rows.
 *   s = score / τ + b,   L = mean( w softplus(−s) for label 1, w softplus(s) for label 0 )
 * w is the weight of the row, 1 for drawn negatives.
 *
 * @shape scores [size, 1 + numNegatives]
 * @returns nats, mean over all scored pairs (not per positive)
 * @numerics softplus(s) = max(s, 0) + log(1 + e^−|s|), from logits, so no probability is ever clipped
 */
export const definition = defineLoss({
  name: 'bce',
  revision: 1,
  summary: 'Pointwise binary cross-entropy on positives and sampled negatives, or on labelled rows.',
  params,
  layout: 'pairs',
  labelled: true,
  label: ({ label }) => label,
  build({ params: { bias: hasBias, ...rest } }) {
    const temperature = createTemperature(rest);
    const bias = hasBias ? createParameter('objective/bias', [], () => 0) : null;
    return {
      layout: 'pairs',
      parameters: [...temperature.parameters, ...(bias === null ? [] : [bias])],
      logits: (scores) => {
        const tau = temperature.current();
        const shift = bias?.values[0] ?? 0;
        return scores.map((score) => score / tau + shift);
      },
      apply(scope, scores, { size, labels, weights }) {
        const scaled = tf.div<tf.Tensor2D>(scores, temperature.value(scope));
        const logits = bias === null ? scaled : tf.add<tf.Tensor2D>(scaled, scope.value(bias));
        const { y, w } = pairLabels({ size, numPairs: logits.size, labels, weights });
        return { loss: sigmoidCrossEntropy(logits, y, w) };
      },
    };
  },
});
