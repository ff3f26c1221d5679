import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeFiles, type Description } from './describe.js';
import { loadedDraft } from './loaded-draft.js';

/** The published files may not be passed on; where they are, these run. */
const dataDir = process.env['TOWERBENCH_DATA'] ?? join(import.meta.dirname, '../../../../../data');
const cacheDir = mkdtempSync(join(tmpdir(), 'towerbench-describe-real-data-'));
afterAll(() => rmSync(cacheDir, { recursive: true }));

const has = (folder: string): boolean => existsSync(join(dataDir, folder));
const described = (folder: string, ...files: readonly string[]): Promise<Description> =>
  describeFiles(files, { folder: join(dataDir, folder), cacheDir });

/** The columns of each table that is used, and what they are taken for; those of features alone by how many there are of a kind. */
function rolesOf({ tables }: Description): Record<string, Record<string, string | number>> {
  return Object.fromEntries(
    tables.flatMap(({ role, columns }) => {
      const found: Record<string, string | number> = {};
      for (const { name, role: of, kind } of columns) {
        if (kind !== undefined) found[kind] = ((found[kind] as number | undefined) ?? 0) + 1;
        else if (of !== null) found[of] = of === 'number' ? ((found[of] as number | undefined) ?? 0) + 1 : name;
      }
      return role === null ? [] : [[role, found]];
    }),
  );
}

/** Rows, users and items of what the draft reads. */
async function countsOf(description: Description): Promise<number[]> {
  const { interactions, users, items } = await loadedDraft(description, dataDir, { dataDir, cacheDir });
  return [interactions.user.length, users.numRows, items.numRows];
}

const timeOf = (description: Description): string | undefined =>
  description.draft(null).reasons.find(({ path }) => path.join('.') === 'interactions.columns.time')?.text;

describe('described', () => {
  it.skipIf(!has('ml-1m'))('MovieLens 1M, without names of columns and parted by two colons (skipped where TOWERBENCH_DATA has no ml-1m)', async () => {
    const found = await described('ml-1m', 'ratings_known_ts.dat.gz', 'users.dat', 'movies.dat');
    expect(rolesOf(found)).toEqual({
      interactions: { user: 'column0', item: 'column1', rating: 'column2', time: 'column3' },
      users: { user: 'column0', categorical: 1, numeric: 2 },
      items: { item: 'column0', title: 'column1', multi: 1 },
    });
    expect(found.draft(null).dataset['items']).toMatchObject({ encoding: 'latin-1' });
  }); // prettier-ignore

  it.skipIf(!has('ml-1m'))('MovieLens 1M as CSV, out of its folder (skipped where TOWERBENCH_DATA has no ml-1m)', async () => {
    const found = await described('ml-1m', '.');
    expect(rolesOf(found)['interactions']).toEqual({ user: 'user_id', item: 'movie_id', rating: 'rating', time: 'timestamp' });
    expect(found.tables.find(({ role }) => role === 'interactions')?.profile).toMatchObject({ rows: 1_000_209, isCounted: true });
    expect(timeOf(found)).toMatch(/^named as times are; 10-digit whole numbers, as seconds since 1970 they are 2000-/);
    expect(await countsOf(found)).toEqual([575_281, 6_038, 3_533]); // ratings of 4 and 5, all of which have a time
  }); // prettier-ignore

  it.skipIf(!has('ml-100k'))('MovieLens 100K, whose files have endings of their own (skipped where TOWERBENCH_DATA has no ml-100k)', async () => {
    const found = await described('ml-100k', 'u.data.gz', 'u.user', 'u.item');
    expect(rolesOf(found)).toMatchObject({
      interactions: { user: 'column0', item: 'column1', rating: 'column2', time: 'column3' },
      users: { user: 'column0', numeric: 1, categorical: 2 },
      items: { item: 'column0', title: 'column1' },
    });
    expect(timeOf(found)).toBe('9-digit whole numbers, as seconds since 1970 they are 1997-09-20 to 1998-04-22');
    expect(await countsOf(found)).toEqual([55_375, 942, 1_447]); // ratings of 4 and 5
  }); // prettier-ignore

  it.skipIf(!has('kuairand-subset'))('KuaiRand, a log with many signals (skipped where TOWERBENCH_DATA has no kuairand-subset)', async () => {
    const found = await described('kuairand-subset', 'processed_standard_kcore_15.tsv.gz', 'user_features_pure.csv.gz');
    expect(rolesOf(found)).toMatchObject({
      interactions: { user: 'user_id', item: 'video_id', time: 'timestamp', label: 'label', watch_time: 'play_time_ms' },
      users: { user: 'user_id' },
    });
    expect((await countsOf(found))[0]).toBeGreaterThan(10_000);
  }); // prettier-ignore

  it.skipIf(!has('yidian-news-sample'))('Yidian news, what was shown with a click (skipped where TOWERBENCH_DATA has no yidian-news-sample)', async () => {
    const found = await described('yidian-news-sample', 'yidian_news_sampled.csv');
    expect(rolesOf(found)['interactions']).toEqual({ user: 'userId', item: 'itemId', time: 'showTime', label: 'click', number: 1 });
    expect(timeOf(found)).toMatch(/13-digit whole numbers, as milliseconds since 1970 they are 2021-06-24 to 2021-07-06$/);
  }); // prettier-ignore

  it.skipIf(!has('lightgcn-gowalla'))(
    'not: Gowalla, a user with a list of items in each line (skipped where TOWERBENCH_DATA has no lightgcn-gowalla)',
    async () => {
      await expect(described('lightgcn-gowalla', 'train.txt.gz')).rejects.toThrow(/no column could be a user beside one that could be an item/); // prettier-ignore
    },
  );

  it.skipIf(!has('open-bandit-sample'))('not: Open Bandit, which has no users (skipped where TOWERBENCH_DATA has no open-bandit-sample)', async () => {
    await expect(described('open-bandit-sample', 'random_men.csv.gz')).rejects.toThrow(/no column could be a user/);
  }); // prettier-ignore
});
