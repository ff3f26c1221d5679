import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ConfigError } from '@towerbench/config';
import { afterAll, describe, expect, it } from 'vitest';
import { assembleCandidate, assembleQuery } from './assemble.js';
import { datasets } from './catalog.js';
import type { LabelledSet, Ragged, RankingSet, PreparedData } from './contract.js';
import type { DatasetDefinition } from './definition.js';
import { buildFeatures } from './features.js';
import { labelsBy } from './interactions.js';
import { loadDataset, locate } from './load.js';
import { describeDataset, prepareData, preparingOnce } from './prepare.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-data-'));
afterAll(() => rmSync(folder, { recursive: true }));
const places = { dataDir: join(folder, 'data'), cacheDir: join(folder, 'cache') };

function section(name: string, params: object = {}): Parameters<typeof prepareData>[0] {
  const definition = datasets.get(name as never) as DatasetDefinition;
  return { name, ...definition.params.parse(params) };
}

const small = { numUsers: 60, numItems: 50, meanLength: 9 };

/** The `count` items with the largest scores, in the order of their numbers. */
function bestOf(scores: Float32Array, count: number): number[] {
  const ranked = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number));
  return ranked.slice(0, count).sort((a, b) => a - b);
}

function listAt({ offsets, items }: Ragged, entry: number): number[] {
  return [...items.subarray(offsets[entry], offsets[entry + 1])];
}

describe('prepareData on world/movies', () => {
  const wanted = section('world/movies', {
    ...small,
    features: { query: ['user_id', { name: 'watched', kind: 'sequence', length: 3 }] },
  });
  const data = prepareData(wanted, places);
  const test = data.test as RankingSet;
  const idOf = (item: number): number => assembleCandidate(data, Int32Array.of(item)).ids['item_id']?.[0] as number;

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

  it('gives the last row of each user to testing, the one before to validation, and the rest to training', () => {
    const { interactions } = loadDataset(locate(wanted, places), places);
    const { train, numUsers } = data;
    const [valid, tested] = [data.valid, data.test] as [RankingSet, RankingSet];
    expect([valid.users.length, tested.users.length]).toEqual([numUsers, numUsers]);
    for (let user = 0; user < numUsers; user++) {
      const rows = [...interactions.user.keys()].filter((row) => interactions.user[row] === user);
      const times = rows.map((row) => interactions.time?.[row] as number);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      const items = rows.map((row) => interactions.item[row] as number);
      expect([...train.item].filter((_, row) => train.user[row] === user)).toEqual(items.slice(0, -2));
      expect(listAt(valid.positives, valid.users.indexOf(user))).toEqual(items.slice(-2, -1));
      expect(listAt(tested.positives, tested.users.indexOf(user))).toEqual(items.slice(-1));
    }
  });

  it.each(['valid', 'test'] as const)('encodes a user of the %s part by what came before the item to find', (part) => {
    const { users, positives, historyEnd } = data[part] as RankingSet;
    const watched = assembleQuery(data, users, historyEnd).ids['watched'] as Int32Array;
    for (const [entry, user] of users.entries()) {
      const all = listAt(data.history, user);
      const before = all.slice(0, part === 'valid' ? -2 : -1);
      expect(all[before.length]).toBe(positives.items[entry]);
      const latest = before.reverse().slice(0, 3).map(idOf);
      expect([...watched.subarray(3 * entry, 3 * entry + 3)]).toEqual(latest);
    }
  });

  it('takes the first item and the first user for real ones, not for padding', () => {
    expect(data.itemCounts[0]).toBeGreaterThan(0);
    expect(idOf(0)).toBeGreaterThan(1);
    expect(assembleQuery(data, Int32Array.of(0), Int32Array.of(0)).ids['user_id']?.[0]).toBeGreaterThan(1);
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
    for (const [k] of rows.entries()) {
      const expected = [items[k - 1], items[k - 2], items[k - 3]].map((item) => (item === undefined ? 0 : idOf(item)));
      expect([...(batch.ids['watched'] as Int32Array).subarray(3 * k, 3 * k + 3)]).toEqual(expected);
    }
  });

  it('divides a history by the times of its items', () => {
    const query = ['session', 'before-session'].map((window) => ({
      name: window,
      kind: 'sequence',
      length: 5,
      window,
    }));
    const cut = (gap: number | null) =>
      prepareData(section('world/movies', { ...small, features: { query, session: { length: 5, gap } } }), places);
    const day = 86_400;
    const byGap = cut(2 * day);
    const { times, offsets } = byGap.history;
    const { users, historyEnd } = byGap.test as RankingSet;
    const sessions = assembleQuery(byGap, users, historyEnd).ids['session'] as Int32Array;
    const lengths = new Set<number>();
    for (const [entry, user] of users.entries()) {
      const own = [...(times as Float64Array).subarray(offsets[user], offsets[user + 1])].slice(0, historyEnd[entry]);
      expect(own).toEqual([...own].sort((a, b) => a - b));
      let length = 1;
      while (length < Math.min(5, own.length)) {
        const [later, earlier] = [own[own.length - length] as number, own[own.length - length - 1] as number];
        if (later - earlier >= 2 * day) break;
        length++;
      }
      lengths.add(length);
      const session = [...sessions.subarray(5 * entry, 5 * entry + 5)];
      expect(session.map((id) => id > 0)).toEqual([0, 1, 2, 3, 4].map((k) => k < length));
    }
    expect([...lengths].sort()).toEqual([1, 2, 3, 4, 5]);
    const byCount = cut(null);
    const { session, 'before-session': before } = assembleQuery(byCount, users, historyEnd).ids;
    for (const [entry, user] of users.entries()) {
      const all = listAt(byCount.history, user).slice(0, historyEnd[entry]).reverse().map(idOf);
      const both = [session, before].flatMap((ids) => [...(ids as Int32Array).subarray(5 * entry, 5 * entry + 5)]);
      expect(both.filter((id) => id > 0)).toEqual(all.slice(0, 10));
    }
  });

  it('counts training rows only: an item that only validation and testing show is unknown to the model', () => {
    const sparse = prepareData(section('world/movies', { ...small, numItems: 400 }), places);
    const counts = new Int32Array(sparse.numItems);
    for (const item of sparse.train.item) counts[item]!++;
    expect(sparse.itemCounts).toEqual(counts);
    const ids = assembleCandidate(sparse, Int32Array.from(counts.keys())).ids['item_id'] as Int32Array;
    for (const [item, count] of counts.entries()) expect((ids[item] as number) > 1).toBe(count > 0);
    const { positives } = sparse.test as RankingSet;
    expect([...positives.items].filter((item) => counts[item] === 0)).not.toEqual([]);
  });

  it('cuts and scales numbers by the training rows alone', () => {
    for (const spec of [{ name: 'year', kind: 'numeric' as const, buckets: 20 }, 'year']) {
      const features = { query: [], candidate: [spec, 'item_id'] };
      const params = { ...small, features: { candidate: features.candidate } };
      const { items } = loadDataset(locate(section('world/movies', params), places), places);
      const { train, candidate } = prepareData(section('world/movies', params), places);
      const trainRows = new Int32Array(items.numRows);
      for (const item of train.item) trainRows[item]!++;
      const users = { table: { numRows: 0, columns: {} }, trainRows: new Int32Array(0) };
      const expected = buildFeatures({ users, items: { table: items, trainRows }, features, minFrequency: 1 });
      expect(candidate).toEqual(expected.candidate);
    }
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

describe('preparingOnce', () => {
  it('gives what it gave last while section and files are the same, and else what is new', () => {
    const prepare = preparingOnce();
    const wanted = section('world/movies', small);
    const first = prepare(wanted, places);
    expect(prepare(section('world/movies', small), places)).toBe(first);
    const other = prepare(section('world/movies', { ...small, minFrequency: 2 }), places);
    expect(other).not.toBe(first);
    expect(other.fingerprint).toBe(first.fingerprint); // the same data, seen otherwise
    expect(prepare(wanted, places).train).toEqual(first.train);
  });
});

describe('the truth of world/movies', () => {
  const data = prepareData(section('world/movies', { numUsers: 1000, numItems: 60, meanLength: 12 }), places);
  const { users, positives, seen } = data.test as RankingSet;
  const scores = data.truth?.scoreUsers(users) as Float32Array;

  it('is the distribution that the last movie of each user was drawn from', () => {
    // Its log-likelihood is the sum of what the entropies lead to expect, up to chance.
    let excess = 0;
    let variance = 0;
    for (const [entry] of users.entries()) {
      const own = scores.subarray(entry * data.numItems, (entry + 1) * data.numItems);
      const watched = new Set(listAt(seen, entry));
      const unseen = [...own.keys()].filter((item) => !watched.has(item));
      const weights = unseen.map((item) => Math.exp(own[item] as number));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const logs = weights.map((weight) => Math.log(weight / total));
      const expected = logs.reduce((sum, log) => sum + Math.exp(log) * log, 0);
      variance += logs.reduce((sum, log) => sum + Math.exp(log) * (log - expected) ** 2, 0);
      excess += (logs[unseen.indexOf(positives.items[entry] as number)] as number) - expected;
    }
    expect(Math.abs(excess) / Math.sqrt(variance)).toBeLessThan(4);
  });

  it('scores a pair as it scores the catalogue', () => {
    const pairs = data.truth?.scorePairs(users, positives.items) as Float32Array;
    for (const [entry, item] of positives.items.entries())
      expect(pairs[entry]).toBe(scores[entry * data.numItems + item]);
  });
});

describe('world/dual-augmented', () => {
  const numUsers = 1000;
  const data = prepareData(
    section('world/dual-augmented', { numUsers, numItems: 60, trainPositives: 4, evaluationPositives: 3 }),
    places,
  );

  it('draws the first positive of each user from the scores that it states', () => {
    const users = Int32Array.from({ length: numUsers }, (_, user) => user);
    const scores = data.truth?.scoreUsers(users) as Float32Array;
    let excess = 0;
    let variance = 0;
    for (const user of users) {
      const weights = scores.subarray(user * 60, (user + 1) * 60).map((score) => Math.exp(score));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const logs = [...weights].map((weight) => Math.log(weight / total));
      const expected = logs.reduce((sum, log) => sum + Math.exp(log) * log, 0);
      variance += logs.reduce((sum, log) => sum + Math.exp(log) * (log - expected) ** 2, 0);
      excess += (logs[data.train.item[user * 4] as number] as number) - expected;
    }
    expect(data.train.user.subarray(0, 9)).toEqual(Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1, 2));
    expect(Math.abs(excess) / Math.sqrt(variance)).toBeLessThan(4);
    const pairs = data.truth?.scorePairs(data.train.user, data.train.item) as Float32Array;
    for (const [row, user] of data.train.user.entries())
      expect(pairs[row]).toBe(scores[user * 60 + (data.train.item[row] as number)]);
  });

  it('gives each user as many positives as asked, none of them twice', () => {
    const [valid, test] = [data.valid, data.test] as [RankingSet, RankingSet];
    for (let user = 0; user < numUsers; user++) {
      const items = [
        ...data.train.item.subarray(user * 4, user * 4 + 4),
        ...listAt(valid.positives, user),
        ...listAt(test.positives, user),
      ];
      expect(new Set(items).size).toBe(4 + 3 + 3);
      expect(new Set(listAt(test.seen, user))).toEqual(new Set(items.slice(0, 7)));
    }
  });

  it('shows nothing of the groups but by ids', () => {
    expect([...data.query.ids, ...data.candidate.ids].map(({ name }) => name)).toEqual(['user_id', 'item_id']);
    expect([...data.query.dense, ...data.candidate.dense].map(({ width }) => width)).toEqual([6, 6]);
  });
});

describe('world/field-noise', () => {
  const wanted = section('world/field-noise', { numRows: 20_000, numEvaluationRows: 5_000 });
  const data = prepareData(wanted, places);

  it('keeps the parts apart', () => {
    const parts = [data.train, data.valid, data.test].map((part) => new Set('user' in part ? part.user : []));
    expect(parts.map(({ size }) => size)).toEqual([20_000, 5_000, 5_000]);
    expect(new Set(parts.flatMap((users) => [...users])).size).toBe(30_000);
  });

  it('evaluates the rows of each part by the labels that were drawn', () => {
    const { interactions, fixedSplit } = loadDataset(locate(wanted, places), places);
    for (const part of ['valid', 'test'] as const) {
      const { user, item, label } = data[part] as LabelledSet;
      const rows = fixedSplit?.[part] as Int32Array;
      expect(user).toEqual(rows.map((row) => interactions.user[row] as number));
      expect(item).toEqual(rows.map((row) => interactions.item[row] as number));
      expect([...label]).toEqual([...rows].map((row) => interactions.label?.[row]));
      expect(new Set(label)).toEqual(new Set([0, 1]));
    }
  });

  it('knows no user who is not in training', () => {
    const few = { numRows: 1000, numEvaluationRows: 500, features: { query: ['user_id'] } };
    const { vocabularies, query } = prepareData(section('world/field-noise', few), places);
    expect(vocabularies['user_id']?.size).toBe(1000 + 2);
    expect([...(query.ids[0]?.ids ?? [])].slice(1000)).toEqual(new Array<number>(1000).fill(1));
  });

  it('has no times, so a sequence is refused at its place', () => {
    const query = ['field_0', { name: 'clicked', kind: 'sequence' }];
    const few = { numRows: 1000, numEvaluationRows: 500, features: { query } };
    expect(() => prepareData(section('world/field-noise', few), places)).toThrow(
      'dataset.features.query[1]: a sequence feature needs the order of rows, but 2000 of 2000 rows have no time',
    );
  });
});

describe.each(['world/field-noise', 'world/field-crosses'])('%s', (name) => {
  it('draws labels from the log-odds that it states', () => {
    const data = prepareData(section(name, { numRows: 20_000, numEvaluationRows: 5_000 }), places);
    const { user, item, label } = data.train;
    const logits = data.truth?.scorePairs(user, item) as Float32Array;
    let expected = 0;
    for (const logit of logits) expected += 1 / (1 + Math.exp(-logit));
    const clicks = (label as Uint8Array).reduce((sum, each) => sum + each, 0);
    expect(Math.abs(clicks - expected) / Math.sqrt(user.length / 4)).toBeLessThan(4); // within 4 standard errors
  });
});

describe('world/field-crosses', () => {
  /** Share of an item's variance over the values of both fields that sums of the two explain. */
  const additiveShare = (crossed: number): number[] => {
    const numValues = 6;
    const data = prepareData(
      section('world/field-crosses', { numRows: 2000, numEvaluationRows: 500, numValues, numItems: 12, crossed }),
      places,
    );
    const [a, b] = data.query.ids.map(({ ids }) => ids) as [Uint8Array, Uint8Array];
    const cells = new Map<number, number>();
    for (let user = 0; user < data.numUsers; user++)
      cells.set(((a[user] as number) - 2) * numValues + (b[user] as number) - 2, user);
    expect(cells.size).toBe(numValues ** 2);
    const users = Int32Array.from({ length: numValues ** 2 }, (_, cell) => cells.get(cell) as number);
    const scores = data.truth?.scoreUsers(users) as Float32Array; // [cells, items]
    return Array.from({ length: 12 }, (_, item) => {
      const at = (x: number, y: number): number => scores[(x * numValues + y) * 12 + item] as number;
      const values = [...Array(numValues).keys()];
      const mean = (of: number[]): number => of.reduce((sum, value) => sum + value, 0) / of.length;
      const all = mean(values.flatMap((x) => values.map((y) => at(x, y))));
      const rows = values.map((x) => mean(values.map((y) => at(x, y))) - all);
      const columns = values.map((y) => mean(values.map((x) => at(x, y))) - all);
      const total = mean(values.flatMap((x) => values.map((y) => (at(x, y) - all) ** 2)));
      const rest = mean(
        values.flatMap((x) => values.map((y) => (at(x, y) - all - (rows[x] as number) - (columns[y] as number)) ** 2)),
      );
      return 1 - rest / total;
    });
  };

  it('likes a share of the items for crosses and the others for sums of its fields', () => {
    for (const share of additiveShare(0)) expect(share).toBeCloseTo(1, 4);
    for (const share of additiveShare(1)) expect(share).toBeLessThan(0.8);
    expect(additiveShare(0.5).filter((share) => share > 0.999).length).toBe(6);
  });
});

describe('world/interests', () => {
  const sizes = { numClusters: 8, clusterSize: 3, numInterests: 2, historyLength: 6 };
  const few = { numRows: 1000, numEvaluationUsers: 50, ...sizes };
  const data = prepareData(section('world/interests', few), places);
  const { offsets, items } = data.history;
  const clusterOf = (item: number): number => Math.floor(item / sizes.clusterSize);
  const clustersOf = (user: number, end: number): Set<number> =>
    new Set(items.subarray(offsets[user], (offsets[user] as number) + end).map(clusterOf));

  it('has one example per user of training, whose history is that of the context, all of at most two clusters', () => {
    const { user, historyEnd, item } = data.train;
    expect([...user]).toEqual(Array.from({ length: 1000 }, (_, row) => row));
    expect(new Set(historyEnd)).toEqual(new Set([sizes.historyLength]));
    let isNew = 0;
    for (const row of user) {
      const liked = clustersOf(row, sizes.historyLength);
      expect(liked.size).toBeLessThanOrEqual(2);
      if (!liked.has(clusterOf(item[row] as number))) isNew++;
    }
    // the cluster of the next item is missing in the history with probability 2^-6: 15.6 of 1000 users, within 4 standard deviations
    expect(Math.abs(isNew - 1000 / 64)).toBeLessThan(4 * Math.sqrt(1000 / 64));
  });

  it('asks for all items of the clusters of a user, those of the history included, and names the cluster of each', () => {
    for (const part of ['valid', 'test'] as const) {
      const { users, positives, seen, historyEnd } = data[part] as RankingSet;
      expect(users.length).toBe(50);
      expect(seen.items.length).toBe(0);
      expect(new Set(historyEnd)).toEqual(new Set([sizes.historyLength]));
      for (const [entry, user] of users.entries()) {
        const wanted = listAt(positives, entry);
        expect(new Set(wanted).size).toBe(2 * sizes.clusterSize);
        for (const cluster of clustersOf(user, sizes.historyLength)) expect(wanted.map(clusterOf)).toContain(cluster);
      }
    }
    expect([...(data.itemCategories ?? [])]).toEqual(
      Array.from({ length: data.numItems }, (_, item) => clusterOf(item)),
    );
    expect(data.protocol.seen).toBe('kept');
  });

  it('has a truth that puts just these items first', () => {
    const { users, positives } = data.test as RankingSet;
    const scores = data.truth?.scoreUsers(users) as Float32Array;
    for (const entry of users.keys()) {
      const wanted = listAt(positives, entry).sort((a, b) => a - b);
      expect(bestOf(scores.subarray(entry * data.numItems, (entry + 1) * data.numItems), wanted.length)).toEqual(
        wanted,
      );
    }
    const items = users.map((_, entry) => listAt(positives, entry)[0] as number);
    expect(data.truth?.scorePairs(users, items)).toEqual(
      Float32Array.from(items, (item, entry) => scores[entry * data.numItems + item] as number),
    );
  });

  it('refuses users who like everything', () => {
    expect(() => prepareData(section('world/interests', { ...few, numInterests: 8 }), places)).toThrow(
      'dataset.num_interests: users must not like every cluster',
    );
  });
});

describe('world/long-and-short-term', () => {
  const sizes = { numClusters: 8, clusterSize: 3, longLength: 4, sessionLength: 2 };
  const query = [
    'type',
    { name: 'session', kind: 'sequence', window: 'session' },
    { name: 'long', kind: 'sequence', window: 'before-session', length: 5 },
  ];
  const make = (session: object, params: object = {}) =>
    prepareData(
      section('world/long-and-short-term', {
        numRows: 2000,
        numEvaluationUsers: 40,
        ...sizes,
        features: { query, session },
        ...params,
      }),
      places,
    );
  const clusterOf = (item: number): number => Math.floor(item / sizes.clusterSize);

  it.each([{ length: 2 }, { length: 5, gap: 600 }])(
    'has a session of one cluster after items of another, and %o tells them apart',
    (session) => {
      const data = make(session);
      const { user, historyEnd, item } = data.train;
      const { session: short, long } = assembleQuery(data, user, historyEnd).ids;
      const width = session.length;
      const explorers = { those: 0, all: user.length };
      for (const row of user.keys()) {
        const clusters = (ids: Int32Array, from: number, to: number) => new Set([...ids.subarray(from, to)].map((id) => clusterOf(id - 2))); // prettier-ignore
        const s = clusters(short as Int32Array, row * width, row * width + 2);
        const l = clusters(long as Int32Array, row * 5, row * 5 + 4);
        expect([s.size, l.size]).toEqual([1, 1]);
        expect(long?.[row * 5 + 4]).toBe(0);
        if (width > 2) expect(short?.[row * width + 2]).toBe(0);
        expect([...s]).not.toEqual([...l]);
        const isExplorer = data.query.ids[0]?.ids[user[row] as number] === 3;
        if (isExplorer) explorers.those++;
        expect([clusterOf(item[row] as number)]).toEqual([...(isExplorer ? s : l)]);
      }
      expect(Math.abs(explorers.those - explorers.all / 2)).toBeLessThan(4 * Math.sqrt(explorers.all / 4));
    },
  );

  it('asks for all items of the cluster that goes on, which the truth puts first', () => {
    const data = make({ length: 2 });
    for (const part of ['valid', 'test'] as const) {
      const { users, positives, seen, historyEnd } = data[part] as RankingSet;
      expect([users.length, seen.items.length]).toEqual([40, 0]);
      expect(new Set(historyEnd)).toEqual(new Set([6]));
      const scores = data.truth?.scoreUsers(users) as Float32Array;
      for (const entry of users.keys()) {
        const wanted = listAt(positives, entry).sort((a, b) => a - b);
        const own = scores.subarray(entry * data.numItems, (entry + 1) * data.numItems);
        expect(bestOf(own, wanted.length)).toEqual(wanted);
        expect(new Set(wanted.map(clusterOf)).size).toBe(1);
        expect(wanted.length).toBe(sizes.clusterSize);
      }
    }
    expect(data.protocol.seen).toBe('kept');
  });

  it('has loyal users alone when asked', () => {
    expect(new Set(make({ length: 2 }, { explorers: 0 }).query.ids[0]?.ids)).toEqual(new Set([2]));
  });
});

describe('world/impressions', () => {
  const sizes = { numUsers: 40, numItems: 120, numRows: 20_000, numBest: 7 };
  const data = prepareData(section('world/impressions', sizes), places);
  const logOdds = data.truth?.scorePairs(data.train.user, data.train.item) as Float32Array;

  it('draws labels as often as its log-odds say, for pairs that are as good as any', () => {
    const { label, user, item } = data.train;
    const expected = logOdds.map((score) => 1 / (1 + Math.exp(-score)));
    const excess = expected.reduce((sum, p, row) => sum + ((label?.[row] as number) - p) * (logOdds[row] as number), 0);
    const variance = expected.reduce((sum, p, row) => sum + p * (1 - p) * (logOdds[row] as number) ** 2, 0);
    expect(Math.abs(excess) / Math.sqrt(variance)).toBeLessThan(4);
    expect([new Set(user).size, new Set(item).size]).toEqual([40, 120]);
    const mean = logOdds.reduce((sum, score) => sum + score, 0) / logOdds.length;
    expect(Math.abs(mean + 1)).toBeLessThan(0.3);
  });

  it('asks for the items of the largest log-odds, those with an impression among them', () => {
    const test = data.test as RankingSet;
    expect(test.users).toHaveLength(40);
    for (const [entry, user] of test.users.entries()) {
      const scores = [...(data.truth?.scoreUsers(Int32Array.of(user)) as Float32Array).entries()];
      const best = scores.sort((a, b) => b[1] - a[1]).slice(0, 7).map(([item]) => item); // prettier-ignore
      expect(new Set(listAt(test.positives, entry))).toEqual(new Set(best));
      expect(listAt(test.seen, entry)).toHaveLength(0);
    }
  });

  it('validates by clicks: what is clicked is better than what is shown', () => {
    const valid = data.valid as RankingSet;
    const clicked = [...valid.users].flatMap(
      (user, entry) =>
      [...listAt(valid.positives, entry)].map((item) => data.truth?.scorePairs(Int32Array.of(user), Int32Array.of(item))[0] as number), // prettier-ignore
    );
    const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length; // prettier-ignore
    expect(clicked.length).toBeGreaterThan(40 * 4);
    expect(mean(clicked)).toBeGreaterThan(mean(logOdds) + 1);
  });
});

describe('world/watch-time', () => {
  const sizes = { numUsers: 40, numItems: 120, numRows: 20_000, numBest: 7 };
  const data = prepareData(section('world/watch-time', sizes), places);
  const { user, item, label, numbers } = data.train;
  const duration = numbers?.['duration'] as Float32Array;
  const everyone = Int32Array.from({ length: 40 }, (_, each) => each);
  const worth = data.truth?.worth?.(everyone) as Float32Array;
  const worthOfRow = Float32Array.from(user, (u, row) => worth[u * 120 + (item[row] as number)] as number);

  it('brings, on average over impressions, the seconds that its truth says', () => {
    for (const [row, seconds] of duration.entries()) expect(seconds > 0).toBe(label?.[row] === 1);
    const excess = duration.reduce((sum, seconds, row) => sum + seconds - (worthOfRow[row] as number), 0);
    const variance = duration.reduce((sum, seconds, row) => sum + (seconds - (worthOfRow[row] as number)) ** 2, 0);
    expect(Math.abs(excess) / Math.sqrt(variance)).toBeLessThan(4);
  });

  it('clicks and watches by different tastes', () => {
    const clicked = [...duration.keys()].filter((row) => label?.[row] === 1);
    const logs = clicked.map((row) => Math.log(duration[row] as number));
    const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
    expect(Math.abs(mean - Math.log(25))).toBeLessThan(0.35); // forty users have few tastes
    const scores = data.truth?.scorePairs(user, item) as Float32Array;
    for (const [row, score] of scores.entries()) expect(score).toBeCloseTo(Math.log(worthOfRow[row] as number), 4);
  });

  it('asks for what brings most, and validates by what is watched', () => {
    const test = data.test as RankingSet;
    for (const [entry, each] of test.users.entries()) {
      const own = [...worth.subarray(each * 120, (each + 1) * 120).entries()];
      const best = own.sort((a, b) => b[1] - a[1]).slice(0, 7).map(([found]) => found); // prettier-ignore
      expect(new Set(listAt(test.positives, entry))).toEqual(new Set(best));
    }
    const valid = data.valid as RankingSet;
    const watched = [...valid.users].flatMap((each, entry) => [...listAt(valid.positives, entry)].map((found) => worth[each * 120 + found] as number)); // prettier-ignore
    const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length; // prettier-ignore
    expect(mean(watched)).toBeGreaterThan(2 * mean(worth));
  });
});

describe('labelsBy', () => {
  const { train } = prepareData(section('world/watch-time', { numUsers: 40, numItems: 120, numRows: 2000 }), places);

  it('gives the label 1 to the rows for which it holds', () => {
    const { duration = new Float32Array(0) } = train.numbers ?? {};
    expect([...labelsBy('duration > 50', train)]).toEqual([...duration].map((seconds) => (seconds > 50 ? 1 : 0)));
    expect([...labelsBy('duration > 0', train)]).toEqual([...(train.label ?? [])]);
  });

  it('refuses what it cannot read, does not know, or what divides nothing', () => {
    const refusals = [
      ['long', 'objective.label: cannot read "long"'],
      ['watched > 3', 'objective.label: the interactions have no numbers called "watched"\n  allowed  duration'],
      ['duration >= 0', 'objective.label: duration >= 0 holds for 2000 of 2000 training rows'],
      ['duration < 0', 'objective.label: duration < 0 holds for 0 of 2000 training rows'],
    ] as const;
    for (const [text, message] of refusals) expect(() => labelsBy(text, train)).toThrow(message);
    const { numbers: _, ...without } = train;
    expect(() => labelsBy('duration > 1', without)).toThrow('allowed  null: there are none');
  });
});

describe('world/popularity-clicks', () => {
  const sizes = { numUsers: 300, numItems: 60, numClicks: 200 };
  const ofTarget = (target: string) => prepareData(section('world/popularity-clicks', { ...sizes, target }), places);
  const [clicks, taste] = [ofTarget('clicks'), ofTarget('taste')];

  it('trains and validates on the same clicks, whatever the test asks for', () => {
    expect(taste.train).toEqual(clicks.train);
    expect(taste.valid).toEqual(clicks.valid);
    expect(taste.fingerprint).not.toBe(clicks.fingerprint);
    expect(clicks.train.user.length).toBe(300 * 200);
    expect(clicks.protocol.seen).toBe('kept');
  });

  it('clicks as often as the truth says', () => {
    const users = Int32Array.from({ length: 300 }, (_, user) => user);
    const scores = clicks.truth?.scoreUsers(users) as Float32Array;
    const expected = new Float64Array(60);
    for (const user of users) {
      const weights = Array.from(scores.subarray(user * 60, (user + 1) * 60), Math.exp);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const [item, weight] of weights.entries()) expected[item]! += (200 * weight) / total;
    }
    const chiSquare = expected.reduce(
      (sum, count, item) => sum + ((clicks.itemCounts[item] as number) - count) ** 2 / count,
      0,
    );
    expect(chiSquare).toBeLessThan(98.3); // 59 degrees of freedom, p = .001; less still, since users differ
  });

  it('asks for the items that taste alone puts first', () => {
    const { users, positives } = taste.test as RankingSet;
    const scores = taste.truth?.scoreUsers(users) as Float32Array;
    for (const entry of users.keys()) {
      const own = scores.subarray(entry * 60, (entry + 1) * 60);
      const first = [...own.keys()].sort((a, b) => (own[b] as number) - (own[a] as number)).slice(0, 20);
      expect(listAt(positives, entry).sort((a, b) => a - b)).toEqual(first.sort((a, b) => a - b));
    }
  });

  it('has popularity that says nothing about the number of an item', () => {
    const hottest = clicks.itemCounts.indexOf(Math.max(...clicks.itemCounts));
    const other = prepareData(section('world/popularity-clicks', { ...sizes, seed: 1 }), places).itemCounts;
    expect(other.indexOf(Math.max(...other))).not.toBe(hottest);
  });
});

describe('world/never-clicked', () => {
  const data = prepareData(section('world/never-clicked', { numUsers: 100, numItems: 400, numCategories: 8 }), places);
  const columnOf = (name: string) => data.candidate.ids.find((feature) => feature.name === name)?.ids as Uint8Array;

  it('clicks all that it asks for, and never an item of the upper half of quality', () => {
    const [category, quality] = [columnOf('category'), columnOf('quality')];
    const live = new Set([...data.train.item].map((item) => quality[item]));
    expect(live.size).toBe(5);
    const isLive = (item: number): boolean => live.has(quality[item]);
    expect(data.itemCounts.every((count, item) => isLive(item) || count === 0)).toBe(true);
    const { users, positives } = data.test as RankingSet;
    const scores = data.truth?.scoreUsers(users) as Float32Array;
    for (const entry of users.keys()) {
      const liked = listAt(positives, entry);
      for (const item of liked) expect(scores[entry * 400 + item]).toBe(1);
      const kind = category[liked[0] as number];
      for (let item = 0; item < 400; item++)
        expect(scores[entry * 400 + item]).toBe(category[item] === kind && isLive(item) ? 1 : 0);
    }
  });
});

describe('world/fine-taste', () => {
  const numRows = 20_000;
  const data = prepareData(section('world/fine-taste', { numRows, numEvaluationUsers: 50, numCategories: 4, categorySize: 10 }), places); // prettier-ignore

  it('clicks within the category of each user, as often as the truth says', () => {
    const { user, item } = data.train;
    const scores = data.truth?.scoreUsers(user) as Float32Array;
    let [expected, found] = [0, 0]; // log P of what is clicked: its mean under the truth, and the mean of the clicks
    for (let row = 0; row < numRows; row++) {
      const own = scores.subarray(row * 40, (row + 1) * 40);
      const weights = own.map(Math.exp);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      expect(weights[item[row] as number]).toBeGreaterThan(0);
      expect(weights.filter((weight) => weight > 0).length).toBeLessThanOrEqual(10);
      for (const [each, weight] of weights.entries())
        expected += weight > 0 ? (weight / total) * (own[each] as number) : 0;
      found += own[item[row] as number] as number;
    }
    expect(Math.abs(found - expected) / numRows).toBeLessThan(0.1);
  });

  it('asks for the five items that the truth puts first, of users whom training never saw', () => {
    const { users, positives } = data.test as RankingSet;
    const scores = data.truth?.scoreUsers(users) as Float32Array;
    for (const [entry, who] of users.entries()) {
      expect(who).toBeGreaterThanOrEqual(numRows);
      const own = scores.subarray(entry * 40, (entry + 1) * 40);
      const best = [...own.keys()].sort((a, b) => (own[b] as number) - (own[a] as number)).slice(0, 5);
      const asked = [...positives.items.subarray(positives.offsets[entry], positives.offsets[entry + 1])];
      expect(asked.sort((a, b) => a - b)).toEqual(best.sort((a, b) => a - b));
    }
  });
});

describe('worlds', () => {
  const ofUsers = { numUsers: small.numUsers, numItems: small.numItems };
  it.each([
    ['world/dual-augmented', ofUsers],
    ['world/field-noise', { numRows: 1000 }],
    ['world/field-crosses', { numRows: 1000 }],
    ['world/fine-taste', { numRows: 1000 }],
    ['world/impressions', { numUsers: 20, numRows: 1000 }],
    ['world/interests', { numRows: 1000 }],
    ['world/long-and-short-term', { numRows: 1000 }],
    ['world/movies', small],
    ['world/never-clicked', { numUsers: 20 }],
    ['world/popularity-clicks', { numUsers: 20 }],
    ['world/watch-time', { numUsers: 20, numRows: 1000 }],
  ])('%s is the same for one seed and another for another', (name, sizes) => {
    const make = (seed: number) => {
      const { train } = prepareData(section(name, { seed, ...sizes }), places);
      return [...train.item].join();
    };
    expect(make(0)).toBe(make(0));
    expect(make(1)).not.toBe(make(0));
  });
});

describe('describeDataset', () => {
  it('names the data by every option that changes what is measured', () => {
    const fingerprintOf = (params: object) => describeDataset(section('world/movies', params), places).fingerprint;
    const different = [
      {},
      { seed: 1 },
      { numUsers: 100 },
      { split: { protocol: 'leave-last-k', k: 1 } },
      { split: { protocol: 'leave-last-k', k: 2 } },
      { split: { protocol: 'leave-one-out', validation: 'random-train-item' } },
      { split: { protocol: 'ratio' } },
      { split: { protocol: 'ratio', test: 0.2 } },
    ].map(fingerprintOf);
    expect(new Set(different).size).toBe(different.length);
    expect(fingerprintOf({ features: { query: ['user_id'] }, minFrequency: 3 })).toBe(different[0]);
  });

  it('names the data by the bytes of its files', () => {
    const dataDir = join(folder, 'named');
    mkdirSync(join(dataDir, 'ml-100k'), { recursive: true });
    const fingerprintOf = (ratings: string, params: object = {}) => {
      for (const [name, text] of Object.entries({ 'u.data': ratings, 'u.user': 'users', 'u.item': 'movies' }))
        writeFileSync(join(dataDir, 'ml-100k', name), text);
      return describeDataset(section('movielens-100k', params), { ...places, dataDir }).fingerprint;
    };
    const first = fingerprintOf('1\t1\t5\t10\n');
    expect(fingerprintOf('1\t1\t5\t10\n')).toBe(first);
    expect(fingerprintOf('1\t1\t4\t10\n')).not.toBe(first); // of the same length
    expect(fingerprintOf('1\t1\t5\t10\n', { positive: 'rating >= 2' })).not.toBe(first);
  });

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

  it('whose drawn validation row is kept has it in training and in validation, and tests on the same', () => {
    const of = (validation: string) =>
      prepareData(section('world/movies', { ...small, split: { protocol: 'leave-one-out', validation } }), places) as PreparedData & { valid: RankingSet; test: RankingSet }; // prettier-ignore
    const [drawn, kept] = [of('random-train-item'), of('random-train-item-kept')];
    const rowsOf = ({ train }: PreparedData): string[] =>
      Array.from(train.user, (user, k) => `${user} ${train.item[k]}`);
    const validRows = Array.from(kept.valid.users, (user, k) => `${user} ${kept.valid.positives.items[k]}`);
    expect(validRows.length).toBeGreaterThan(0);
    expect(rowsOf(kept).sort()).toEqual([...rowsOf(drawn), ...validRows].sort());
    expect(kept.valid).toEqual(drawn.valid);
    expect(kept.test).toEqual(drawn.test);
    expect(kept.history).toEqual(drawn.history);
    const counts = (items: Int32Array): number => items.reduce((sum, count) => sum + count, 0);
    expect(counts(kept.itemCounts)).toBe(counts(drawn.itemCounts) + validRows.length);
    expect(kept.fingerprint).not.toBe(drawn.fingerprint);
  });
});
