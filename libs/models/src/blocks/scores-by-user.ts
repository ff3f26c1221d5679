import type { ScoringModel } from '../contract.js';

/**
 * Scores of a baseline that computes those of all items for one user at a time. Pairs of one user that follow each other, as those of
 * labelled data do, cost one such computation.
 *
 * @param addScores adds the scores of a user to zeros
 * @shape scores [items]
 * @numerics Sums are in float64 and rounded to float32 once, so that items of equal parts score equal.
 */
export function scoresByUser(
  numItems: number,
  addScores: (user: number, scores: Float64Array) => void,
): Pick<ScoringModel, 'scoreUsers' | 'scorePairs'> {
  const scores = new Float64Array(numItems);
  const compute = (user: number): void => {
    scores.fill(0);
    addScores(user, scores);
  };
  return {
    scoreUsers(users) {
      const block = new Float32Array(users.length * numItems);
      for (const [row, user] of users.entries()) {
        compute(user);
        block.set(scores, row * numItems);
      }
      return block;
    },
    scorePairs: (users, items) =>
      Float32Array.from(users, (user, row) => {
        if (row === 0 || user !== users[row - 1]) compute(user);
        return scores[items[row] as number] as number;
      }),
  };
}

/**
 * Scores of a baseline that adds up what each training item of a user says.
 *
 * @param addItem adds what an item says of all items
 * @shape scores [items]
 */
export function scoresByHistory(
  { numItems, itemsOf }: { readonly numItems: number; readonly itemsOf: readonly Int32Array[] },
  addItem: (item: number, scores: Float64Array) => void,
): Required<Pick<ScoringModel, 'scoreUsers' | 'scorePairs' | 'scoreHistory'>> {
  return {
    ...scoresByUser(numItems, (user, scores) => {
      for (const item of itemsOf[user] as Int32Array) addItem(item, scores);
    }),
    scoreHistory(items) {
      const scores = new Float64Array(numItems);
      for (const item of items) addItem(item, scores);
      return Float32Array.from(scores);
    },
  };
}
