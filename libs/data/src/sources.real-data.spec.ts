import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { datasets } from './catalog.js';
import type { RankingSet } from './contract.js';
import type { DatasetDefinition } from './definition.js';
import { loadDataset, locate } from './load.js';
import { prepareData } from './prepare.js';

/** The published files may not be passed on; where they are, these run. */
const dataDir = process.env['TOWERBENCH_DATA'] ?? join(import.meta.dirname, '../../../data');
const places = { dataDir, cacheDir: join(tmpdir(), 'towerbench-real-data-cache') };

function section(name: string, params: object = {}): Parameters<typeof prepareData>[0] {
  const definition = datasets.get(name as never) as DatasetDefinition;
  return { name, ...definition.params.parse(params) };
}

describe.skipIf(!existsSync(join(dataDir, 'ml-1m')))(
  'movielens-1m (skipped where TOWERBENCH_DATA has no ml-1m)',
  () => {
    it('has the published counts, titles in Latin-1, and times for every rating of 4 and 5', () => {
      const { interactions, itemTitles } = loadDataset(locate(section('movielens-1m'), places), places);
      expect(interactions.user).toHaveLength(1_000_209);
      expect(itemTitles).toContain('Misérables, Les (1995)');
      const untimed = [...interactions.user.keys()].filter((row) => Number.isNaN(interactions.time?.[row]));
      expect(untimed.filter((row) => (interactions.rating?.[row] as number) >= 4)).toEqual([]);
      expect([0, 335_450]).toContain(untimed.length);
    });

    it('refuses a split by time over rows without time, and says how many', () => {
      const all = section('movielens-1m', { positive: null });
      const { interactions } = loadDataset(locate(all, places), places);
      if (interactions.time?.some(Number.isNaN) === true) {
        expect(() => prepareData(all, places)).toThrow('335450 of 1000209 rows have no time');
      }
    });
  },
);

describe.skipIf(!existsSync(join(dataDir, 'ncf-ml-1m')))(
  'ncf-movielens-1m (skipped where TOWERBENCH_DATA has no ncf-ml-1m)',
  () => {
    it('ranks every user against the published items, the test item never among them', () => {
      const { test, train } = prepareData(section('ncf-movielens-1m'), places) as {
        test: RankingSet;
        train: { user: Int32Array };
      };
      expect(test.users).toHaveLength(6_040);
      expect(train.user).toHaveLength(994_169 - 6_040); // one validation row of each user
      expect(test.negatives?.candidates.items).toHaveLength(6_040 * 99 - 156);
      const { offsets, items } = test.negatives?.candidates as { offsets: Int32Array; items: Int32Array };
      for (let u = 0; u < 6_040; u++)
        expect(items.subarray(offsets[u], offsets[u + 1])).not.toContain(test.positives.items[u]);
    });
  },
);

describe.skipIf(!existsSync(join(dataDir, 'ml-100k')))(
  'movielens-100k (skipped where TOWERBENCH_DATA has no ml-100k)',
  () => {
    it('has the published counts, genres and years', () => {
      const { users, items } = loadDataset(locate(section('movielens-100k'), places), places);
      expect([users.numRows, items.numRows]).toEqual([943, 1_682]);
      const { genres, year } = items.columns;
      expect(genres?.kind === 'multi' && genres.offsets[1]).toBe(3); // Toy Story: Animation, Children's, Comedy
      expect(year?.kind === 'numeric' && year.values[0]).toBe(1995);
    });
  },
);
