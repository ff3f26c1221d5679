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
 * Rank of every positive among the whole catalogue without the items its user has seen, from counts of their scores.
 *   rank(i) = #{ j : s_j > s_i } + ½ · #{ j ≠ i : s_j = s_i },  j over the candidates
 * Equal scores share the middle of their places, so a constant scorer lands in the middle of the list and cannot win by ties.
 *
 * @shape greater, equal: as `positives.items`; how many candidates score more than this positive, and how many as much, itself included
 */
export function ranksOf(
  { greater, equal }: { readonly greater: Int32Array; readonly equal: Int32Array },
  { numItems, positives, seen }: { readonly numItems: number; readonly positives: ItemLists; readonly seen: ItemLists },
): Ranks {
  const ranks = Float64Array.from(greater, (count, at) => count + ((equal[at] as number) - 1) / 2);
  const numCandidates = new Int32Array(positives.offsets.length - 1).fill(numItems);
  const lastUser = new Int32Array(numItems).fill(-1);
  for (const user of numCandidates.keys()) {
    for (const item of listOf(seen, user)) {
      if (lastUser[item] !== user) numCandidates[user]!--;
      lastUser[item] = user;
    }
  }
  return { ranks, numCandidates };
}

/**
 * Rank of each user's one positive among a given list of other candidates, by the same rule.
 *
 * @shape scores: of the positives and of the candidates, in the order of their lists
 * @shape candidates: per user, the items it is ranked against, never the positive itself
 * @throws {RangeError} when a score is NaN, or a user has not exactly one positive
 */
export function rankAgainst(
  scores: { readonly positives: Float32Array; readonly candidates: Float32Array },
  { positives, candidates }: { readonly positives: ItemLists; readonly candidates: ItemLists },
): Ranks {
  const numUsers = positives.offsets.length - 1;
  const ranks = new Float64Array(numUsers);
  const numCandidates = new Int32Array(numUsers);
  for (let user = 0; user < numUsers; user++) {
    const own = listOf(positives, user);
    if (own.length !== 1)
      throw new RangeError(`entry ${user} has ${own.length} positives; a list of candidates is for exactly one`);
    const score = scores.positives[positives.offsets[user] as number] as number;
    const [first, end] = [candidates.offsets[user] as number, candidates.offsets[user + 1] as number];
    let ahead = 0;
    for (let at = first; at < end; at++) {
      const other = scores.candidates[at] as number;
      if (other > score) ahead++;
      else if (other === score) ahead += 0.5;
      else if (!(other < score))
        throw new RangeError(`the score of item ${candidates.items[at]} for entry ${user} is ${other}`);
    }
    ranks[user] = ahead;
    numCandidates[user] = end - first + 1;
  }
  return { ranks, numCandidates };
}

/** The entries of one list. */
export function listOf({ offsets, items }: ItemLists, entry: number): Int32Array {
  return items.subarray(offsets[entry], offsets[entry + 1]);
}
