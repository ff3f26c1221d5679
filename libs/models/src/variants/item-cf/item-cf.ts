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
  userWeight: z
    .enum(['one', 'inverse-log', 'inverse-sqrt', 'inverse'])
    .default('one')
    .describe(
      'What a user with n items counts: 1, 1 / ln(1 + n), 1 / √n or 1 / n. The less, the less is learned from those who have everything.',
    ),
  shrink: z
    .number()
    .nonnegative()
    .default(0)
    .describe('Added to the denominator of the cosine: the larger, the less is believed of items that few users have.'),
});

/** What a user with n items counts. */
const userWeights = {
  one: () => 1,
  'inverse-log': (n: number) => 1 / Math.log1p(n),
  'inverse-sqrt': (n: number) => 1 / Math.sqrt(n),
  inverse: (n: number) => 1 / n,
};

/**
 * Item-based collaborative filtering: what is often had together with the user's items.
 *   w_ji = C_ij / (√(n_i n_j) + shrink),  C_ij = Σ_{u : i, j ∈ I_u} weight(n_u),  s(u, i) = Σ_{j ∈ I_u, w_ji kept} w_ji
 * n_i is the number of users of item i, n_u that of the items I_u of user u, all of them positives of the training part. With every user
 * counting 1, C_ij is the number of users who have both, and without shrinkage w_ji a cosine. An item does not speak for itself.
 * Truncation: with `per-source` w_ji is kept if i is among the k items nearest to j, with `per-target` if j is among the k nearest to i;
 * of equally near ones those with smaller numbers are.
 *
 * Users without training items score every item 0, as everybody does items without training data.
 *
 * @source Deshpande and Karypis 2004, "Item-based top-N recommendation algorithms", doi:10.1145/963770.963776 (cosine, per source);
 *   Breese, Heckerman and Kadie 1998, arXiv:1301.7363 (inverse user frequency); Ferrari Dacrema, Cremonesi and Jannach 2019,
 *   arXiv:1907.06902 (shrinkage)
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
  build({ params: { truncation, neighbours, userWeight, shrink }, data }) {
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
          weightOf: (user) => userWeights[userWeight]((itemsOf[user] as Int32Array).length),
          shrink,
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
