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
  const candidates = new Float32Array(numItems); // the scores of one user; NaN, which compares with nothing, for what was seen
  const numUsers = scores.length / numItems;
  for (let row = 0; row < numUsers; row++) {
    const user = from + row;
    candidates.set(scores.subarray(row * numItems, (row + 1) * numItems));
    for (const item of listOf(seen, user)) candidates[item] = NaN;
    const first = positives.offsets[user] as number;
    for (const [p, target] of listOf(positives, user).entries()) {
      write.ranks[first + p] = rankAmong(candidates, candidates[target] as number);
    }
    let numCandidates = 0;
    for (let item = 0; item < numItems; item++) numCandidates += Number(!Number.isNaN(candidates[item]));
    write.numCandidates[user] = numCandidates;
    requireNumbers(candidates, { numCandidates, user, positives, seen });
  }
}

/** Counts without branches, which a processor could not foresee. */
function rankAmong(scores: Float32Array, score: number): number {
  let greater = 0;
  let equal = 0;
  for (let item = 0; item < scores.length; item++) {
    const other = scores[item] as number;
    greater += Number(other > score);
    equal += Number(other === score);
  }
  return greater + (equal - 1) / 2;
}

/** Refuses positives that were seen, and candidates whose score is NaN. */
function requireNumbers(
  candidates: Float32Array,
  {
    numCandidates,
    user,
    positives,
    seen,
  }: {
    readonly numCandidates: number;
    readonly user: number;
    readonly positives: ItemLists;
    readonly seen: ItemLists;
  },
): void {
  const ownSeen = new Set(listOf(seen, user));
  const both = listOf(positives, user).find((item) => ownSeen.has(item));
  if (both !== undefined) throw new RangeError(`item ${both} is a positive and a seen item of entry ${user}`);
  if (numCandidates + ownSeen.size === candidates.length) return;
  const item = candidates.findIndex((score, at) => Number.isNaN(score) && !ownSeen.has(at));
  throw new RangeError(`the score of item ${item} for entry ${user} is NaN`);
}

/**
 * The same ranks from counts that were made elsewhere.
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
