import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../contract.js';
import type { InputFile } from '../definition.js';
import { locate } from '../load.js';
import { movielens100k } from './movielens-100k.js';
import { movielens1m } from './movielens-1m.js';
import { ncfMovielens1m } from './ncf-movielens-1m.js';

const file = (path: string, text: string, encoding: BufferEncoding = 'utf8'): InputFile => {
  const bytes = Buffer.from(text, encoding);
  return { path, bytes: path.endsWith('.gz') ? gzipSync(bytes) : bytes };
};
const column = ({ users, items }: Pick<Dataset, 'users' | 'items'>, side: 'users' | 'items', name: string) => {
  const found = (side === 'users' ? users : items).columns[name];
  if (found?.kind === 'numeric') return [...found.values];
  if (found?.kind === 'categorical') return [...found.ids].map((id) => found.values[id]);
  throw new Error(`${name} is ${found?.kind}`);
};

describe('movielens-1m', () => {
  const users = file('users.dat', '2::M::56::16::70072\n1::F::1::10::48067\n9::M::25::15::55117\n');
  const movies = file(
    'movies.dat',
    '30::Misérables, Les (1995)::Drama|Musical\n7::Heat (1995)::Action\n8::Never rated (1990)::Drama\n',
    'latin1',
  );
  const official = file('ratings.dat', '9::7::5::30\n1::30::2::20\n2::7::4::10\n');
  const table = file('ratings_partial_ts.csv.gz', 'user_id,movie_id,rating,timestamp\n9,7,5,30\n1,30,2,\n2,7,4,10\n');
  const load = (ratings: InputFile, rest: { users?: InputFile; movies?: InputFile } = {}) =>
    movielens1m.load({ params: movielens1m.params.parse({}), files: { ratings, users, movies, ...rest } });

  it('numbers users and rated movies in the order of their ids, with what is known of each', () => {
    const data = load(official);
    expect([data.users.numRows, data.items.numRows]).toEqual([3, 2]);
    expect([...data.interactions.user]).toEqual([2, 0, 1]);
    expect([...data.interactions.item]).toEqual([0, 1, 0]);
    expect([...(data.interactions.rating ?? [])]).toEqual([5, 2, 4]);
    expect([...(data.interactions.time ?? [])]).toEqual([30, 20, 10]);
    expect(column(data, 'users', 'gender')).toEqual(['F', 'M', 'M']);
    expect(column(data, 'users', 'age')).toEqual(['1', '56', '25']);
    expect(column(data, 'users', 'occupation')).toEqual(['10', '16', '15']);
    expect(column(data, 'users', 'zip')).toEqual(['48067', '70072', '55117']);
    expect([data.userIds, data.itemIds]).toEqual([['1', '2', '9'], ['7', '30']]); // prettier-ignore
    expect(data.itemTitles).toEqual(['Heat (1995)', 'Misérables, Les (1995)']);
    expect(column(data, 'items', 'year')).toEqual([1995, 1995]);
    expect(data.items.columns['genres']).toEqual({
      kind: 'multi',
      offsets: Int32Array.of(0, 1, 3),
      ids: Uint8Array.of(0, 1, 2),
      values: ['Action', 'Drama', 'Musical'],
    });
  });

  it('reads a table with gaps as the same rows, their times unknown', () => {
    const [a, b] = [load(official), load(table)];
    expect([...(b.interactions.time ?? [])]).toEqual([30, NaN, 10]);
    expect({ ...b, interactions: { ...b.interactions, time: null } }).toEqual({
      ...a,
      interactions: { ...a.interactions, time: null },
    });
  });

  it('refuses ratings of a user or a movie of whom nothing is known', () => {
    const fewerUsers = file('users.dat', '2::M::56::16::70072\n1::F::1::10::48067\n');
    expect(() => load(official, { users: fewerUsers })).toThrow('users.dat has no user 9, who rates');
    const fewerMovies = file('movies.dat', '7::Heat (1995)::Action\n');
    expect(() => load(official, { movies: fewerMovies })).toThrow('movies.dat has no movie 30, which is rated');
  });

  it('never takes the rows with known times alone for the whole set', () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'towerbench-sources-'));
    afterAll(() => rmSync(dataDir, { recursive: true }));
    mkdirSync(join(dataDir, 'ml-1m'));
    for (const { path, bytes } of [users, movies]) writeFileSync(join(dataDir, 'ml-1m', path), bytes);
    for (const name of ['ratings_known_ts.dat.gz', 'ratings_known_ts.dat', 'ratings_known_ts.csv.gz'])
      writeFileSync(join(dataDir, 'ml-1m', name), gzipSync(official.bytes));
    const section = { name: 'movielens-1m', ...movielens1m.params.parse({}) } as Parameters<typeof locate>[0];
    expect(() => locate(section, { dataDir, cacheDir: dataDir })).toThrow(/files of movielens-1m are not in/);
  });
});

describe('movielens-100k', () => {
  it('reads ratings, demographics, genres and years', () => {
    const flags = (...set: number[]) => Array.from({ length: 19 }, (_, flag) => (set.includes(flag) ? 1 : 0)).join('|');
    const data = movielens100k.load({
      params: movielens100k.params.parse({}),
      files: {
        ratings: file('u.data', '2\t1\t3\t881250949\n1\t2\t5\t891717742\n'),
        users: file('u.user', '1|24|M|technician|85711\n2|53|F|other|94043\n'),
        movies: file(
          'u.item',
          `1|Toy Story (1995)|01-Jan-1995||http://a|${flags(3, 4, 5)}\n2|unknown||||${flags(0)}\n`,
        ),
      },
    });
    expect([...data.interactions.user]).toEqual([1, 0]);
    expect([...data.interactions.item]).toEqual([0, 1]);
    expect([...(data.interactions.rating ?? [])]).toEqual([3, 5]);
    expect([...(data.interactions.time ?? [])]).toEqual([881250949, 891717742]);
    expect(column(data, 'users', 'age')).toEqual([24, 53]);
    expect(column(data, 'users', 'gender')).toEqual(['M', 'F']);
    expect(column(data, 'users', 'occupation')).toEqual(['technician', 'other']);
    expect(column(data, 'items', 'year')).toEqual([1995, NaN]);
    expect(data.items.columns['genres']).toMatchObject({
      offsets: Int32Array.of(0, 3, 4),
      values: ['Animation', "Children's", 'Comedy', 'unknown'],
    });
  });
});

describe('ncf-movielens-1m', () => {
  const train = file('ml-1m.train.rating.gz', '0\t5\t4\t10\n1\t6\t3\t11\n0\t7\t5\t12\n');
  const test = file('ml-1m.test.rating', '0\t25\t5\t20\n1\t133\t3\t21\n');
  const line = (user: number, item: number, from: number, count = 99) =>
    [`(${user},${item})`, ...Array.from({ length: count }, (_, k) => from + k)].join('\t');
  const load = (...lines: string[]) =>
    ncfMovielens1m.load({
      params: ncfMovielens1m.params.parse({}),
      files: { train, test, negatives: file('ml-1m.test.negative.gz', `${lines.join('\n')}\n`) },
    });

  it('puts test rows after training rows, each with its list, the test item left out of its own', () => {
    const { interactions, fixedSplit } = load(line(0, 25, 1000), line(1, 133, 100));
    expect([...interactions.item]).toEqual([5, 6, 7, 25, 133]);
    expect([...(interactions.time ?? [])]).toEqual([10, 11, 12, 20, 21]);
    expect([[...(fixedSplit?.train ?? [])], [...(fixedSplit?.test ?? [])]]).toEqual([[0, 1, 2], [3, 4]]); // prettier-ignore
    const [first, second] = fixedSplit?.negatives?.items ?? [];
    expect([...(first ?? [])]).toEqual(Array.from({ length: 99 }, (_, k) => 1000 + k));
    expect(second).toHaveLength(98);
    expect(second).not.toContain(133);
    expect(fixedSplit?.negatives?.name).toBe('sampled-99');
  });

  it('refuses lists of other rows, of another length, or too few of them', () => {
    expect(() => load(line(1, 133, 100), line(0, 25, 1000))).toThrow(
      'ml-1m.test.negative.gz:1: the list of (1,133) stands where the test row is (0,25)',
    );
    expect(() => load(line(0, 25, 1000), line(1, 133, 200, 98))).toThrow(
      'ml-1m.test.negative.gz:2: 98 items instead of 99',
    );
    expect(() => load(line(0, 25, 1000))).toThrow('ml-1m.test.negative.gz has 1 list for 2 test rows');
  });
});
