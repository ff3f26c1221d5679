import type { PreparedData } from '@towerbench/data';

/** Who interacted with what: the 0/1 matrix that baselines are computed from, by its rows and by its columns; ids ascend. */
export interface Positives {
  readonly itemsOf: readonly Int32Array[];
  readonly usersOf: readonly Int32Array[];
}

/** The pairs of the training part, of a labelled one those that are positive. A pair that occurs again counts once. */
export function trainingPositives({ train, numUsers, numItems }: PreparedData): Positives {
  const items: number[][] = Array.from({ length: numUsers }, () => []);
  for (const [row, user] of train.user.entries()) {
    if (train.label === null || train.label[row] === 1) items[user]?.push(train.item[row] as number);
  }
  const itemsOf = items.map((list) => Int32Array.from(new Set(list)).sort());
  const users: number[][] = Array.from({ length: numItems }, () => []);
  for (const [user, list] of itemsOf.entries()) for (const item of list) users[item]?.push(user);
  return { itemsOf, usersOf: users.map((list) => Int32Array.from(list)) };
}
