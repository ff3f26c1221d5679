/** Ragged lists: those of entry k are `items.subarray(offsets[k], offsets[k + 1])`. */
export interface ItemLists {
  readonly offsets: Int32Array;
  readonly items: Int32Array;
}

/** Where the positives of some users stand among their candidates. */
export interface Ranks {
  /** 0-based rank per positive, in the order of the positives' lists; halves come from ties. */
  readonly ranks: Float64Array;
  /** Candidates per user, the positives included. */
  readonly numCandidates: Int32Array;
}

/**
 * Rank of every positive among the whole catalogue without the items its user has seen.
 *   rank(i) = #{ j : s_j > s_i } + ½ · #{ j ≠ i : s_j = s_i },  j over the candidates
 * Equal scores share the middle of their places, so a constant scorer lands in the middle of the list and cannot win by ties.
 *
 * @shape scores [users, numItems], row-major, for entries `from`, `from + 1` ... of the lists
 * @param write where the results of these entries go, in place
 * @throws {RangeError} when a score is NaN
 * @source models reference, section 14
 */
export function rankPositives(
  scores: Float32Array,
  {
    numItems,
    positives,
    seen,
    from,
  }: { readonly numItems: number; readonly positives: ItemLists; readonly seen: ItemLists; readonly from: number },
  write: Ranks,
): void {
  const excluded = new Uint8Array(numItems);
  const numUsers = scores.length / numItems;
  for (let row = 0; row < numUsers; row++) {
    const user = from + row;
    const ownSeen = listOf(seen, user);
    for (const item of ownSeen) excluded[item] = 1;
    const at = row * numItems;
    const first = positives.offsets[user] as number;
    const own = listOf(positives, user);
    for (let p = 0; p < own.length; p++) {
      const target = own[p] as number;
      if (excluded[target] === 1) throw new RangeError(`item ${target} is a positive and a seen item of entry ${user}`);
      const score = scores[at + target] as number;
      let greater = 0;
      let equal = 0;
      for (let item = 0; item < numItems; item++) {
        if (excluded[item] === 1) continue;
        const other = scores[at + item] as number;
        if (other > score) greater++;
        else if (other === score) equal++;
        else if (!(other < score)) throw new RangeError(`the score of item ${item} for entry ${user} is ${other}`);
      }
      write.ranks[first + p] = greater + (equal - 1) / 2;
    }
    let numSeen = 0;
    for (const item of ownSeen) {
      if (excluded[item] === 1) numSeen++;
      excluded[item] = 0;
    }
    write.numCandidates[user] = numItems - numSeen;
  }
}

/**
 * Rank of each user's one positive among a given list of other candidates, by the same rule.
 *
 * @shape scores [users, numItems]; candidates: per user, the items it is ranked against, never the positive itself
 */
export function rankAgainst(
  scores: Float32Array,
  {
    numItems,
    positives,
    candidates,
    from,
  }: {
    readonly numItems: number;
    readonly positives: ItemLists;
    readonly candidates: ItemLists;
    readonly from: number;
  },
  write: Ranks,
): void {
  for (let row = 0; row < scores.length / numItems; row++) {
    const user = from + row;
    const own = listOf(positives, user);
    if (own.length !== 1)
      throw new RangeError(`entry ${user} has ${own.length} positives; a list of candidates is for exactly one`);
    const score = scores[row * numItems + (own[0] as number)] as number;
    const others = listOf(candidates, user);
    let ahead = 0;
    for (const item of others) {
      const other = scores[row * numItems + item] as number;
      if (other > score) ahead++;
      else if (other === score) ahead += 0.5;
      else if (!(other < score)) throw new RangeError(`the score of item ${item} for entry ${user} is ${other}`);
    }
    write.ranks[positives.offsets[user] as number] = ahead;
    write.numCandidates[user] = others.length + 1;
  }
}

/** The entries of one list. */
export function listOf({ offsets, items }: ItemLists, entry: number): Int32Array {
  return items.subarray(offsets[entry], offsets[entry + 1]);
}
