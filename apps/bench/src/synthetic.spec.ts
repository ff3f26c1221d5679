import { describe, expect, it } from 'vitest';
import { assembleQuery } from '@towerbench/data';
import { createRng } from '@towerbench/engine';
import { syntheticData } from './synthetic.js';

describe('syntheticData', () => {
  it('has about as many distinct users and items in a batch of 2,048 as MovieLens-1M, 1,475 and 1,001', () => {
    const { train } = syntheticData({ numRows: 575_281, numUsers: 6040, uniformUsers: false, historyLength: 0 });
    const rng = createRng(1);
    const batch = Array.from({ length: 2048 }, () => rng.int(train.user.length));
    expect(new Set(batch.map((row) => train.user[row])).size).toBeGreaterThan(1375);
    expect(new Set(batch.map((row) => train.user[row])).size).toBeLessThan(1575);
    expect(new Set(batch.map((row) => train.item[row])).size).toBeGreaterThan(900);
    expect(new Set(batch.map((row) => train.item[row])).size).toBeLessThan(1100);
  });

  it('gives each row the items before it as its history, the latest first', () => {
    const data = syntheticData({ numRows: 1000, numUsers: 20, uniformUsers: true, historyLength: 3 });
    const { user, item, historyEnd } = data.train;
    const row = historyEnd.indexOf(5);
    const { ids } = assembleQuery(data, user.subarray(row, row + 1), historyEnd.subarray(row, row + 1));
    const idOf = data.candidate.ids[0]?.ids;
    expect([...(ids['history'] ?? [])]).toEqual([1, 2, 3].map((back) => idOf?.[item[row - back] as number]));
  });

  it('keeps every id within its vocabulary', () => {
    const { query, candidate, vocabularies } = syntheticData({
      numRows: 1000,
      numUsers: 5000,
      uniformUsers: true,
      historyLength: 0,
    });
    for (const { ids, vocabulary } of [...query.ids, ...candidate.ids]) {
      expect(Math.min(...ids)).toBeGreaterThanOrEqual(2);
      expect(Math.max(...ids)).toBeLessThan(vocabularies[vocabulary]?.size ?? 0);
    }
  });
});
