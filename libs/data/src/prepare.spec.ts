import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ConfigError } from '@towerbench/config';
import { afterAll, describe, expect, it } from 'vitest';
import { assembleCandidate, assembleQuery } from './assemble.js';
import { datasets } from './catalog.js';
import type { RankingSet } from './contract.js';
import type { DatasetDefinition } from './definition.js';
import { describeDataset, prepareData } from './prepare.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-data-'));
afterAll(() => rmSync(folder, { recursive: true }));
const places = { dataDir: join(folder, 'data'), cacheDir: join(folder, 'cache') };

function section(name: string, params: object = {}): Parameters<typeof prepareData>[0] {
  const definition = datasets.get(name as never) as DatasetDefinition;
  return { name, ...definition.params.parse(params) };
}

const small = { numUsers: 60, numItems: 50, meanLength: 9 };

describe('prepareData on world/movies', () => {
  const data = prepareData(
    section('world/movies', {
      ...small,
      features: { query: ['user_id', { name: 'watched', kind: 'sequence', length: 3 }] },
    }),
    places,
  );
  const test = data.test as RankingSet;

  it('never lists a positive among the seen, and removes training and validation rows from the candidates', () => {
    for (let u = 0; u < test.users.length; u++) {
      const seen = new Set(test.seen.items.subarray(test.seen.offsets[u], test.seen.offsets[u + 1]));
      for (const item of test.positives.items.subarray(test.positives.offsets[u], test.positives.offsets[u + 1])) {
        expect(seen.has(item)).toBe(false);
      }
      const user = test.users[u] as number;
      const trained = [...data.train.user.keys()]
        .filter((row) => data.train.user[row] === user)
        .map((row) => data.train.item[row] as number);
      for (const item of trained) expect(seen.has(item)).toBe(true);
      expect(seen.size).toBe(trained.length + 1); // one validation row
    }
  });

  it('reads only what happened before, most recent first, padded with 0', () => {
    const user = data.train.user[0] as number;
    const rows = [...data.train.user.keys()].filter((row) => data.train.user[row] === user);
    const items = rows.map((row) => data.train.item[row] as number);
    const batch = assembleQuery(
      data,
      Int32Array.from(rows, () => user),
      Int32Array.from(rows, (row) => data.train.historyEnd[row] as number),
    );
    const idOf = (item: number | undefined): number =>
      item === undefined ? 0 : (assembleCandidate(data, Int32Array.of(item)).ids['item_id']?.[0] as number);
    for (const [k] of rows.entries()) {
      const expected = [items[k - 1], items[k - 2], items[k - 3]].map(idOf);
      expect([...(batch.ids['watched'] as Int32Array).subarray(3 * k, 3 * k + 3)]).toEqual(expected);
    }
  });

  it('counts training rows only: an item that only the test part shows is unknown to the model', () => {
    const untrained = [...data.itemCounts.keys()].find((item) => data.itemCounts[item] === 0);
    const id = (item: number) => assembleCandidate(data, Int32Array.of(item)).ids['item_id']?.[0];
    if (untrained !== undefined) expect(id(untrained)).toBe(1);
    expect(id(data.train.item[0] as number)).toBeGreaterThan(1);
    expect(data.itemCounts.reduce((sum, count) => sum + count, 0)).toBe(data.train.item.length);
  });

  it('puts values rarer than min_frequency into the unknown bucket', () => {
    const rare = prepareData(section('world/movies', { ...small, minFrequency: 8 }), places);
    const known = rare.itemCounts.filter((count) => count >= 8).length;
    expect(rare.vocabularies['item_id']?.size).toBe(known + 2);
    for (const [item, count] of rare.itemCounts.entries()) {
      expect((assembleCandidate(rare, Int32Array.of(item)).ids['item_id']?.[0] as number) > 1).toBe(count >= 8);
    }
  });

  it('scores the next movie higher than chance under the truth', () => {
    const { users, positives } = test;
    const scores = data.truth?.scoreUsers(users) as Float32Array;
    let above = 0;
    for (let u = 0; u < users.length; u++) {
      const own = scores.subarray(u * data.numItems, (u + 1) * data.numItems);
      const target = own[positives.items[u] as number] as number;
      above += own.filter((score) => score < target).length / data.numItems;
    }
    expect(above / users.length).toBeGreaterThan(0.7);
  });
});

describe('world/field-noise', () => {
  const data = prepareData(section('world/field-noise', { numRows: 20_000, numEvaluationRows: 5_000 }), places);

  it('draws labels from the log-odds that it states', () => {
    const { user, item, label } = data.train;
    const logits = data.truth?.scorePairs(user, item) as Float32Array;
    let expected = 0;
    for (const logit of logits) expected += 1 / (1 + Math.exp(-logit));
    const clicks = (label as Uint8Array).reduce((sum, each) => sum + each, 0);
    expect(Math.abs(clicks - expected) / Math.sqrt(user.length / 4)).toBeLessThan(4); // within 4 standard errors
  });

  it('keeps the parts apart', () => {
    const parts = [data.train, data.valid, data.test].map((part) => new Set('user' in part ? part.user : []));
    expect(parts.map(({ size }) => size)).toEqual([20_000, 5_000, 5_000]);
    expect(new Set(parts.flatMap((users) => [...users])).size).toBe(30_000);
  });
});

describe('worlds', () => {
  it.each(['world/field-noise', 'world/movies'])('%s is the same for one seed and another for another', (name) => {
    const make = (seed: number) => {
      const { train } = prepareData(
        section(name, { seed, ...(name === 'world/movies' ? small : { numRows: 1000 }) }),
        places,
      );
      return [...train.item].join();
    };
    expect(make(0)).toBe(make(0));
    expect(make(1)).not.toBe(make(0));
  });
});

describe('describeDataset', () => {
  it('says which files to put where, when they are missing', () => {
    expect(() => describeDataset(section('movielens-100k'), places)).toThrow(
      /files of movielens-100k are not in .*data\n {2}allowed {2}needed there: ml-100k\/u.data or ml-100k\/u.data.gz .*\n {2}hint {5}get them from https:/,
    );
  });
});

describe('a dataset from files', () => {
  it('is refused when its counts are not those published', () => {
    mkdirSync(join(places.dataDir, 'ml-100k'), { recursive: true });
    writeFileSync(join(places.dataDir, 'ml-100k/u.data'), '1\t1\t5\t10\n1\t2\t3\t20\n');
    writeFileSync(join(places.dataDir, 'ml-100k/u.user'), '1|24|M|technician|85711\n');
    writeFileSync(join(places.dataDir, 'ml-100k/u.item'), '1|Toy Story (1995)||||0\n2|GoldenEye (1995)||||0\n');
    expect(() => prepareData(section('movielens-100k'), places)).toThrow(
      'movielens-100k has 100000 interactions, but the files hold 2',
    );
    expect(readdirSync(folder)).not.toContain('cache');
  });

  it('is refused with the file and the line, when it is no table of numbers', () => {
    writeFileSync(join(places.dataDir, 'ml-100k/u.data'), '1\t1\t5\t10\n1\ttwo\t3\t20\n');
    expect(() => prepareData(section('movielens-100k'), places)).toThrow(ConfigError);
    expect(() => prepareData(section('movielens-100k'), places)).toThrow(/ml-100k\/u\.data:2: expected/);
  });

  it('is refused by name, when it is cut off', () => {
    const whole = gzipSync('1\t1\t5\t10\n'.repeat(1000));
    writeFileSync(join(places.dataDir, 'ml-100k/u.data.gz'), whole.subarray(0, whole.length - 10));
    rmSync(join(places.dataDir, 'ml-100k/u.data'));
    expect(() => prepareData(section('movielens-100k'), places)).toThrow(ConfigError);
    expect(() => prepareData(section('movielens-100k'), places)).toThrow(/ml-100k\/u\.data\.gz/);
  });
});

describe('a split', () => {
  it.each([
    ['training', { protocol: 'ratio', valid: 0.6, test: 0.6 }],
    ['training', { protocol: 'global-time', validFraction: 0.5, testFraction: 0.5 }],
    ['validation', { protocol: 'leave-last-k', k: 1000 }],
    ['testing', { protocol: 'global-time', validFraction: 0.1, testFraction: 0 }],
    ['validation', { protocol: 'ratio', valid: 0, test: 0.1 }],
  ])('that leaves nothing for %s is refused', (part, split) => {
    expect(() => prepareData(section('world/movies', { ...small, split }), places)).toThrow(
      new RegExp(`^dataset\\.split: .* leaves no row for ${part}`),
    );
  });
});
