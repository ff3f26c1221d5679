import { itemsByUser, type TrainedRows } from './items-by-user.js';

/** Whether an item is among a user's positives of the training part. */
export type IsKnown = (user: number, item: number) => boolean;

/** What users had in the training part alone. */
export interface KnownPositives {
  readonly isKnown: IsKnown;
  /** The items of a user, rising; an item stands as often as rows have it. */
  itemsOf(user: number): Int32Array;
}

export function knownPositives(data: TrainedRows): KnownPositives {
  const { label } = data.train;
  const itemsOf = itemsByUser(data, (row) => label === null || label[row] === 1);
  for (let u = 0; u < data.numUsers; u++) itemsOf(u).sort();

  const isKnown = (u: number, wanted: number): boolean => {
    const items = itemsOf(u);
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const found = items[middle] as number;
      if (found === wanted) return true;
      if (found < wanted) low = middle + 1;
      else high = middle;
    }
    return false;
  };
  return { isKnown, itemsOf };
}
