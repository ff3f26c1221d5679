import { z } from 'zod';
import { defineSampler } from '../../contract.js';

const params = z.strictObject({
  numNegatives: z.int().positive().default(4).describe('Negatives per positive, drawn anew for every step.'),
  excludePositives: z
    .boolean()
    .default(true)
    .describe("Draws again when the item is among the user's training items, so that no negative is a known positive."),
});

/**
 * Items uniformly from the whole catalogue.
 *   q_i = 1 / N
 *
 * @numerics With `excludePositives` a draw is repeated at most 100 times, then kept: a user who has seen nearly everything still gets one.
 */
export const definition = defineSampler({
  name: 'uniform',
  revision: 1,
  summary: 'Uniform over the catalogue, redrawn at every step.',
  params,
  layout: 'pairs',
  labelled: false,
  build({ params: { numNegatives, excludePositives }, data }) {
    const { numItems } = data;
    const seen = excludePositives ? trainingItems(data) : null;
    return {
      numNegatives,
      logSamplingProbability: new Float32Array(numItems).fill(-Math.log(numItems)),
      draw(users, rng) {
        const items = new Int32Array(users.length * numNegatives);
        for (let row = 0; row < users.length; row++) {
          const positives = seen?.get(users[row] as number);
          for (let k = 0; k < numNegatives; k++) {
            let item = rng.int(numItems);
            for (let tries = 0; positives?.has(item) === true && tries < 100; tries++) item = rng.int(numItems);
            items[row * numNegatives + k] = item;
          }
        }
        return items;
      },
    };
  },
});

function trainingItems({
  train,
}: {
  readonly train: { readonly user: Int32Array; readonly item: Int32Array };
}): Map<number, Set<number>> {
  const byUser = new Map<number, Set<number>>();
  for (let row = 0; row < train.user.length; row++) {
    const user = train.user[row] as number;
    const items = byUser.get(user);
    if (items === undefined) byUser.set(user, new Set([train.item[row] as number]));
    else items.add(train.item[row] as number);
  }
  return byUser;
}
