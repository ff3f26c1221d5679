import { createRng } from '@towerbench/engine';
import { z } from 'zod';
import { defineDataset, type DatasetContent } from '../definition.js';
import { idArray, numberedValues } from '../ids.js';
import { likingTruth, madeByCode, worldParams } from './planted.js';

const DAY = 86_400;
const MINUTE = 60;
const TYPES = ['loyal', 'explorer'];

/**
 * A world of long- and short-term interest. Items form `numClusters` disjoint clusters. A user has `longLength` items of one cluster L,
 * a day apart, then a session of `sessionLength` items of another cluster S, a minute apart. The next item is of S when the user is an
 * explorer and of L when loyal, which a feature of the user tells. Each training row is a user of its own. The users of validation and
 * test have their history alone, and the items to find are all those of the right cluster, seen or not.
 *
 * What knows L and S but not the type finds half of them at most: precision@10 is .5 with ten items a cluster.
 */
export const longAndShortTerm = defineDataset({
  name: 'world/long-and-short-term',
  revision: 1,
  summary: 'Histories of one cluster of items and sessions of another; the type of the user decides which one goes on.',
  task: 'ranking',
  keepsSeen: true,
  hasTruth: true,
  params: z.strictObject({
    numRows: z
      .int()
      .min(1000)
      .max(2_000_000)
      .default(204_800)
      .describe('Training rows, each with a user of its own; a million with 25 items of history takes about 1 GB.'),
    numEvaluationUsers: z
      .int()
      .min(10)
      .max(100_000)
      .default(1000)
      .describe('Users for validation, and as many for testing.'),
    numClusters: z.int().min(2).max(10_000).default(40).describe('Clusters of items.'),
    clusterSize: z.int().min(1).max(1000).default(10).describe('Items of a cluster.'),
    longLength: z.int().positive().max(1000).default(20).describe('Items before the session.'),
    sessionLength: z.int().positive().max(1000).default(5).describe('Items of the session.'),
    explorers: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe(
        'Share of users whose next item is of the cluster of their session; that of the others is of the long history.',
      ),
    ...worldParams({
      query: [
        'type',
        { name: 'session', kind: 'sequence', window: 'session' },
        { name: 'long', kind: 'sequence', window: 'before-session', length: 20 },
      ],
      candidate: ['item_id'],
    }),
  }),
  facts: madeByCode,
  load: ({ params }): DatasetContent => {
    const { numRows, numEvaluationUsers, numClusters, clusterSize, longLength, sessionLength, explorers, seed } =
      params;
    const rng = createRng(seed).fork('world/long-and-short-term');
    const numUsers = numRows + 2 * numEvaluationUsers;
    const type = new Uint8Array(numUsers);
    const next = new Int32Array(numUsers); // the cluster that goes on

    const historyLength = longLength + sessionLength;
    const total = numRows * (historyLength + 1) + 2 * numEvaluationUsers * (historyLength + clusterSize);
    const user = new Int32Array(total);
    const item = new Int32Array(total);
    const time = new Float64Array(total);
    const parts = { context: [] as number[], train: [] as number[], valid: [] as number[], test: [] as number[] };
    const draws = rng.fork('items');
    let row = 0;
    for (let who = 0; who < numUsers; who++) {
      const long = draws.int(numClusters);
      const short = (long + 1 + draws.int(numClusters - 1)) % numClusters; // any other
      type[who] = draws.uniform() < explorers ? 1 : 0;
      const goesOn = (next[who] = type[who] === 1 ? short : long);
      const add = (part: keyof typeof parts, what: number): void => {
        user[row] = who;
        item[row] = what;
        parts[part].push(row++);
      };
      const drawn = (cluster: number): number => cluster * clusterSize + draws.int(clusterSize);
      for (let t = 0; t < historyLength; t++) {
        time[row] = t < longLength ? t * DAY : longLength * DAY + (t - longLength) * MINUTE;
        add('context', drawn(t < longLength ? long : short));
      }
      const part = who < numRows ? 'train' : who < numRows + numEvaluationUsers ? 'valid' : 'test';
      for (let k = 0; k < (part === 'train' ? 1 : clusterSize); k++) {
        time[row] = longLength * DAY + sessionLength * MINUTE;
        add(part, part === 'train' ? drawn(goesOn) : goesOn * clusterSize + k);
      }
    }

    const numItems = numClusters * clusterSize;
    const cluster = idArray(numItems, numClusters - 1);
    for (let each = 0; each < numItems; each++) cluster[each] = Math.floor(each / clusterSize);
    const goesOnWith = (who: number, what: number): boolean => cluster[what] === next[who];
    return {
      users: { numRows: numUsers, columns: { type: { kind: 'categorical', ids: type, values: TYPES } } },
      items: {
        numRows: numItems,
        columns: { cluster: { kind: 'categorical', ids: cluster, values: numberedValues(numClusters) } },
      },
      interactions: { user, item, time, rating: null, label: null },
      itemTitles: null,
      truth: likingTruth(numItems, goesOnWith),
      fixedSplit: {
        context: Int32Array.from(parts.context),
        train: Int32Array.from(parts.train),
        valid: Int32Array.from(parts.valid),
        test: Int32Array.from(parts.test),
        negatives: null,
      },
    };
  },
});
