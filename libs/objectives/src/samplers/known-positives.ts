import type { PreparedData } from '@towerbench/data';

/** Whether an item is among a user's positives of the training part. */
export type IsKnown = (user: number, item: number) => boolean;

/** What users had in the training part alone; its memory is one number per row. */
export interface KnownPositives {
  readonly isKnown: IsKnown;
  /** The items of a user, rising; an item stands as often as rows have it. */
  itemsOf(user: number): Int32Array;
}

export function knownPositives({ numUsers, train: { user, item, label } }: TrainedRows): KnownPositives {
  const offsets = new Int32Array(numUsers + 1);
  const isPositive = (row: number): boolean => label === null || label[row] === 1;
  for (let row = 0; row < user.length; row++) if (isPositive(row)) offsets[(user[row] as number) + 1]! += 1;
  for (let u = 0; u < numUsers; u++) offsets[u + 1]! += offsets[u] as number;
  const next = offsets.slice(0, numUsers);
  const items = new Int32Array(offsets[numUsers] as number);
  for (let row = 0; row < user.length; row++)
    if (isPositive(row)) items[next[user[row] as number]!++] = item[row] as number;
  for (let u = 0; u < numUsers; u++) items.subarray(offsets[u], offsets[u + 1]).sort();

  const isKnown = (u: number, wanted: number): boolean => {
    let low = offsets[u] as number;
    let high = offsets[u + 1] as number;
    while (low < high) {
      const middle = (low + high) >> 1;
      const found = items[middle] as number;
      if (found === wanted) return true;
      if (found < wanted) low = middle + 1;
      else high = middle;
    }
    return false;
  };
  return { isKnown, itemsOf: (u) => items.subarray(offsets[u], offsets[u + 1]) };
}

type TrainedRows = Pick<PreparedData, 'numUsers'> & {
  readonly train: Pick<PreparedData['train'], 'user' | 'item' | 'label'>;
};
