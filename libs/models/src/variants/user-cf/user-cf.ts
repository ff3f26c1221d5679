import { z } from 'zod';
import { cosineNeighbours, type Neighbours } from '../../blocks/cosine-neighbours.js';
import { trainingPositives } from '../../blocks/positives.js';
import { scoresByUser } from '../../blocks/scores-by-user.js';
import { defineModel, type FitProgress } from '../../contract.js';

const params = z.strictObject({
  neighbours: z.int().positive().default(50).describe('How many of the nearest users have a say.'),
});

/**
 * User-based collaborative filtering: what those have who have much in common with the user.
 *   w_uv = |I_u ∩ I_v| / √(|I_u| |I_v|),  s(u, i) = Σ_{v ∈ N(u), i ∈ I_v} w_uv
 * I_u are the items of u, positives of the training part; N(u) the k users nearest to u without u, of equally near ones those with
 * smaller numbers.
 *
 * Users without training items score every item 0, as everybody does items that no neighbour has.
 *
 * @source Breese, Heckerman and Kadie 1998, "Empirical analysis of predictive algorithms for collaborative filtering", arXiv:1301.7363
 *   (vector similarity)
 * @deviation There are no ratings, so there is no deviation from a user's mean; and only the nearest users have a say.
 * @numerics Weights are float32, everything else float64.
 */
export const definition = defineModel({
  name: 'user-cf',
  revision: 1,
  summary: 'What the users have who have most in common with the user: cosine between users.',
  reference: {
    title: 'Empirical analysis of predictive algorithms for collaborative filtering',
    year: 1998,
    url: 'https://arxiv.org/abs/1301.7363',
  },
  params,
  build({ params: { neighbours }, data }) {
    const { numItems } = data;
    const { itemsOf, usersOf } = trainingPositives(data);
    let nearest: readonly Neighbours[] = [];
    return {
      kind: 'scorer',
      retrieval: 'exhaustive',
      get parameterCount() {
        return nearest.reduce((sum, { ids }) => sum + ids.length, 0);
      },
      *fit(): Iterable<FitProgress> {
        nearest = yield* cosineNeighbours({
          connectedWith: itemsOf,
          entitiesOf: usersOf,
          weightOf: () => 1,
          count: neighbours,
        });
      },
      ...scoresByUser(numItems, (user, scores) => {
        const { ids, weights } = nearest[user] as Neighbours;
        for (const [k, other] of ids.entries()) {
          for (const item of itemsOf[other] as Int32Array) scores[item]! += weights[k] as number;
        }
      }),
      reason(user, item) {
        const { ids } = nearest[user] as Neighbours;
        const having = ids.filter((other) => itemsOf[other]?.includes(item) === true);
        return `${having.length} of the ${ids.length} nearest users had it`;
      },
    };
  },
});
