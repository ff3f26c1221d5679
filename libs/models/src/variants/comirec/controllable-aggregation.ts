import { ConfigError } from '@towerbench/config';
import type { PreparedData } from '@towerbench/data';
import type { MultiInterestModel } from '../../contract.js';

/**
 * Lists that trade score for diversity: of all lists S the one that a greedy choice finds for
 *   Q(S) = Σ_{i ∈ S} f(i) + λ Σ_{i, j ∈ S} [category_i ≠ category_j]        (each pair once)
 * The next item of a list S is the one of the largest f(i) + λ (|S| − n(category_i)), n the items of a category in S. Within a category
 * items come by score, and the r-th of them (from 0) comes at n = r; so the whole order is that of f(i) − λ r(i), without a choice at
 * every place.
 *
 * @throws {ConfigError} when the dataset names no category of its items
 * @source Cen et al. 2020, "Controllable Multi-Interest Framework for Recommendation", algorithm 1, doi:10.1145/3394486.3403344
 * @deviation Chosen from the whole catalogue; the paper chooses from the N best of every interest.
 */
export function controllableAggregation(
  { name, numItems, itemCategories }: Pick<PreparedData, 'name' | 'numItems' | 'itemCategories'>,
  diversity: number,
): NonNullable<MultiInterestModel['aggregate']> {
  if (itemCategories === null) {
    throw new ConfigError([
      {
        code: 'no-category',
        path: 'model.diversity',
        message: `${name} names no category of its items, by which lists could be diverse`,
        received: String(diversity),
        allowed: '0',
        hint: 'leave it out',
      },
    ]);
  }
  const order = new Int32Array(numItems);
  const isSeen = new Uint8Array(numItems);
  return (scores, seen) => {
    for (let item = 0; item < numItems; item++) order[item] = item;
    order.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
    for (const item of seen) isSeen[item] = 1;
    const counts = new Map<number, number>();
    for (const item of order) {
      if (isSeen[item] === 1) continue;
      const category = itemCategories[item] as number;
      const earlier = counts.get(category) ?? 0;
      counts.set(category, earlier + 1);
      scores[item] = (scores[item] as number) - diversity * earlier;
    }
    for (const item of seen) isSeen[item] = 0;
  };
}
