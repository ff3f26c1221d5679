import { z } from 'zod';
import { cosineNeighbours, type Neighbours } from '../../blocks/cosine-neighbours.js';
import { trainingPositives } from '../../blocks/positives.js';
import { scoresByHistory } from '../../blocks/scores-by-user.js';
import { defineModel, type FitProgress } from '../../contract.js';

const params = z.strictObject({
  truncation: z
    .enum(['none', 'per-source', 'per-target'])
    .default('per-target')
    .describe(
      'Which weights are kept: all; of each item that a user has, those of its nearest items; of each item that is scored, those of its nearest items.',
    ),
  neighbours: z.int().positive().default(50).describe('How many weights an item keeps. Without truncation not used.'),
  inverseUserFrequency: z
    .boolean()
    .default(false)
    .describe(
      'Counts a user with n items as 1 / ln(1 + n) of a common user, so that those who have everything say less.',
    ),
});

/**
 * Item-based collaborative filtering: what is often had together with the user's items.
 *   w_ji = C_ij / √(n_i n_j),  s(u, i) = Σ_{j ∈ I_u, w_ji kept} w_ji
 * C_ij is the number of users who have i and j, with inverse user frequency C_ij = Σ_u 1 / ln(1 + n_u) over them; n_i the users of item
 * i, n_u the items of user u, I_u these items. All of them are positives of the training part. An item does not speak for itself.
 * Truncation: with `per-source` w_ji is kept if i is among the k items nearest to j, with `per-target` if j is among the k nearest to i;
 * of equally near ones those with smaller numbers are.
 *
 * Users without training items score every item 0, as everybody does items without training data.
 *
 * @source Deshpande and Karypis 2004, "Item-based top-N recommendation algorithms", doi:10.1145/963770.963776 (cosine, per source)
 * @deviation Kept weights of an item are not normalised to a common length.
 * @numerics Weights are float32, everything else float64. Without truncation they are as many as pairs of items that share users, up to
 *   N² of 8 bytes each.
 */
export const definition = defineModel({
  name: 'item-cf',
  revision: 1,
  summary: "What is often had together with the user's items: cosine between items, truncated to the nearest or not.",
  reference: {
    title: 'Item-based top-N recommendation algorithms',
    year: 2004,
    url: 'https://doi.org/10.1145/963770.963776',
  },
  params,
  build({ params: { truncation, neighbours, inverseUserFrequency }, data }) {
    const { numItems } = data;
    const { itemsOf, usersOf } = trainingPositives(data);
    let weightsFrom: readonly Neighbours[] = []; // w_ji by j
    return {
      kind: 'scorer',
      retrieval: 'exhaustive',
      get parameterCount() {
        return weightsFrom.reduce((sum, { ids }) => sum + ids.length, 0);
      },
      *fit(): Iterable<FitProgress> {
        const found = yield* cosineNeighbours({
          connectedWith: usersOf,
          entitiesOf: itemsOf,
          weightOf: inverseUserFrequency ? (user) => 1 / Math.log1p((itemsOf[user] as Int32Array).length) : () => 1,
          count: truncation === 'none' ? Infinity : neighbours,
        });
        weightsFrom = truncation === 'per-target' ? transposed(found) : found;
      },
      ...scoresByHistory({ numItems, itemsOf }, (source, scores) => {
        const { ids, weights } = weightsFrom[source] as Neighbours;
        for (let k = 0; k < ids.length; k++) scores[ids[k] as number]! += weights[k] as number;
      }),
    };
  },
});

/** The same weights by the other item of the pair. */
function transposed(neighbours: readonly Neighbours[]): Neighbours[] {
  const counts = new Int32Array(neighbours.length);
  for (const { ids } of neighbours) for (const id of ids) counts[id]!++;
  const turned = Array.from(counts, (count) => ({ ids: new Int32Array(count), weights: new Float32Array(count) }));
  counts.fill(0);
  for (const [entity, { ids, weights }] of neighbours.entries()) {
    for (const [k, id] of ids.entries()) {
      const { ids: entities, weights: own } = turned[id] as Neighbours;
      const at = counts[id]!++;
      entities[at] = entity;
      own[at] = weights[k] as number;
    }
  }
  return turned;
}
