/** What planted worlds share. */
import type { Rng } from '@towerbench/engine';
import type { FixedSplit, Truth } from '../contract.js';
import { commonParams, fixedSplit, type DatasetContent, type DatasetFacts, type FeatureSpec } from '../definition.js';

/** Facts of a dataset that ships as code. */
export const madeByCode: DatasetFacts = {
  license: 'Made by code; no terms.',
  address: null,
  downloads: [],
  files: {},
  counts: null,
};

/** The common keys of a world that says itself which rows are for training, validation and testing. */
export function worldParams(features: {
  readonly query: readonly FeatureSpec[];
  readonly candidate: readonly FeatureSpec[];
}) {
  return commonParams({ positive: null, split: fixedSplit('given'), ...features });
}

/** The truth that gives every pair its `score`. */
export function truthOf(numItems: number, score: (user: number, item: number) => number): Truth {
  return {
    scoreUsers: (users) => matrixOf(users, numItems, score),
    scorePairs: (users, items) => Float32Array.from(users, (user, k) => score(user, items[k] as number)),
  };
}

/**
 * Labelled rows, each of a user of its own with a random item and a click with probability σ(log-odds); `numEvaluationRows` each for
 * validation and testing.
 */
export function clickThrough(
  draws: Rng,
  {
    numRows,
    numEvaluationRows,
    numItems,
    logOdds,
  }: {
    readonly numRows: number;
    readonly numEvaluationRows: number;
    readonly numItems: number;
    readonly logOdds: (user: number, item: number) => number;
  },
): Pick<DatasetContent, 'interactions' | 'truth' | 'fixedSplit'> {
  const total = numRows + 2 * numEvaluationRows;
  const user = Int32Array.from({ length: total }, (_, row) => row);
  const item = new Int32Array(total);
  const label = new Uint8Array(total);
  for (let row = 0; row < total; row++) {
    item[row] = draws.int(numItems);
    label[row] = draws.uniform() < 1 / (1 + Math.exp(-logOdds(row, item[row] as number))) ? 1 : 0;
  }
  return {
    interactions: { user, item, time: null, rating: null, label },
    truth: truthOf(numItems, logOdds),
    fixedSplit: partsInOrder({ train: numRows, valid: numEvaluationRows, test: numEvaluationRows }),
  };
}

/**
 * The truth that puts the items that a user `likes` first, where all of them are to be found. Any order of equals is as true as another;
 * it is that of their numbers, because items that tie share their places, and the best NDCG would not be 1.
 */
export function likingTruth(numItems: number, likes: (user: number, item: number) => boolean): Truth {
  return truthOf(numItems, (user, item) => (likes(user, item) ? 1 : 0) - item / (2 * numItems));
}

/** A value of every item for each of `users`: [users, items]. */
export function matrixOf(
  users: Int32Array,
  numItems: number,
  valueOf: (user: number, item: number) => number,
): Float32Array {
  const values = new Float32Array(users.length * numItems);
  let at = 0;
  for (const user of users) for (let item = 0; item < numItems; item++) values[at++] = valueOf(user, item);
  return values;
}

/** The parts of rows in order: so many of `train`, then of `valid`, then of `test`. With `numUsers`, so many of each user, one user after the other. */
export function partsInOrder(
  { train, valid, test }: { readonly train: number; readonly valid: number; readonly test: number },
  numUsers = 1,
): FixedSplit {
  const perUser = train + valid + test;
  const rows = (start: number, count: number): Int32Array =>
    Int32Array.from({ length: numUsers * count }, (_, k) => Math.floor(k / count) * perUser + start + (k % count));
  return { train: rows(0, train), valid: rows(train, valid), test: rows(train + valid, test), negatives: null };
}

/** Standard normal numbers. */
export function normals(rng: Rng, length: number): Float64Array {
  return Float64Array.from({ length }, () => rng.normal());
}
