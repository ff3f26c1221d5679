import { z } from 'zod';
import { defineModel } from '../../contract.js';

/**
 * Every user gets the items with the most training interactions.
 *   s(u, i) = n_i
 * In a labelled dataset n_i counts the positives of the training part.
 */
export const definition = defineModel({
  name: 'popularity',
  revision: 1,
  summary: 'Training popularity, the same list for everybody: the floor that a model must clear.',
  params: z.strictObject({}),
  build({ data }) {
    const counts = Float32Array.from(data.itemCounts);
    return {
      kind: 'scorer',
      retrieval: 'exhaustive',
      parameterCount: counts.length,
      scoreUsers(users) {
        const scores = new Float32Array(users.length * counts.length);
        for (let row = 0; row < users.length; row++) scores.set(counts, row * counts.length);
        return scores;
      },
      scorePairs: (_users, items) => Float32Array.from(items, (item) => counts[item] as number),
      scoreHistory: () => counts.slice(),
      reason: (_user, item) => `${data.itemCounts[item]} in training, and the same list for everybody`,
    };
  },
});
