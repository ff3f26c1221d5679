import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '@towerbench/config';
import { afterAll, describe, expect, it } from 'vitest';
import { digestOf } from '../cache.js';
import type { Dataset } from '../contract.js';
import { loadDataset, locate } from '../load.js';
import { readyDataset } from '../ready.js';

/** The published files may not be passed on; where they are, these run. */
const dataDir = process.env['TOWERBENCH_DATA'] ?? join(import.meta.dirname, '../../../../data');
const cacheDir = mkdtempSync(join(tmpdir(), 'towerbench-own-real-data-'));
afterAll(() => rmSync(cacheDir, { recursive: true }));

async function read(tables: Readonly<Record<string, Json>>, rest: Readonly<Record<string, Json>>): Promise<Dataset> {
  const section = { name: 'custom', ...tables, ...rest };
  await readyDataset(section, { dataDir, cacheDir });
  return loadDataset(locate(section, { dataDir, cacheDir }), { dataDir, cacheDir });
}
const countsOf = ({ interactions, users, items }: Dataset): number[] => [interactions.user.length, users.numRows, items.numRows]; // prettier-ignore
const sumOf = (values: Uint8Array | null): number => values?.reduce((sum, value) => sum + value, 0) ?? NaN;
const timesOf = ({ interactions: { time } }: Dataset): string[] =>
  [Math.min, Math.max].map((most) => new Date(1000 * most(...(time ?? []))).toISOString().slice(0, 10)); // prettier-ignore

describe.skipIf(!existsSync(join(dataDir, 'open-bandit-sample')))(
  'Open Bandit logs by custom (skipped where TOWERBENCH_DATA has no open-bandit-sample)',
  () => {
    const folder = join(dataDir, 'open-bandit-sample');
    it.each([
      ['random_men', 34, 46, [1 / 34, 1 / 34]],
      ['random_women', 46, 46, [1 / 46, 1 / 46]],
      ['bts_men', 34, 69, [0.000165, 0.72529]],
      ['bts_women', 46, 46, [0.000001, 0.9628]],
    ])('of %s have the published counts, clicks and propensities', async (name, numItems, clicks, propensities) => {
      const { interactions, items, ...dataset } = await read(
        {
          interactions: {
            folder,
            sql: `SELECT *, concat_ws(' ', user_feature_0, user_feature_1, user_feature_2, user_feature_3) AS who FROM read_csv('${name}.csv.gz')`,
            columns: { user: 'who', item: 'item_id', time: 'timestamp', label: 'click' },
            numbers: { propensity: 'propensity_score', position: 'position' },
          },
          items: {
            folder,
            files: `${name}_item_context.csv`,
            columns: { item: 'item_id' },
            features: { item_feature_0: { kind: 'numeric' }, item_feature_1: { kind: 'categorical' } },
          },
        },
        { task: 'labelled', split: { protocol: 'global-time' } },
      );
      expect([interactions.user.length, items.numRows, sumOf(interactions.label)]).toEqual([10_000, numItems, clicks]);
      const { propensity = new Float32Array(), position = new Float32Array() } = interactions.numbers ?? {};
      const [least, most] = propensities as [number, number];
      expect(Math.min(...propensity) / least).toBeCloseTo(1, 2);
      expect(Math.max(...propensity) / most).toBeCloseTo(1, 4);
      expect(new Set(position)).toEqual(new Set([1, 2, 3]));
      expect(timesOf({ interactions, items, ...dataset })).toEqual(['2019-11-24', '2019-11-30']);
      expect(Object.keys(items.columns)).toEqual(['item_feature_0', 'item_feature_1']);
    });
  },
);

describe.skipIf(!existsSync(join(dataDir, 'yidian-news-sample')))(
  'Yidian exposures by custom (skipped where TOWERBENCH_DATA has no yidian-news-sample)',
  () => {
    it('have the published counts, and times out of milliseconds', async () => {
      const dataset = await read(
        {
          interactions: {
            folder: join(dataDir, 'yidian-news-sample'),
            files: 'yidian_news_sampled.csv',
            columns: { user: 'userId', item: 'itemId', time: 'showTime', label: 'click' },
          },
        },
        { task: 'labelled', split: { protocol: 'ratio' } },
      );
      expect(countsOf(dataset)).toEqual([1_000, 2, 979]);
      expect(sumOf(dataset.interactions.label)).toBe(110);
      expect(timesOf(dataset)[0]).toMatch(/^2021-0/);
    });
  },
);

describe.skipIf(!existsSync(join(dataDir, 'ml-100k')))(
  'movielens-100k by custom (skipped where TOWERBENCH_DATA has no ml-100k)',
  () => {
    it('has what its own loader has, whose users and items are in the order of their ids', async () => {
      const folder = join(dataDir, 'ml-100k');
      const dataset = await read(
        {
          interactions: {
            folder,
            files: 'u.data.gz',
            names: ['user', 'item', 'rating', 'time'],
            columns: { user: 'user', item: 'item', rating: 'rating', time: 'time' },
          },
          items: {
            folder,
            files: 'u.item',
            format: 'csv',
            encoding: 'latin-1',
            delimiter: '|',
            names: ['item', 'title', ...Array.from({ length: 22 }, (_, k) => `c${k}`)],
            columns: { item: 'item', title: 'title' },
          },
        },
        {},
      );
      const places = { dataDir, cacheDir };
      const known = loadDataset(locate({ name: 'movielens-100k' }, places), places);
      expect(countsOf(dataset)).toEqual([100_000, 943, 1_682]);
      const rowsOf = ({ interactions: { user, item, time, rating } }: Dataset): string => digestOf({ user, item, time, rating }); // prettier-ignore
      expect(rowsOf(dataset)).toBe(rowsOf(known));
      expect([0, 100, 1_681].map((row) => dataset.itemTitles?.at(row))).toEqual([0, 100, 1_681].map((row) => known.itemTitles?.at(row))); // prettier-ignore
    });
  },
);
