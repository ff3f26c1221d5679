import { z } from 'zod';
import {
  commonParams,
  dataError,
  defineDataset,
  fixedSplit,
  type DatasetContent,
  type InputFile,
} from '../definition.js';
import { formatError, idLists, numbersTo, type IdLists } from './rows.js';

/** Of the repository of the paper, in which the files have the git ids below. */
const FILES =
  'https://raw.githubusercontent.com/gusye1234/LightGCN-PyTorch/947ca2b3b1d2d3545b114145710cb06c4e57b3d2/data/gowalla';
const NUM_USERS = 29_858;
const NUM_ITEMS = 40_981;
/** The folder of the repository, and that of copies in which a tenth of the training part is held out in `valid.txt`. */
const FOLDERS = ['gowalla', 'lightgcn-gowalla'] as const;

const part = (name: string): [string, ...string[]] =>
  FOLDERS.flatMap((folder) => [`${folder}/${name}.txt`, `${folder}/${name}.txt.gz`]) as [string, ...string[]];

function readPart(input: InputFile): IdLists {
  const read = idLists(input);
  for (const [line, user] of read.owners.entries()) {
    if (user >= NUM_USERS)
      throw formatError(`${input.path}:${line + 1}: user ${user} is none of 0 to ${NUM_USERS - 1}`);
    const item = read.lists[line]?.find((id) => id >= NUM_ITEMS);
    if (item !== undefined) {
      throw formatError(`${input.path}:${line + 1}: item ${item} is none of 0 to ${NUM_ITEMS - 1}`);
    }
  }
  return read;
}

/** Refuses a pair that two of the parts hold: they are then not parts of one split. */
function requireDisjoint(parts: readonly { readonly path: string; readonly lists: IdLists }[]): void {
  const inPart = new Map<number, string>();
  for (const { path, lists } of parts) {
    for (const [line, user] of lists.owners.entries()) {
      for (const item of lists.lists[line] as Int32Array) {
        const pair = user * NUM_ITEMS + item;
        const other = inPart.get(pair);
        if (other !== undefined) {
          throw formatError(
            `${path}:${line + 1}: item ${item} of user ${user} is in ${other === path ? 'this file twice' : `${other} too`}`,
          );
        }
        inPart.set(pair, path);
      }
    }
  }
}

/**
 * Gowalla check-ins in the split of NGCF and LightGCN (10-core, a fifth of each user's places at random for testing). Places are ranked over
 * the whole catalogue, those of the training part removed. There are no times.
 *
 * The published numbers are of models trained on the whole training part, without validation. Here one training row of each user, drawn
 * by `dataset.seed`, is kept for validation (29,858 of 810,128); `validation: given` takes instead what copies of the data hold out in
 * `valid.txt` (91,047 rows). Such copies hold the training rows in another order, so they draw other rows and have another fingerprint.
 * @source He et al. 2020, "LightGCN", doi:10.1145/3397271.3401063; Cho et al. 2011 for the check-ins
 */
export const gowallaLightgcn = defineDataset({
  name: 'gowalla-lightgcn',
  revision: 1,
  summary: 'Gowalla check-ins in the split of NGCF and LightGCN, without times.',
  reference: {
    title: 'LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation',
    year: 2020,
    url: 'https://doi.org/10.1145/3397271.3401063',
  },
  task: 'ranking',
  hasTruth: false,
  params: z.strictObject(
    commonParams({
      positive: null,
      split: fixedSplit('random-train-item', 'random-train-item-kept', 'given'),
      query: ['user_id'],
      candidate: ['item_id'],
    }),
  ),
  facts: {
    license: 'The repositories state none; SNAP, where the check-ins come from, asks for citation.',
    address: 'https://github.com/gusye1234/LightGCN-PyTorch',
    downloads: [
      { file: 'train.txt', git: 'a27782bd7a1d4d0744148dc0460ea94da74763f2', sizeBytes: null },
      { file: 'test.txt', git: '9ed5af4b5d21511f33740b4e22e3852f45671800', sizeBytes: 1_372_559 },
    ].map(({ file, git, sizeBytes }) => ({
      address: `${FILES}/${file}`,
      checksum: `git:${git}` as const,
      sizeBytes,
      files: { '': `${FOLDERS[0]}/${file}` },
    })),
    files: {
      train: { anyOf: part('train'), content: 'user item item ... by spaces, from 0' },
      valid: { anyOf: part('valid'), content: 'the same, where it was held out of train', optional: true },
      test: { anyOf: part('test'), content: 'user item item ... by spaces, from 0' },
    },
    counts: { interactions: 1_027_370, users: NUM_USERS, items: NUM_ITEMS },
  },
  load: ({ params, files }): DatasetContent => {
    const { train, valid, test } = files;
    const isGiven = params.split.validation === 'given';
    if (isGiven && valid === undefined) {
      throw dataError('split-validation', 'dataset.split.validation', 'there is no file of validation rows', {
        received: 'given',
        allowed: 'random-train-item, random-train-item-kept',
        hint: `put it at ${FOLDERS[0]}/valid.txt in the data folder`,
      });
    }
    const parts = [train, valid, test].flatMap((input) =>
      input === undefined ? [] : [{ input, path: input.path, lists: readPart(input) }],
    );
    requireDisjoint(parts);
    const numRows = parts.reduce(
      (sum, { lists }) => sum + lists.lists.reduce((size, { length }) => size + length, 0),
      0,
    );
    const [user, item] = [new Int32Array(numRows), new Int32Array(numRows)];
    const rows = { train: [] as number[], valid: [] as number[], test: [] as number[] };
    let at = 0;
    for (const { input, lists } of parts) {
      const to = input === test ? rows.test : input === valid && isGiven ? rows.valid : rows.train;
      for (const [line, list] of lists.lists.entries()) {
        for (const id of list) {
          user[at] = lists.owners[line] as number;
          item[at] = id;
          to.push(at++);
        }
      }
    }
    return {
      users: { numRows: NUM_USERS, columns: {} },
      items: { numRows: NUM_ITEMS, columns: {} },
      interactions: { user, item, time: null, rating: null, label: null },
      userIds: numbersTo(NUM_USERS),
      itemIds: numbersTo(NUM_ITEMS),
      itemTitles: null,
      truth: null,
      fixedSplit: {
        train: Int32Array.from(rows.train),
        valid: Int32Array.from(rows.valid),
        test: Int32Array.from(rows.test),
        negatives: null,
      },
    };
  },
});
