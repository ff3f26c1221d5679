import type { PreparedData } from '@towerbench/data';

/** The part of the data that samplers know: its users and the training rows. */
export type TrainedRows = Pick<PreparedData, 'numUsers'> & {
  readonly train: Pick<PreparedData['train'], 'user' | 'item' | 'label'>;
};

/** Items of the training rows that `isKept` keeps, by user and in the order of the rows; their memory is one number per row. */
export function itemsByUser(
  { numUsers, train: { user, item } }: TrainedRows,
  isKept: (row: number) => boolean,
): (user: number) => Int32Array {
  const offsets = new Int32Array(numUsers + 1);
  for (let row = 0; row < user.length; row++) if (isKept(row)) offsets[(user[row] as number) + 1]! += 1;
  for (let u = 0; u < numUsers; u++) offsets[u + 1]! += offsets[u] as number;
  const next = offsets.slice(0, numUsers);
  const items = new Int32Array(offsets[numUsers] as number);
  for (let row = 0; row < user.length; row++)
    if (isKept(row)) items[next[user[row] as number]!++] = item[row] as number;
  return (of) => items.subarray(offsets[of], offsets[of + 1]);
}
