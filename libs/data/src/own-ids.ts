import type { PreparedData } from './contract.js';
import type { Texts } from './texts.js';

/** How the data itself calls its users, or its items. */
export interface OwnIds extends Iterable<string> {
  readonly length: number;
  /** The id of a row, which there must be. */
  at(row: number): string;
  /** The row of an id; undefined where nobody is called so. */
  rowOf(id: string): number | undefined;
}

/** The ids of the users of prepared data. */
export function ownUserIds({ userIds, numUsers }: Pick<PreparedData, 'userIds' | 'numUsers'>): OwnIds {
  return ownIds(userIds, numUsers);
}

/** The ids of the items of prepared data. */
export function ownItemIds({ itemIds, numItems }: Pick<PreparedData, 'itemIds' | 'numItems'>): OwnIds {
  return ownIds(itemIds, numItems);
}

/** Ids of `length` rows; without texts the rows are numbered from 1. */
function ownIds(texts: Texts | null, length: number): OwnIds {
  const at = (row: number): string => texts?.at(row) ?? String(row + 1);
  let rows: ReadonlyMap<string, number> | null = null; // made when it is asked for first
  const ids = {
    length,
    at,
    rowOf: (id: string) => (rows ??= new Map(Array.from(ids, (each, row) => [each, row]))).get(id),
    *[Symbol.iterator]() {
      for (let row = 0; row < length; row++) yield at(row);
    },
  };
  return ids;
}
