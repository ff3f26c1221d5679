import { cutoffs } from '../names.js';
import type { ItemLists, Ranks } from './ranks.js';

/**
 * Metrics per user from the ranks of the user's positives R. A positive of rank r is within the first k when r < k; where positives
 * share a place by ties and more than k are, k of them count: there are no more places.
 *   hr@k        1 if any positive is within the first k
 *   recall@k    |first k ∩ R| / |R|
 *   precision@k |first k ∩ R| / k
 *   ndcg@k      Σ_{r < k} 1 / log2(r + 2)  /  Σ_{i < min(k, |R|)} 1 / log2(i + 2)
 *   mrr, mrr@k  1 / (r₁ + 1), r₁ the best rank; 0 beyond k
 *   auc         share of (positive, negative) pairs in the right order, ties half: 1 − mean_i(r_(i) − i) / negatives,
 *               r_(i) the ranks in rising order
 *
 * @shape offsets [users + 1] into `ranks`; every user has at least one positive
 * @returns one value per user and metric; NaN for the auc of a user without negatives
 * @source trec_eval: success, recall, P, ndcg_cut and recip_rank
 */
export function userMetrics({ ranks, numCandidates }: Ranks, offsets: Int32Array): Record<string, Float32Array> {
  const numUsers = numCandidates.length;
  const result: Record<string, Float32Array> = {};
  const metric = (name: string): Float32Array => (result[name] ??= new Float32Array(numUsers));
  const discount = (rank: number): number => 1 / Math.log2(rank + 2);
  for (let user = 0; user < numUsers; user++) {
    const own = ranks.slice(offsets[user], offsets[user + 1]).sort();
    const best = own[0];
    if (best === undefined) throw new RangeError(`entry ${user} has no positives`);
    for (const k of cutoffs) {
      let hits = 0;
      let gain = 0;
      for (const rank of own) {
        if (rank >= k || hits === k) break;
        hits++;
        gain += discount(rank);
      }
      let ideal = 0;
      for (let i = 0; i < Math.min(k, own.length); i++) ideal += discount(i);
      metric(`hr@${k}`)[user] = hits > 0 ? 1 : 0;
      metric(`recall@${k}`)[user] = hits / own.length;
      metric(`precision@${k}`)[user] = hits / k;
      metric(`ndcg@${k}`)[user] = gain / ideal;
      metric(`mrr@${k}`)[user] = best < k ? 1 / (best + 1) : 0;
    }
    metric('mrr')[user] = 1 / (best + 1);
    const negatives = (numCandidates[user] as number) - own.length;
    let above = 0;
    for (const [i, rank] of own.entries()) above += rank - i;
    metric('auc')[user] = negatives > 0 ? 1 - above / own.length / negatives : NaN;
  }
  return result;
}

/**
 * What the first k hold of the categories C of a user's positives.
 *   category_recall@k  |{ c ∈ C : a positive of category c is within the first k }| / |C|
 *
 * @param categories the category of each item
 * @shape ranks: as the items of the lists, of which every user has at least one
 */
export function categoryMetrics(
  ranks: Float64Array,
  { offsets, items }: ItemLists,
  categories: Int32Array,
): Record<string, Float32Array> {
  const numUsers = offsets.length - 1;
  const result = Object.fromEntries(cutoffs.map((k) => [`category_recall@${k}`, new Float32Array(numUsers)]));
  for (let user = 0; user < numUsers; user++) {
    const bestOf = new Map<number, number>(); // rank of the best positive, by category
    for (let at = offsets[user] as number; at < (offsets[user + 1] as number); at++) {
      const category = categories[items[at] as number] as number;
      bestOf.set(category, Math.min(bestOf.get(category) ?? Infinity, ranks[at] as number));
    }
    const best = [...bestOf.values()];
    for (const k of cutoffs) {
      (result[`category_recall@${k}`] as Float32Array)[user] = best.filter((rank) => rank < k).length / best.length;
    }
  }
  return result;
}

/**
 * What the first k items bring, as a share of what the best k candidates bring.
 *   value@k = Σ_{i in the first k} v_i / Σ_{i in the best k} v_i
 *
 * @param list a user's items, best first, at least as many as the longest cut-off or all candidates
 * @param worth v of each candidate, from 0 on; those that are no candidates are 0
 * @returns by metric; NaN where no candidate brings anything
 */
export function worthMetrics(list: Int32Array, worth: Float32Array): Record<string, number> {
  const best = worth.slice().sort().reverse();
  const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
  return Object.fromEntries(
    cutoffs.map((k) => [
      `value@${k}`,
      sum([...list.subarray(0, k)].map((item) => worth[item] as number)) / sum(best.subarray(0, k)),
    ]),
  );
}

/** Mean over the users that have a value; a user counts as much as `weights` says, or 1. */
export function meanOverUsers(values: ArrayLike<number>, weights?: ArrayLike<number>): number {
  let sum = 0;
  let total = 0;
  for (let user = 0; user < values.length; user++) {
    const value = values[user] as number;
    if (Number.isNaN(value)) continue;
    const weight = weights === undefined ? 1 : (weights[user] as number);
    sum += weight * value;
    total += weight;
  }
  return total > 0 ? sum / total : NaN;
}

/**
 * What each positive adds to recall@k: the mean over a user's positives is the user's recall@k, so recall can be taken apart by item.
 *   1 within the first k, 0 beyond; where ties put m > k positives within, k / m each
 *
 * @shape offsets [users + 1] into `ranks`
 */
export function positiveRecall(ranks: ArrayLike<number>, offsets: Int32Array, k: number): Float64Array {
  const parts = new Float64Array(ranks.length);
  for (let user = 0; user + 1 < offsets.length; user++) {
    const [from, to] = [offsets[user] as number, offsets[user + 1] as number];
    let within = 0;
    for (let at = from; at < to; at++) if ((ranks[at] as number) < k) within++;
    for (let at = from; at < to; at++) if ((ranks[at] as number) < k) parts[at] = Math.min(1, k / within);
  }
  return parts;
}
