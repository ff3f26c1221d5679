import { describe, expect, it } from 'vitest';
import { ownItemIds, ownUserIds } from './own-ids.js';
import { packTexts, unpackTexts } from './texts.js';

describe('the ids of users and items', () => {
  it('are those of the source', () => {
    const ids = ownUserIds({ userIds: unpackTexts(packTexts(['u2', 'Zoë', 'a b/c'])), numUsers: 3 });
    expect([...ids]).toEqual(['u2', 'Zoë', 'a b/c']);
    expect(ids.at(1)).toBe('Zoë');
    expect(['a b/c', 'u2', '1', 'zoë'].map((id) => ids.rowOf(id))).toEqual([2, 0, undefined, undefined]);
  });

  it('are numbers from 1 where the source numbers them as the tables do', () => {
    const ids = ownItemIds({ itemIds: null, numItems: 3 });
    expect([...ids]).toEqual(['1', '2', '3']);
    expect(['3', '0', '4', '01'].map((id) => ids.rowOf(id))).toEqual([2, undefined, undefined, undefined]);
  });
});
