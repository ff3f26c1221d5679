import type { Rng } from '@towerbench/engine';
import { z } from 'zod';
import { defineSampler, probabilitiesIn } from '../../contract.js';
import { perPositive, perPositiveParams } from '../../drawing.js';

/**
 * Items by their rank k of popularity, 0 the most popular, whatever their ids are.
 *   P(k) = (log(k + 2) − log(k + 1)) / log(N + 1);   distinct, found in T draws: E_k = 1 − (1 − P(k))^T
 *
 * @source "Candidate Sampling", TensorFlow: log-uniform candidate sampler
 * @deviation Ranks are counted on the training part; the source takes ids to be ranks. Each positive has draws of its own.
 * @numerics log q is computed in float64 and rounded once. Items of equal counts rank by id. With `excludePositives` log q stays that of the
 * plain draw.
 */
export const definition = defineSampler({
  name: 'log-uniform',
  revision: 1,
  summary: 'By rank of popularity, about in proportion to 1 / rank.',
  params: z.strictObject(perPositiveParams),
  layout: 'pairs',
  labelled: false,
  build({ params, data: { itemCounts, numItems } }) {
    const itemOf = Int32Array.from({ length: numItems }, (_, item) => item).sort(
      (a, b) => (itemCounts[b] as number) - (itemCounts[a] as number) || a - b,
    );
    const scale = Math.log(numItems + 1);
    const logProbability = new Float32Array(numItems);
    for (const [rank, item] of itemOf.entries()) logProbability[item] = Math.log(Math.log1p(1 / (rank + 1)) / scale);
    const draw = (rng: Rng): number => {
      const rank = Math.floor(Math.exp(rng.uniform() * scale)) - 1; // P(rank + 1 ≤ e^{u log(N + 1)} < rank + 2)
      return itemOf[Math.min(rank, numItems - 1)] as number;
    };
    return {
      numNegatives: params.numNegatives,
      logProbabilityOf: probabilitiesIn(logProbability),
      draw: perPositive(params, { numItems, drawable: numItems, draw }),
    };
  },
});
