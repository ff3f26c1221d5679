import type { Rng } from '@towerbench/engine';
import { z } from 'zod';
import { defineSampler, probabilitiesIn } from '../../contract.js';
import { MOST_TRIES, perPositive, perPositiveParams } from '../../drawing.js';
import { itemsByUser } from '../../items-by-user.js';

const params = z.strictObject({
  ...perPositiveParams,
  numNegatives: z
    .int()
    .min(0)
    .default(0)
    .describe('Items drawn uniformly beside each row, for what was never shown; `bce` takes their label for 0.'),
  numExposed: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'Items drawn beside each row from what its user was shown and did not click; `bce` takes their label for 0.',
    ),
});

/**
 * Rows carry their own labels (clicked or not). A model that serves the whole catalogue learns from them only about what was shown;
 * `numNegatives` adds items that were not.
 *   q_i = 1 / N
 * `numExposed` puts other rows of label 0 of the same user beside each row, before the drawn items, so that losses of lists compare what one
 * user was shown. Where a user has no other such row, an item is drawn uniformly in its place.
 */
export const definition = defineSampler({
  name: 'labelled',
  revision: 1,
  summary:
    'The labels of the rows themselves: positives and negatives were both observed; more negatives can be drawn.',
  params,
  layout: 'pairs',
  labelled: true,
  probability: ({ numNegatives, numExposed }) => (numNegatives === 0 || numExposed > 0 ? null : 'draw'),
  build({ params: of, data }) {
    const { numNegatives, numExposed } = of;
    const { numItems } = data;
    const uniform = (rng: Rng): number => rng.int(numItems);
    const draw = perPositive(of, { numItems, drawable: numItems, draw: uniform });
    const hasProbability = numNegatives > 0 && numExposed === 0;
    const logProbabilityOf = hasProbability
      ? probabilitiesIn(new Float32Array(numItems).fill(-Math.log(numItems)))
      : null;
    if (numExposed === 0) return { numNegatives, logProbabilityOf, draw };
    const width = numExposed + numNegatives;
    const exposed = itemsByUser(data, (row) => data.train.label?.[row] === 0);
    return {
      numNegatives: width,
      numExposed,
      logProbabilityOf,
      draw(batch) {
        const drawn = draw(batch); // [batch, numNegatives]
        const { users, positives, rng } = batch;
        const items = new Int32Array(users.length * width);
        for (const [row, user] of users.entries()) {
          const shown = exposed(user);
          for (let k = 0; k < numExposed; k++)
            items[row * width + k] = drawOther(shown, positives[row] as number, rng) ?? uniform(rng);
          items.set(drawn.items.subarray(row * numNegatives, (row + 1) * numNegatives), row * width + numExposed);
        }
        return { ...drawn, items };
      },
    };
  },
});

/** An item of the list other than `item`; null where there is none, or hardly any. */
function drawOther(list: Int32Array, item: number, rng: Rng): number | null {
  for (let tries = 0; list.length > 0 && tries < MOST_TRIES; tries++) {
    const found = list[rng.int(list.length)] as number;
    if (found !== item) return found;
  }
  return null;
}
