import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assembleQuery } from './assemble.js';
import { datasets } from './catalog.js';
import type { RankingSet } from './contract.js';
import type { DatasetDefinition, InputFile } from './definition.js';
import { loadDataset, locate } from './load.js';
import { prepareData } from './prepare.js';
import { kuairandPure } from './sources/kuairand.js';

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

describe.skipIf(!existsSync(join(dataDir, 'lightgcn-gowalla')))(
  'gowalla-lightgcn (skipped where TOWERBENCH_DATA has no lightgcn-gowalla)',
  () => {
    it('has the published counts, with validation rows drawn from the whole training part or as given', () => {
      const drawn = prepareData(section('gowalla-lightgcn'), places) as {
        train: { user: Int32Array };
        test: RankingSet;
      };
      expect(drawn.train.user).toHaveLength(810_128 - 29_858);
      expect(drawn.test.users).toHaveLength(29_858);
      expect(drawn.test.positives.items).toHaveLength(217_242);
      const given = prepareData(
        section('gowalla-lightgcn', { split: { protocol: 'fixed', validation: 'given' } }),
        places,
      ) as unknown as { train: { user: Int32Array }; valid: RankingSet; test: RankingSet };
      expect(given.train.user).toHaveLength(719_081);
      expect(given.valid.positives.items).toHaveLength(91_047);
      expect(given.test.positives.items).toEqual(drawn.test.positives.items);
    });
  },
);

describe.skipIf(!existsSync(join(dataDir, 's3rec-amazon-beauty')))(
  'amazon-beauty-s3rec (skipped where TOWERBENCH_DATA has no s3rec-amazon-beauty)',
  () => {
    it('has the published counts, at least 5 rows for each user and item, and 637 attributes', () => {
      const { interactions, users, items } = loadDataset(locate(section('amazon-beauty-s3rec'), places), places);
      expect([interactions.user.length, users.numRows, items.numRows]).toEqual([198_502, 22_363, 12_101]);
      for (const side of ['user', 'item'] as const) {
        const counts = new Map<number, number>();
        for (const id of interactions[side]) counts.set(id, (counts.get(id) ?? 0) + 1);
        expect(Math.min(...counts.values())).toBe(5);
      }
      const { attributes } = items.columns;
      expect(attributes?.kind === 'multi' && attributes.values).toHaveLength(637);
      expect(attributes?.kind === 'multi' && attributes.ids.length / 12_101).toBeCloseTo(3.72, 2);
    });

    it('tests on the last item of each sequence, and refuses a split by moments', () => {
      const { test, history } = prepareData(section('amazon-beauty-s3rec'), places) as {
        test: RankingSet;
        history: { offsets: Int32Array; items: Int32Array };
      };
      expect(test.users).toHaveLength(22_363);
      expect(test.positives.items[0]).toBe(5 - 1); // the first line of the file: 1 1 2 3 4 5
      expect([...history.items.subarray(0, 5)]).toEqual([0, 1, 2, 3, 4]);
      const byMoments = section('amazon-beauty-s3rec', { split: { protocol: 'global-time' } });
      expect(() => prepareData(byMoments, places)).toThrow("only the order of each user's rows is known");
    });

    it('cuts sessions by a gap where the intervals lie beside, and says what is missing where they do not', () => {
      const bySession = section('amazon-beauty-s3rec', {
        features: {
          query: ['user_id', { name: 'latest', kind: 'sequence', window: 'session' }],
          candidate: ['item_id'],
          session: { gap: 86_400 },
        },
      });
      const data = prepareData(bySession, places);
      const user = Int32Array.of(0); // 1 1 2 3 4 5, 0 0 9244800 62899200 0: items 4 and 5 are of one day
      const { latest } = assembleQuery(data, user, Int32Array.of(5)).ids;
      expect([...(latest ?? [])].filter((id) => id > 0)).toHaveLength(2);

      const without = mkdtempSync(join(tmpdir(), 'towerbench-s3rec-'));
      try {
        mkdirSync(join(without, 's3rec-amazon-beauty'));
        for (const file of ['Beauty.txt.gz', 'Beauty_item2attributes.json.gz']) {
          symlinkSync(join(dataDir, 's3rec-amazon-beauty', file), join(without, 's3rec-amazon-beauty', file));
        }
        expect(() => prepareData(bySession, { ...places, dataDir: without })).toThrow(
          'dataset.features.query[1]: a session with a gap needs the time between rows, but only their order is known',
        );
        expect(prepareData(section('amazon-beauty-s3rec'), { ...places, dataDir: without }).history.times).toBeNull();
      } finally {
        rmSync(without, { recursive: true });
      }
    });
  },
);

describe.skipIf(!existsSync(join(dataDir, 'kuairand-subset')))(
  'kuairand (skipped where TOWERBENCH_DATA has no kuairand-subset)',
  () => {
    it('has the published counts, labels and watch times of rows with a like or a hate', () => {
      const { interactions, users, items } = loadDataset(locate(section('kuairand-like-hate'), places), places);
      expect([interactions.user.length, users.numRows, items.numRows]).toEqual([41_828, 664, 9_359]);
      expect(interactions.label?.reduce((sum, label) => sum + label, 0)).toBe(33_745);
      const meanOf = (name: string): number =>
        (interactions.numbers?.[name]?.reduce((sum, value) => sum + value, 0) ?? NaN) / 41_828;
      expect(meanOf('play_seconds')).toBeCloseTo(21.33, 2);
      expect(meanOf('click')).toBeCloseTo(0.657, 3);
      expect(meanOf('long_view')).toBeCloseTo(0.462, 3);
      const days = [...(interactions.time ?? [])].map((time) => new Date(time * 1000).toISOString().slice(0, 10));
      expect([days.reduce((a, b) => (a < b ? a : b)), days.reduce((a, b) => (a > b ? a : b))]).toEqual([
        '2022-04-07', // in Beijing, where the source counts days, it is the 8th
        '2022-04-21',
      ]);
    });

    it('divides the rows at two moments', () => {
      const { train, test } = prepareData(section('kuairand-like-hate'), places);
      expect(train.user.length / 41_828).toBeCloseTo(0.8, 2);
      expect(test.kind).toBe('labelled');
    });

    it('reads the features of users and videos of KuaiRand-Pure', () => {
      const input = (file: string): InputFile => {
        const path = join(dataDir, 'kuairand-subset', file);
        return { path, bytes: readFileSync(path) };
      };
      const log = Buffer.from(
        'user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab\n' +
          '3,1071,20220408,1600,1649408076860,1,0,0,0,0,0,1,175045,87433,0,0,0,0,1\n',
      );
      const { users, items } = kuairandPure.load({
        params: kuairandPure.params.parse({}),
        files: {
          log1: { path: 'log.csv', bytes: log },
          users: input('user_features_pure.csv.gz'),
          videos: input('video_features_basic_pure.csv.gz'),
        },
      });
      expect([users.numRows, items.numRows]).toEqual([27_285, 7_583]);
      const { tag, video_duration: duration } = items.columns;
      expect(tag?.kind === 'multi' && [...tag.ids.subarray(tag.offsets[5], tag.offsets[6])].map((id) => tag.values[id])).toEqual(['20', '43']); // prettier-ignore
      expect(duration?.kind === 'numeric' && [duration.values[5], duration.values[7]]).toEqual([358_016, NaN]);
      const { follow_user_num_range: range } = users.columns;
      expect(range?.kind === 'categorical' && range.values[range.ids[1] as number]).toBe('(250,500]');
    });
  },
);
