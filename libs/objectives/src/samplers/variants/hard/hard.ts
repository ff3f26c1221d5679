import { ConfigError, type ConfigIssue } from '@towerbench/config';
import { z } from 'zod';
import { defineSampler } from '../../contract.js';
import { perPositive, perPositiveParams, RowMarks } from '../../drawing.js';
import { createChooser } from './chooser.js';

const params = z.strictObject({
  numNegatives: perPositiveParams.numNegatives.describe('Negatives per positive, hard and uniform ones together.'),
  numHard: z
    .int()
    .positive()
    .default(2)
    .describe('How many of the negatives are hard; the others are drawn uniformly. Half of them by default.'),
  poolSize: z
    .int()
    .positive()
    .default(256)
    .describe('Distinct items that are drawn uniformly at every step for the whole batch, and scored for each row.'),
  rankFrom: z
    .int()
    .positive()
    .default(1)
    .describe(
      'First rank of the pool, by score, that hard negatives come from; 1 is the best-scored item that is no positive.',
    ),
  rankTo: z.int().positive().nullable().default(null).describe('Last such rank; null goes to the end of the pool.'),
  choose: z
    .enum(['hardest', 'softmax', 'uniform'])
    .default('hardest')
    .describe(
      'Which of these ranks: the first ones, in proportion to exp(score / β), or all alike; none twice for one positive.',
    ),
  beta: z
    .number()
    .positive()
    .default(0.1)
    .describe('β of `softmax`, in units of the score: the smaller, the nearer to `hardest`.'),
});

/**
 * Negatives that the model itself takes for good: a pool of the catalogue is drawn at every step, scored by the model as it is, and each
 * positive gets from the top of it what is no training item of its user; the rest of its negatives is uniform.
 *   `softmax`: without repetition, in proportion to exp(s / β), as the largest of s / β + Gumbel noise
 *
 * @source Huang et al. 2020, "Embedding-based Retrieval in Facebook Search", doi:10.1145/3394486.3403305: 2 hard ones at most, of ranks that
 * need not be the first, beside random ones; `softmax` by the Gumbel-max trick
 * @deviation The paper's pool is the other positives of the batch (for that, `in-batch-softmax` has `num_hard_negatives`) or an index.
 * @numerics q depends on the model and is not known, so no correction for sampling goes with it. Equal scores rank by their place in the pool.
 */
export const definition = defineSampler({
  name: 'hard',
  revision: 1,
  summary: 'The best-scored items of a pool that are no positives, and uniform ones.',
  reference: {
    title: 'Embedding-based Retrieval in Facebook Search',
    year: 2020,
    url: 'https://doi.org/10.1145/3394486.3403305',
  },
  params,
  layout: 'pairs',
  labelled: false,
  probability: () => null,
  build({ params: of, data: { numItems } }) {
    const { numNegatives, numHard } = of;
    const poolSize = Math.min(of.poolSize, numItems);
    const rankTo = Math.min(of.rankTo ?? poolSize, poolSize);
    refuseImpossible(of, { rankTo, poolSize });
    const marks = new RowMarks(numItems);
    const choose = createChooser({ ...of, rankTo, poolSize });
    const others = perPositive(
      { numNegatives: numNegatives - numHard, excludePositives: true, unique: false },
      { numItems, drawable: numItems, draw: (rng) => rng.int(numItems) },
    );
    const fallback = perPositive(
      { numNegatives: 1, excludePositives: true, unique: false },
      { numItems, drawable: numItems, draw: (rng) => rng.int(numItems) },
    );
    return {
      numNegatives,
      logProbabilityOf: null,
      draw(batch) {
        const { users, isKnown, rng } = batch;
        const pool = drawPool(numItems, poolSize, { marks, draw: (bound) => rng.int(bound) });
        const scores = batch.scoresOf(pool); // [batch, pool]
        const uniform = others(batch).items; // [batch, numNegatives − numHard]
        const items = new Int32Array(users.length * numNegatives);
        for (let b = 0; b < users.length; b++) {
          const user = users[b] as number;
          const first = b * numNegatives;
          const row = scores.subarray(b * poolSize, (b + 1) * poolSize);
          const found = choose(row, { isAllowed: (place) => !isKnown(user, pool[place] as number), rng });
          for (let k = 0; k < numHard; k++) {
            // Too few that are no positives: a uniform one stands in.
            items[first + k] =
              k < found.length
                ? (pool[found[k] as number] as number)
                : (fallback({ ...batch, users: users.subarray(b, b + 1) }).items[0] as number);
          }
          const rest = numNegatives - numHard;
          for (let k = 0; k < rest; k++) items[first + numHard + k] = uniform[b * rest + k] as number;
        }
        return { items };
      },
    };
  },
});

function refuseImpossible(
  { numNegatives, numHard, rankFrom }: z.output<typeof params>,
  { rankTo, poolSize }: { readonly rankTo: number; readonly poolSize: number },
): void {
  const issues: ConfigIssue[] = [];
  if (numHard > numNegatives) {
    issues.push({
      code: 'hard-share',
      path: 'sampler.num_hard',
      message: `${numHard} of ${numNegatives} negatives cannot be hard`,
      received: String(numHard),
      allowed: `1 to ${numNegatives}`,
      hint: 'write num_negatives: for all of them, the hard ones included',
    });
  }
  if (rankTo - rankFrom + 1 < numHard) {
    issues.push({
      code: 'hard-ranks',
      path: 'sampler.rank_from',
      message: `there are ${Math.max(0, rankTo - rankFrom + 1)} ranks from ${rankFrom} to ${rankTo}, in a pool of ${poolSize}, for ${numHard} hard negatives`,
      received: String(rankFrom),
      allowed: `1 to ${Math.max(1, rankTo - numHard + 1)}`,
      hint: 'take a larger pool, or another range of ranks',
    });
  }
  if (issues.length > 0) throw new ConfigError(issues);
}

/**
 * Distinct items, each set of them equally likely.
 *
 * @source Floyd, in Bentley 1987, "Programming Pearls: A Sample of Brilliance", doi:10.1145/30401.315746
 */
function drawPool(
  numItems: number,
  size: number,
  { marks, draw }: { readonly marks: RowMarks; draw(bound: number): number },
): Int32Array {
  const pool = new Int32Array(size);
  marks.begin();
  for (let at = 0, last = numItems - size; at < size; at++, last++) {
    const drawn = draw(last + 1);
    const item = marks.has(drawn) ? last : drawn;
    marks.add(item);
    pool[at] = item;
  }
  return pool;
}
