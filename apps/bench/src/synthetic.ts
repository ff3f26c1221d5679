import type { IdFeature, PreparedData, SequenceFeature } from '@towerbench/data';
import { createRng, type Rng } from '@towerbench/engine';

/** Ids of 0 (padding) and 1 (unknown) come before those of values. */
const FIRST_VALUE = 2;

/**
 * Positives whose ids are drawn at random, in the shape of MovieLens-1M: the same fields, and with its numbers of users and items
 * about as many distinct ones in a batch (users with P ∝ rank^−0.6, items with rank^−0.84: some 1,475 and 1,000 of 2,048).
 * There is nothing to learn and nothing to evaluate; it serves to be stepped through.
 */
export function syntheticData(options: {
  readonly numRows: number;
  readonly numUsers: number;
  /** Users as likely as each other, so that a step reads as many distinct rows of a large vocabulary as it can. */
  readonly uniformUsers: boolean;
  /** Length of the query's history of items; 0 for none. */
  readonly historyLength: number;
}): PreparedData {
  const { numRows, numUsers, uniformUsers, historyLength } = options;
  const name = uniformUsers ? 'uniform' : 'zipf';
  const rng = createRng('bench');
  const numItems = 3706;
  const itemOf = rankDraw(rng.fork('items'), numItems, 0.84);
  const userOf = rankDraw(rng.fork('users'), numUsers, uniformUsers ? 0 : 0.6);

  const offsets = new Int32Array(numUsers + 1);
  for (let row = 0; row < numRows; row++) offsets[userOf() + 1]!++;
  for (let user = 0; user < numUsers; user++) offsets[user + 1]! += offsets[user] as number;
  const user = new Int32Array(numRows);
  const item = new Int32Array(numRows);
  const historyEnd = new Int32Array(numRows);
  const itemCounts = new Int32Array(numItems);
  for (let each = 0; each < numUsers; each++) {
    for (let row = offsets[each] as number; row < (offsets[each + 1] as number); row++) {
      user[row] = each;
      item[row] = itemOf();
      historyEnd[row] = row - (offsets[each] as number);
      itemCounts[item[row] as number]!++;
    }
  }

  const field = (name: string, numEntities: number, numValues: number): IdFeature => {
    const draw = rng.fork(name);
    const ids = new Int32Array(numEntities);
    for (let entity = 0; entity < numEntities; entity++) {
      ids[entity] = FIRST_VALUE + (numValues === numEntities ? entity : draw.int(numValues));
    }
    return { name, vocabulary: name, width: 1, ids };
  };
  const fields = {
    query: { user_id: numUsers, gender: 2, age: 7, occupation: 21, zip: 3439 },
    candidate: { item_id: numItems, genres: 18, year: 80 },
  };
  const history: SequenceFeature[] =
    historyLength === 0 ? [] : [{ name: 'history', of: 'item_id', vocabulary: 'item_id', length: historyLength }];
  const nothing = { kind: 'labelled', user: none, item: none, label: new Uint8Array(0), historyEnd: none } as const;
  return {
    name,
    fingerprint: name,
    protocol: { dataset: name, fingerprint: name, split: 'none', candidates: 'all', seen: 'none', ties: 'half' },
    task: 'ranking',
    numUsers,
    numItems,
    vocabularies: Object.fromEntries(
      Object.entries({ ...fields.query, ...fields.candidate }).map(([name, numValues]) => [
        name,
        { name, size: FIRST_VALUE + numValues },
      ]),
    ),
    query: {
      ids: Object.entries(fields.query).map(([name, numValues]) => field(name, numUsers, numValues)),
      dense: [],
      sequences: history,
    },
    candidate: {
      ids: Object.entries(fields.candidate).map(([name, numValues]) => field(name, numItems, numValues)),
      dense: [],
      sequences: [],
    },
    history: { offsets, items: item, times: null },
    train: { user, item, label: null, weight: null, historyEnd },
    valid: nothing,
    test: nothing,
    itemCounts,
    itemCategories: null,
    userIds: null,
    itemIds: null,
    itemTitles: null,
    truth: null,
  };
}

const none = new Int32Array(0);

/** Draws numbers from 0 to `count` − 1, k with a probability that goes as (k + 1)^−exponent. */
function rankDraw(rng: Rng, count: number, exponent: number): () => number {
  if (exponent === 0) return () => rng.int(count);
  const cumulative = new Float64Array(count);
  let total = 0;
  for (let rank = 0; rank < count; rank++) cumulative[rank] = total += (rank + 1) ** -exponent;
  return () => {
    const at = rng.uniform() * total;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] as number) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
