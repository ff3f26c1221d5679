import { sigmoidCrossEntropy, tf } from '@towerbench/engine';
import { z } from 'zod';
import { defineLoss } from '../../contract.js';
import { createTemperature, temperatureParams } from '../../temperature.js';
import { leads, pairWeights } from '../../triplet.js';

const params = z.strictObject({ ...temperatureParams, temperature: temperatureParams.temperature.default(1) });

/**
 * Bayesian personalised ranking: how sure the model is that the positive beats a negative.
 *   L = mean( softplus((s⁻ − s⁺) / τ) ) over all pairs of a positive and one of its negatives
 *
 * @shape scores [batch, 1 + numNegatives]
 * @returns nats, mean over the pairs; a negative that is the positive's own item counts 0
 * @source Rendle et al. 2009, "BPR: Bayesian Personalized Ranking from Implicit Feedback", arXiv:1205.2618
 * @deviation The paper's L2 term is `optimizer.weight_decay`. Its one negative per positive is `sampler.num_negatives: 1`.
 * @numerics softplus(x) = max(x, 0) + log(1 + e^−|x|)
 */
export const definition = defineLoss({
  name: 'bpr',
  revision: 1,
  summary: 'The positive is to beat each of its negatives: a logistic loss of the difference of scores.',
  reference: {
    title: 'BPR: Bayesian Personalized Ranking from Implicit Feedback',
    year: 2009,
    url: 'https://arxiv.org/abs/1205.2618',
  },
  params,
  layout: 'pairs',
  labelled: false,
  build({ params: of }) {
    const temperature = createTemperature(of);
    return {
      layout: 'pairs',
      parameters: temperature.parameters,
      logits: null,
      apply(scope, scores, batch) {
        const x = tf.div<tf.Tensor2D>(leads(scores, batch), temperature.value(scope)); // [batch, numNegatives]
        return { loss: sigmoidCrossEntropy(x, new Float32Array(x.size), pairWeights(batch)) };
      },
    };
  },
});
