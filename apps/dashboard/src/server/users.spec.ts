import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStoreReader, openStoreWriter, type StoreReader, type StoreWriter } from '@towerbench/tracking';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { experimentInput } from '../testing/experiment.js';
import { rankedSweep, testUsers } from '../testing/ranked.js';
import { createKeptFiles } from './kept-files.js';
import { createUsers } from './users.js';

let folder: string;
let path: string;
let writer: StoreWriter;
let reader: StoreReader;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dashboard-users-'));
  path = join(folder, 'store.sqlite');
  writer = openStoreWriter(path);
  reader = openStoreReader(path);
});
afterEach(() => {
  writer.close();
  reader.close();
  rmSync(folder, { recursive: true });
});

const queries = () => createUsers(createKeptFiles(path));

/** Runs of `base` and `gate` with seed 1. */
function pairOf(options: Parameters<typeof rankedSweep>[2] = {}): [number, number] {
  const runs = rankedSweep(writer, path, options);
  const of = (variant: string): number => runs.find((run) => run.variant === variant && run.seed === 1)!.id;
  return [of('base'), of('gate')];
}

describe('the users of two runs', () => {
  it('are counted by who has the greater value, and named by how far the runs are apart', () => {
    const [a, b] = pairOf();
    const { most, greater, ...pair } = queries().pair(reader, a, b);
    expect(pair).toEqual({
      a: { id: a, variant: 'base', seed: 1, experiments: ['ranked'] },
      b: { id: b, variant: 'gate', seed: 1, experiments: ['ranked'] },
      metric: 'test/recall@1',
      metrics: ['test/recall@1'],
      numUsers: 4,
      every: 1,
      hasOwnIds: true,
    });
    expect(greater).toEqual({ a: 2, b: 1, neither: 1 });
    expect(most).toEqual({
      a: [
        { user: 'ann', a: 1, b: 0 },
        { user: 'Zoë 8', a: 0.5, b: 0 },
      ],
      b: [{ user: 'u/3', a: 0, b: 1 }],
    });
  });

  it('are named only where lists were kept', () => {
    const users = { ...testUsers, every: 2, history: [[5], [0]] };
    const [a, b] = pairOf({ users, lists: { items: [[0], [6]], ranks: [0, 1, 2, 3, 4] } });
    const { most, greater } = queries().pair(reader, a, b);
    expect(greater).toEqual({ a: 2, b: 1, neither: 1 });
    expect(most).toEqual({ a: [{ user: 'ann', a: 1, b: 0 }], b: [] });
    expect(
      queries()
        .user(reader, a, b, '..')
        .history.map(({ title }) => title),
    ).toEqual(['Alien']);
    expect(() => queries().user(reader, a, b, 'Zoë 8')).toThrow(
      'lists were kept of one user in 2, and user Zoë 8 is not among them; user .. is',
    );
  });

  it('refuse a metric that has no values per user', () => {
    const [a, b] = pairOf();
    for (const metric of ['test/coverage@10', 'test/ndcg@10', '__proto__']) {
      expect(() => queries().pair(reader, a, b, metric)).toThrow(
        `metric: "${metric}" has no values per user here; there are test/recall@1`,
      );
    }
  });
});

describe('one user', () => {
  it('is shown with history, items to find and their ranks, and both lists with hits and what only one has', () => {
    const [a, b] = pairOf();
    const item = (k: number, category = 0) => ({ item: testUsers.ids?.items[k], title: testUsers.items.titles?.[k], category, count: testUsers.items.counts[k] }); // prettier-ignore
    expect(queries().user(reader, a, b, 'ann')).toEqual({
      user: 'ann',
      historyLength: 2,
      history: [item(6, 1), item(5, 1)],
      targets: [{ ...item(0), a: 1, b: 2 }],
      lists: {
        a: [
          { ...item(0), isHit: true, isInOther: true },
          { ...item(6, 1), isHit: false, isInOther: false },
        ],
        b: [
          { ...item(1), isHit: false, isInOther: false },
          { ...item(0), isHit: true, isInOther: true },
        ],
      },
    });
    expect(queries().user(reader, a, b, 'u/3').targets).toMatchObject([{ item: 'b2', a: 4.5, b: 1 }]);
    expect(queries().user(reader, a, b, 'Zoë 8').targets).toMatchObject([
      { item: 'd4', a: 1, b: 5 },
      { item: 'e5', a: 2, b: 6 },
    ]);
  });

  it('has of older files the places in the lists, and nothing beyond them; all go by their numbers', () => {
    const { every: _, ids: __, ...users } = testUsers;
    const [a, b] = pairOf({ users, lists: { items: [[1, 0], [0], [6, 2], [6, 4]] } });
    expect(queries().pair(reader, a, b)).toMatchObject({ hasOwnIds: false, most: { b: [{ user: '3' }] } });
    expect(queries().user(reader, a, b, '8').targets).toMatchObject([
      { item: '3', a: null, b: null },
      { item: '4', a: 2, b: 2 },
    ]);
  });

  it('is not there, or was not kept, or the runs are on different users: it says which', () => {
    const [a, b] = pairOf();
    const bare = writer.plan(experimentInput('bare'));
    const { attemptId } = writer.claim(bare[0]!.id, { host: 'here', pid: 1, environment: {} })!;
    writer.finish(attemptId, {
      metrics: { 'test/mrr': 0.5 },
      perUser: {},
      parameterCount: 1,
      indexBytesPerItem: null,
      seconds: 1,
      bestStep: 1,
      artifacts: [],
    });
    const other = rankedSweep(writer, path, { name: 'other', users: { ...testUsers, users: [1, 2, 3, 4] } });
    const { user } = queries();
    expect(() => user(reader, a, b, 'zoe 8')).toThrow('the test part has no user zoe 8; the nearest are Zoë 8, ');
    expect(() => user(reader, 999, b, 'ann')).toThrow('the store has no run 999');
    expect(() => user(reader, a, bare[0]!.id, 'ann')).toThrow(`what is recommended to users was not kept for run ${bare[0]!.id}; run it again, in a store of its own`); // prettier-ignore
    expect(() => user(reader, a, bare[1]!.id, 'ann')).toThrow(`run ${bare[1]!.id} has not finished, so it recommends nothing yet`); // prettier-ignore
    expect(() => user(reader, a, other[0]!.id, 'ann')).toThrow(`run ${a} and run ${other[0]!.id} were not measured on the same users`); // prettier-ignore
  });
});
