import { cutoffs } from '../names.js';
import { listOf, type ItemLists } from './ranks.js';

/**
 * The k best items, best first; of equal scores the lower item id comes first, so a list is a function of the scores alone.
 *
 * @shape scores [numItems]; `excluded[i]` is 1 for items that may not appear
 */
export function topK(scores: Float32Array, k: number, excluded: Uint8Array): Int32Array {
  // A binary heap of the k best so far, the worst of them on top.
  const items = new Int32Array(Math.min(k, scores.length));
  let size = 0;
  const worse = (a: number, b: number): boolean => {
    const [x, y] = [scores[a] as number, scores[b] as number];
    return x < y || (x === y && a > b);
  };
  const down = (start: number): void => {
    for (let at = start; ;) {
      let child = 2 * at + 1;
      if (child >= size) return;
      if (child + 1 < size && worse(items[child + 1] as number, items[child] as number)) child++;
      if (!worse(items[child] as number, items[at] as number)) return;
      swap(at, child);
      at = child;
    }
  };
  const swap = (a: number, b: number): void => {
    const held = items[a] as number;
    items[a] = items[b] as number;
    items[b] = held;
  };
  let item = 0;
  for (; item < scores.length && size < items.length; item++) {
    if (excluded[item] === 1) continue;
    items[size] = item;
    for (let at = size++; at > 0 && worse(items[at] as number, items[(at - 1) >> 1] as number); at = (at - 1) >> 1)
      swap(at, (at - 1) >> 1);
  }
  for (let least = scores[items[0] as number] as number; item < scores.length; item++) {
    if (!((scores[item] as number) > least) || excluded[item] === 1) continue; // most items: compared with the worst, and left
    items[0] = item;
    down(0);
    least = scores[items[0]] as number;
  }
  const sorted = new Int32Array(size);
  for (let place = size - 1; place >= 0; place--) {
    sorted[place] = items[0] as number;
    items[0] = items[--size] as number;
    down(0);
  }
  return sorted;
}

/**
 * What all recommended lists have in common.
 *   coverage@k         share of the catalogue that is in at least one user's first k
 *   mean_popularity@k  mean training count of the items in the first k, over users and places
 *   cold_share@k       share of the places in the first k that go to items without any training count
 *   diversity@k        share of the pairs of items in the first k that differ in category, mean over the lists of two items and more;
 *                      where items have categories
 *
 * @source diversity: Cen et al. 2020, "Controllable Multi-Interest Framework for Recommendation", doi:10.1145/3394486.3403344
 */
export class ListStatistics {
  readonly #numItems: number;
  readonly #popularity: Int32Array;
  /** Smallest place (from 0) at which an item was recommended to anybody. */
  readonly #bestPlace: Int32Array;
  readonly #popularitySums = new Float64Array(cutoffs.length);
  readonly #coldPlaces = new Float64Array(cutoffs.length);
  readonly #places = new Float64Array(cutoffs.length);
  readonly #categories: Int32Array | null;
  readonly #diversitySums = new Float64Array(cutoffs.length);
  #numPaired = 0;
  readonly #excluded: Uint8Array;
  readonly #onList: (list: Int32Array) => void;

  /** `onList` gets every list, in the order in which they are taken in. */
  constructor({
    numItems,
    popularity,
    categories = null,
    onList = () => undefined,
  }: {
    readonly numItems: number;
    readonly popularity: Int32Array;
    readonly categories?: Int32Array | null;
    readonly onList?: (list: Int32Array) => void;
  }) {
    this.#onList = onList;
    this.#numItems = numItems;
    this.#popularity = popularity;
    this.#categories = categories;
    this.#bestPlace = new Int32Array(numItems).fill(numItems);
    this.#excluded = new Uint8Array(numItems);
  }

  /** Takes in the lists of a block of users, made of their scores. @shape scores [users, numItems], for entries `from` ... of `seen` */
  add(scores: Float32Array, { seen, from }: { readonly seen: ItemLists; readonly from: number }): void {
    const longest = cutoffs.at(-1) as number;
    for (let row = 0; row < scores.length / this.#numItems; row++) {
      const own = listOf(seen, from + row);
      for (const item of own) this.#excluded[item] = 1;
      const list = topK(scores.subarray(row * this.#numItems, (row + 1) * this.#numItems), longest, this.#excluded);
      for (const item of own) this.#excluded[item] = 0;
      this.addList(list);
    }
  }

  /** Takes in one user's list: the best items, best first, at least as many as the longest cut-off or all candidates. */
  addList(list: Int32Array): void {
    this.#onList(list);
    for (const [place, item] of list.entries()) {
      if (place < (this.#bestPlace[item] as number)) this.#bestPlace[item] = place;
      for (let c = cutoffs.length - 1; c >= 0 && place < (cutoffs[c] as number); c--) {
        this.#popularitySums[c] = (this.#popularitySums[c] as number) + (this.#popularity[item] as number);
        if (this.#popularity[item] === 0) this.#coldPlaces[c]! += 1;
        this.#places[c] = (this.#places[c] as number) + 1;
      }
    }
    if (this.#categories !== null && list.length > 1) this.#addPairs(list, this.#categories);
  }

  #addPairs(list: Int32Array, categories: Int32Array): void {
    this.#numPaired++;
    const counts = new Map<number, number>();
    let pairs = 0;
    let differing = 0;
    for (const [place, item] of list.entries()) {
      const same = counts.get(categories[item] as number) ?? 0; // among the items before it
      counts.set(categories[item] as number, same + 1);
      pairs += place;
      differing += place - same;
      for (const [c, k] of cutoffs.entries()) {
        if (k > 1 && place + 1 === Math.min(k, list.length)) this.#diversitySums[c]! += differing / pairs;
      }
    }
  }

  metrics(): Record<string, number> {
    return Object.fromEntries(
      cutoffs.flatMap((k, c) => [
        [`coverage@${k}`, this.#bestPlace.reduce((count, place) => count + (place < k ? 1 : 0), 0) / this.#numItems],
        [`mean_popularity@${k}`, (this.#popularitySums[c] as number) / (this.#places[c] as number)],
        [`cold_share@${k}`, (this.#coldPlaces[c] as number) / (this.#places[c] as number)],
        ...(this.#categories === null || k === 1
          ? []
          : [[`diversity@${k}`, (this.#diversitySums[c] as number) / this.#numPaired] as const]),
      ]),
    );
  }
}
