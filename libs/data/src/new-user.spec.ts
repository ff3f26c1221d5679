import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Section } from '@towerbench/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assembleQuery } from './assemble.js';
import { makeFiles } from './custom/sample-files.js';
import { prepareWithNewUser, type NewUser } from './new-user.js';
import { prepareData } from './prepare.js';
import { readyDataset } from './ready.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-new-user-'));
const places = { dataDir: folder, cacheDir: join(folder, 'cache') };
afterAll(() => rmSync(folder, { recursive: true }));

const USERS = [
  'user,age,city,langs,rare',
  'anna,20,Oslo,en|no,a',
  'ben,30,Oslo,en,b',
  'cleo,40,,no,',
  'dora,50,Rome,it|en,a',
];
const ROWS = ['anna', 'ben', 'cleo', 'dora'].flatMap((user, u) => ['x', 'y', 'z', 'w'].map((item, k) => `${user},${item},${1e9 + 10 * k + u}`)); // prettier-ignore

const section = {
  name: 'custom',
  interactions: { folder, files: 'events.csv', columns: { user: 'user', item: 'item', time: 'time' } },
  users: {
    folder,
    files: 'users.csv',
    columns: { user: 'user' },
    features: {
      age: { kind: 'numeric' },
      city: { kind: 'categorical' },
      langs: { kind: 'multi', separator: '|' },
      rare: { kind: 'categorical' },
    },
  },
  features: {
    query: ['user_id', 'age', { name: 'decade', kind: 'numeric', buckets: 2 }, 'city', 'langs', { name: 'watched', kind: 'sequence', length: 3 }], // prettier-ignore
    candidate: ['item_id'],
  },
};
(section.users.features as Record<string, object>)['decade'] = { kind: 'numeric', column: 'age' };
const dataset = section as unknown as Section & { readonly name: string };

beforeAll(async () => {
  await makeFiles(folder, {
    'events.csv': ['user,item,time', ...ROWS, ''].join('\n'),
    'users.csv': [...USERS, ''].join('\n'),
  });
  await readyDataset(dataset, places);
});

const withUser = (features: NewUser['features'], history: readonly string[] = []) =>
  prepareWithNewUser(dataset, places, { features, history });

/** What a model is given of the user. */
function readOf({ data, user }: ReturnType<typeof withUser>) {
  const end = (data.history.offsets[user + 1] as number) - (data.history.offsets[user] as number);
  const { ids, dense } = assembleQuery(data, Int32Array.of(user), Int32Array.of(end));
  return Object.fromEntries(Object.entries({ ...ids, ...dense }).map(([name, values]) => [name, [...values]]));
}

describe('somebody new', () => {
  it('leaves all others and their statistics as they are', () => {
    const plain = prepareData(dataset, places);
    const { data, user } = withUser({ age: 1000, city: 'Paris', langs: ['fr'] }, ['x', 'y']);
    expect([user, data.numUsers]).toEqual([4, 5]);
    const everyone = Int32Array.of(0, 1, 2, 3);
    const ends = Int32Array.of(4, 4, 4, 4);
    expect(assembleQuery(data, everyone, ends)).toEqual(assembleQuery(plain, everyone, ends));
    const { train, test, valid, vocabularies, itemCounts, fingerprint } = data;
    expect({ train, test, valid, vocabularies, itemCounts, fingerprint }).toEqual({
      train: plain.train,
      test: plain.test,
      valid: plain.valid,
      vocabularies: plain.vocabularies,
      itemCounts: plain.itemCounts,
      fingerprint: plain.fingerprint,
    });
  });

  it('is read as a user of the data who has the same values and history', () => {
    const { user_id: unknown, ...own } = readOf(withUser({ age: 20, decade: 20, city: 'Oslo', langs: ['en', 'no'] }, ['x', 'y', 'z', 'w'])); // prettier-ignore
    const plain = prepareData(dataset, places);
    const { user_id: known, ...anna } = readOf({ data: plain, user: 0, readable: [], notes: [] });
    expect(own).toEqual(anna);
    expect([unknown, known]).toEqual([[1], [2]]);
  });

  it('is filled in as rows without a value are, which is said', () => {
    const found = withUser({ decade: null });
    const { user_id: _, watched, ...own } = readOf(found);
    const { user_id: __, watched: ___, langs: ____, age: _____, decade: ______, ...cleo } = readOf({ data: prepareData(dataset, places), user: 2, readable: [], notes: [] }); // prettier-ignore
    expect(own).toEqual({ ...cleo, age: [0], decade: [1], langs: [0, 0] });
    expect(watched).toEqual([0, 0, 0]);
    expect(found.readable).toEqual(['age', 'decade', 'city', 'langs', 'watched']);
    expect(found.notes).toEqual([
      'age: not given, so it is the mean of training',
      'city: not given, so it is what rows without a value have',
      'langs: not given, so it is empty',
      'decade: not given, so it is unknown',
    ]);
  });

  it('has unknown values where the data has no such ones, which is said with those that it has', () => {
    const found = withUser({ age: 33, decade: 30, city: 'Lima', langs: ['en', 'fr', 'no'] });
    expect(readOf(found)).toMatchObject({ city: [1], langs: [expect.any(Number), 1] });
    expect(found.notes).toEqual([
      'city: the data has no "Lima", so it is unknown; it has Oslo, Rome',
      'langs: the data has no "fr", so it is unknown; it has en, no, it',
      'langs: the first 2 of 3 count',
    ]);
  });

  it('is refused with all that is wrong at once', () => {
    const refused = () => withUser({ age: 'old', cities: 'Oslo', rare: 'a', user_id: 3, langs: [{}] }, ['x', 'xx']);
    for (const text of [
      '--features: the run has no user feature "cities"\n  allowed  age, decade, city, langs\n',
      '--features: the run has no user feature "rare"\n  allowed  age, decade, city, langs\n  hint     it is a column of the users that this run does not read',
      '--features: the run has no user feature "user_id"',
      '--features age: received "old"\n  allowed  a number, or null',
      '--features langs: received [{}]\n  allowed  a list of texts, or null',
      '--history: there is no item "xx"\n  allowed  ids such as x, w, y',
    ]) {
      expect(refused).toThrow(text);
    }
  });
});
