import type { PreparedData } from '@towerbench/data';
import { describe, expect, it } from 'vitest';
import { trainingPositives } from './positives.js';

describe('trainingPositives', () => {
  const user = Int32Array.of(2, 0, 0, 2, 0);
  const item = Int32Array.of(11, 3, 11, 2, 3);
  const data = (label: Uint8Array | null) =>
    ({ numUsers: 3, numItems: 12, train: { user, item, label, historyEnd: new Int32Array(5) } }) as PreparedData;
  const plain = (lists: readonly Int32Array[]) => lists.map((list) => [...list]);

  it('lists items by user and users by item, ascending by number, a repeated pair once', () => {
    const { itemsOf, usersOf } = trainingPositives(data(null));
    expect(plain(itemsOf)).toEqual([[3, 11], [], [2, 11]]);
    expect(plain(usersOf)).toEqual([[], [], [2], [0], [], [], [], [], [], [], [], [0, 2]]);
  });

  it('leaves out rows that are labelled 0', () => {
    const { itemsOf } = trainingPositives(data(Uint8Array.of(1, 0, 1, 0, 1)));
    expect(plain(itemsOf)).toEqual([[3, 11], [], [11]]);
  });
});
