import { z } from 'zod';
import { commonParams, defineDataset, fixedSplit, type DatasetContent, type InputFile } from '../definition.js';
import { formatError, numberRows, numbersTo, textLines } from './rows.js';

/** Of the repository of the paper, in which the files have the git ids below. */
const COMMIT = '4aab159e81c44b062c091bdaed0ab54ac632371f';
const NUM_USERS = 6_040;
const NUM_ITEMS = 3_706;
const LIST_LENGTH = 99;
const CANDIDATE_LISTS = `sampled-${LIST_LENGTH}`;

/** The list of each test row, the test item left out of its own. */
function readLists(input: InputFile, test: { readonly user: Int32Array; readonly item: Int32Array }): Int32Array[] {
  const lines = textLines(input);
  const numRows = test.item.length;
  if (lines.length !== numRows) {
    throw formatError(
      `${input.path} has ${lines.length} ${lines.length === 1 ? 'list' : 'lists'} for ${numRows} test rows`,
    );
  }
  return lines.map((line, k) => {
    const [pair, ...items] = line.split('\t');
    const row = `(${test.user[k]},${test.item[k]})`;
    if (pair !== row) {
      throw formatError(`${input.path}:${k + 1}: the list of ${pair} stands where the test row is ${row}`);
    }
    if (items.length !== LIST_LENGTH) {
      throw formatError(`${input.path}:${k + 1}: ${items.length} items instead of ${LIST_LENGTH}`);
    }
    return Int32Array.from(items, Number).filter((item) => item !== test.item[k]);
  });
}

/**
 * The leave-one-out split of MovieLens 1M by He et al. 2017: the latest rating of each user is for testing, and is ranked against
 * 99 published items as well (`sampled-99`). Every rating is a positive.
 *
 * 156 of the published lists hold the test item itself; it is left out of its own candidates.
 * @source He et al. 2017, "Neural Collaborative Filtering", doi:10.1145/3038912.3052569
 */
export const ncfMovielens1m = defineDataset({
  name: 'ncf-movielens-1m',
  revision: 1,
  summary: 'MovieLens 1M in the leave-one-out split of NCF, with its 99 negatives per user.',
  reference: { title: 'Neural Collaborative Filtering', year: 2017, url: 'https://doi.org/10.1145/3038912.3052569' },
  task: 'ranking',
  candidateLists: CANDIDATE_LISTS,
  hasTruth: false,
  params: z.strictObject(
    commonParams({
      positive: null,
      split: fixedSplit('random-train-item', 'random-train-item-kept'),
      query: ['user_id'],
      candidate: ['item_id'],
    }),
  ),
  facts: {
    license: 'The ratings are MovieLens 1M: research use with citation; no redistribution without permission.',
    address: 'https://github.com/hexiangnan/neural_collaborative_filtering',
    downloads: [
      { file: 'ml-1m.train.rating', git: '31ba384fd58dac8fbd09d2dfc6616431f3563ab5', sizeBytes: null },
      { file: 'ml-1m.test.rating', git: '1b79e03c96710c3b0c35deb19155ef74f7965a02', sizeBytes: 128_039 },
      { file: 'ml-1m.test.negative', git: 'c82844fb99d021f94751a6f915a230a1e8b8da92', sizeBytes: 2_891_424 },
    ].map(({ file, git, sizeBytes }) => ({
      address: `https://raw.githubusercontent.com/hexiangnan/neural_collaborative_filtering/${COMMIT}/Data/${file}`,
      checksum: `git:${git}` as const,
      sizeBytes,
      files: { '': `ncf-ml-1m/${file}` },
    })),
    files: {
      train: {
        anyOf: ['ncf-ml-1m/ml-1m.train.rating', 'ncf-ml-1m/ml-1m.train.rating.gz'],
        content: 'user <tab> item <tab> rating <tab> timestamp',
      },
      test: { anyOf: ['ncf-ml-1m/ml-1m.test.rating'], content: 'user <tab> item <tab> rating <tab> timestamp' },
      negatives: {
        anyOf: ['ncf-ml-1m/ml-1m.test.negative', 'ncf-ml-1m/ml-1m.test.negative.gz'],
        content: '(user,item) and 99 items, parted by tabs',
      },
    },
    counts: { interactions: 1_000_209, users: NUM_USERS, items: NUM_ITEMS },
  },
  load: ({ files }): DatasetContent => {
    const read = (input: InputFile): Float64Array[] =>
      numberRows(input, { separator: '\t', columns: 4, header: false });
    const train = read(files['train'] as InputFile);
    const test = read(files['test'] as InputFile);
    const column = (index: number): Float64Array => {
      const joined = new Float64Array((train[index] as Float64Array).length + (test[index] as Float64Array).length);
      joined.set(train[index] as Float64Array);
      joined.set(test[index] as Float64Array, (train[index] as Float64Array).length);
      return joined;
    };
    const numTrain = (train[0] as Float64Array).length;
    const numTest = (test[0] as Float64Array).length;
    const user = Int32Array.from(column(0));
    const item = Int32Array.from(column(1));
    return {
      users: { numRows: NUM_USERS, columns: {} },
      items: { numRows: NUM_ITEMS, columns: {} },
      interactions: {
        user,
        item,
        time: column(3),
        rating: Float32Array.from(column(2)),
        label: null,
      },
      userIds: numbersTo(NUM_USERS),
      itemIds: numbersTo(NUM_ITEMS),
      itemTitles: null,
      truth: null,
      fixedSplit: {
        train: Int32Array.from({ length: numTrain }, (_, row) => row),
        valid: new Int32Array(0),
        test: Int32Array.from({ length: numTest }, (_, row) => numTrain + row),
        negatives: {
          name: CANDIDATE_LISTS,
          items: readLists(files['negatives'] as InputFile, {
            user: user.subarray(numTrain),
            item: item.subarray(numTrain),
          }),
        },
      },
    };
  },
});
