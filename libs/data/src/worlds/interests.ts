import { createRng, type Rng } from '@towerbench/engine';
import { z } from 'zod';
import { dataError, defineDataset, type DatasetContent } from '../definition.js';
import { idArray, numberedValues } from '../ids.js';
import { likingTruth, madeByCode, worldParams } from './planted.js';

/**
 * A world of users with several interests. Items form `numClusters` disjoint clusters of `clusterSize`; a user has `numInterests` of
 * the clusters, a history of `historyLength` items drawn uniformly from them, and next an item drawn in the same way. Each training
 * row is a user of its own, so nobody can be memorised. The users of validation and test have their history alone, and the items to
 * find are all those of their clusters, seen or not.
 *
 * One vector of width d ≥ numClusters can point at any set of clusters. Below, it cannot: clusters share directions, and what lies
 * between a user's interests scores as much as they do. Several vectors need no more width than one cluster does.
 */
export const interests = defineDataset({
  name: 'world/interests',
  revision: 1,
  summary:
    'Histories that mix a few of many clusters of items; the items to find are those of all the clusters in the history.',
  task: 'ranking',
  keepsSeen: true,
  category: 'cluster',
  hasTruth: true,
  params: z.strictObject({
    numRows: z
      .int()
      .min(1000)
      .max(2_000_000)
      .default(204_800)
      .describe('Training rows, each with a user of its own; a million with 20 items of history takes about 1 GB.'),
    numEvaluationUsers: z
      .int()
      .min(10)
      .max(100_000)
      .default(2000)
      .describe('Users for validation, and as many for testing.'),
    numClusters: z.int().min(2).max(10_000).default(64).describe('Clusters of items.'),
    clusterSize: z.int().min(1).max(1000).default(10).describe('Items of a cluster.'),
    numInterests: z.int().positive().default(2).describe('Clusters that a user likes; fewer than there are.'),
    historyLength: z
      .int()
      .positive()
      .max(1000)
      .default(20)
      .describe("Items of a user's history; a sequence feature reads as many as its own length says."),
    ...worldParams({
      query: [{ name: 'history', kind: 'sequence', length: 20 }],
      candidate: ['item_id'],
    }),
  }),
  facts: madeByCode,
  load: ({ params }): DatasetContent => {
    const { numRows, numEvaluationUsers, numClusters, clusterSize, numInterests, historyLength, seed } = params;
    if (numInterests >= numClusters) {
      throw dataError('world-interests', 'dataset.num_interests', 'users must not like every cluster', {
        received: String(numInterests),
        allowed: `1 to ${numClusters - 1}: fewer than dataset.num_clusters`,
      });
    }
    const rng = createRng(seed).fork('world/interests');
    const numUsers = numRows + 2 * numEvaluationUsers;
    const likes = drawInterests(rng.fork('interests'), { numUsers, numClusters, numInterests });

    const toFind = numInterests * clusterSize;
    const rowsOf = [historyLength + 1, historyLength + toFind] as const; // of a training user, of another
    const total = numRows * rowsOf[0] + 2 * numEvaluationUsers * rowsOf[1];
    const user = new Int32Array(total);
    const item = new Int32Array(total);
    const time = new Float64Array(total);
    const context = new Int32Array(numUsers * historyLength);
    const parts = {
      train: new Int32Array(numRows),
      valid: new Int32Array(numEvaluationUsers * toFind),
      test: new Int32Array(numEvaluationUsers * toFind),
    };
    const draws = rng.fork('items');
    let row = 0;
    const place = { context: 0, train: 0, valid: 0, test: 0 };
    const add = (who: number, what: number, when: number): number => {
      user[row] = who;
      item[row] = what;
      time[row] = when;
      return row++;
    };
    for (let who = 0; who < numUsers; who++) {
      const own = likes.subarray(who * numInterests, (who + 1) * numInterests);
      const draw = (): number => (own[draws.int(numInterests)] as number) * clusterSize + draws.int(clusterSize);
      for (let t = 0; t < historyLength; t++) context[place.context++] = add(who, draw(), t);
      if (who < numRows) {
        parts.train[place.train++] = add(who, draw(), historyLength);
        continue;
      }
      const part = who < numRows + numEvaluationUsers ? 'valid' : 'test';
      for (const cluster of own) {
        for (let k = 0; k < clusterSize; k++) {
          parts[part][place[part]++] = add(who, cluster * clusterSize + k, historyLength);
        }
      }
    }

    const numItems = numClusters * clusterSize;
    const cluster = idArray(numItems, numClusters - 1);
    for (let each = 0; each < numItems; each++) cluster[each] = Math.floor(each / clusterSize);
    const likesItem = (who: number, what: number): boolean =>
      likes.subarray(who * numInterests, (who + 1) * numInterests).includes(cluster[what] as number);
    return {
      users: { numRows: numUsers, columns: {} },
      items: {
        numRows: numItems,
        columns: { cluster: { kind: 'categorical', ids: cluster, values: numberedValues(numClusters) } },
      },
      interactions: { user, item, time, rating: null, label: null },
      itemTitles: null,
      truth: likingTruth(numItems, likesItem),
      fixedSplit: { context, ...parts, negatives: null },
    };
  },
});

/** Distinct clusters of each user, uniform. @shape [users, numInterests] */
function drawInterests(
  rng: Rng,
  {
    numUsers,
    numClusters,
    numInterests,
  }: { readonly numUsers: number; readonly numClusters: number; readonly numInterests: number },
): Int32Array {
  const likes = new Int32Array(numUsers * numInterests);
  for (let user = 0; user < numUsers; user++) {
    const own = likes.subarray(user * numInterests, (user + 1) * numInterests);
    for (let k = 0; k < numInterests;) {
      const cluster = rng.int(numClusters);
      if (!own.subarray(0, k).includes(cluster)) own[k++] = cluster;
    }
  }
  return likes;
}
