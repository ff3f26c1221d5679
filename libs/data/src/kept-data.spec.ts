import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '@towerbench/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from './cache.js';
import type { PreparedData } from './contract.js';
import { prepareData } from './prepare.js';
import { readyDataset } from './ready.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-kept-data-'));
const places = { dataDir: folder, cacheDir: join(folder, 'cache') };
afterAll(() => rmSync(folder, { recursive: true }));

/** A million rows. */
const sql = `SELECT 'user ' || k % 5000 AS u, 'item ' || hash(k) % 300 AS i, k AS t FROM range(1000000) r(k)`;
const itemsSql = `SELECT 'item ' || k AS i, 'Title ' || k AS title, 'c' || k % 7 AS c, 'd' || k % 3 AS d FROM range(300) r(k)`;
const features = { c: { kind: 'categorical' }, d: { kind: 'categorical' } };
const sectionOf = (category: string, rest: Record<string, Json> = {}): Parameters<typeof prepareData>[0] => ({
  name: 'custom',
  interactions: { folder, sql, columns: { user: 'u', item: 'i', time: 't' } },
  items: { folder, sql: itemsSql, columns: { item: 'i', title: 'title' }, features, category },
  ...rest,
});
const keptFiles = (): string[] => readdirSync(places.cacheDir).filter((name) => name.startsWith('prepared-'));
const digest = ({ userIds, itemIds, itemTitles, ...data }: PreparedData): string => {
  const some = [0, 1, 17, 299].map((row) => [userIds, itemIds, itemTitles].map((texts) => texts?.at(row) ?? null));
  return digestOf({ ...data, lengths: [userIds?.length, itemIds?.length, itemTitles?.length], some });
};

describe('prepared data of a million rows', () => {
  let made: string;
  beforeAll(async () => {
    await readyDataset(sectionOf('c'), places);
    made = digest(prepareData(sectionOf('c'), places));
  });

  it('is kept, and read as it was made', () => {
    expect(keptFiles()).toHaveLength(1);
    expect(digest(prepareData(sectionOf('c'), places))).toBe(made);
  });

  it('is made again where the file is damaged', () => {
    const path = join(places.cacheDir, keptFiles()[0] as string);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1_000] = (bytes[bytes.length - 1_000] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(digest(prepareData(sectionOf('c'), places))).toBe(made);
  });

  it('is another for other features, rarer ids, another split and another category', async () => {
    await readyDataset(sectionOf('d'), places);
    const others = [
      sectionOf('d'),
      sectionOf('c', { minFrequency: 3500 }),
      sectionOf('c', { features: { candidate: ['item_id', 'c'] } }),
      sectionOf('c', { split: { protocol: 'leave-last-k', k: 2 } }),
    ];
    const digests = others.map((section) => digest(prepareData(section, places)));
    expect(new Set([made, ...digests]).size).toBe(others.length + 1);
    expect(keptFiles()).toHaveLength(others.length + 1);
    expect(others.map((section) => digest(prepareData(section, places)))).toEqual(digests);
  });
});
