import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { TrialConfig } from '@towerbench/config';
import { ownItemIds, readyDataset, type NewUser, type RankingSet } from '@towerbench/data';
import { startEngine } from '@towerbench/engine';
import { listOf } from '@towerbench/metrics';
import { engineUnderTest } from '@towerbench/testing';
import { readListsFile } from '@towerbench/tracking';
import { openRecommender, type Recommender, type Why } from './recommend.js';
import { places, record, sampleTrial } from './sample-trial.js';

beforeAll(() => startEngine(engineUnderTest));

const SEQUENCE = { features: { query: ['user_id', { name: 'watched', kind: 'sequence', length: 10 }] } };
const BCE = { objective: { type: 'bce', temperature: 0.2 }, sampler: { type: 'uniform', numNegatives: 2 } };
const small = { embeddingDim: 8, hiddenUnits: [], outputDim: 8 };
const TRIALS: Readonly<Record<string, Parameters<typeof sampleTrial>[0]>> = {
  dssm: {},
  mind: { dataset: SEQUENCE, model: { type: 'mind', ...small, numInterests: 3 } },
  comirec: { dataset: SEQUENCE, model: { type: 'comirec', ...small, numInterests: 3 } },
  'comirec with lists by more than scores': {
    dataset: { name: 'world/interests', numRows: 1000, numEvaluationUsers: 40 },
    model: { type: 'comirec', ...small, numInterests: 3, diversity: 0.5 },
  },
  'ranker-mlp': { model: { type: 'ranker-mlp', embeddingDim: 4, hiddenUnits: [8] }, ...BCE },
  ...Object.fromEntries(['popularity', 'item-cf', 'ease', 'user-cf', 'ials', 'mf'].map((type) => [type, { model: { type } }])), // prettier-ignore
};

const trial = (name: string): TrialConfig => ({ ...sampleTrial(TRIALS[name]), engine: engineUnderTest });

/** A run with what it has kept, and its checkpoint opened to recommend. */
async function stored(config: TrialConfig, newUser?: NewUser) {
  const folder = mkdtempSync(join(tmpdir(), 'towerbench-recommend-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (kind: string): string => join(folder, kind);
  const files = { state: file('state'), saveEveryMs: 1e9, lists: file('lists'), users: file('users') };
  const { checkpoint } = await record(config, 1, { files });
  const request = { config, checkpoint, places, ...(newUser === undefined ? {} : { newUser }) };
  return { kept: readListsFile(files.lists), checkpoint, recommender: await openRecommender(request) };
}

const why = ({ recommend }: Recommender, user: number): readonly Why[] => recommend(user, { k: 5 }).items.map((item) => item.why); // prettier-ignore

describe('recommending as a stored run', () => {
  it.each(Object.keys(TRIALS))('gives with %s the ranks and lists of its evaluation, for every user', async (name) => {
    const { recommender, kept } = await stored(trial(name));
    const { users, positives, seen } = recommender.data.test as RankingSet;
    expect(kept.ranks).toHaveLength(positives.items.length);
    for (const [entry, user] of users.entries()) {
      const { items, heldOut, keepsSeen } = recommender.recommend(user, { k: 20 });
      expect(heldOut.map(({ item }) => item)).toEqual([...listOf(positives, entry)]);
      const first = positives.offsets[entry] as number;
      expect(heldOut.map(({ rank }) => rank - 1)).toEqual([...(kept.ranks ?? []).slice(first, first + heldOut.length)]);
      expect(items.map(({ item }) => item)).toEqual([...listOf(kept.lists, entry)]);
      expect(keepsSeen).toBe(name.endsWith('more than scores')); // that world leaves in the list what a user had
      expect(items.some(({ item, isSeen }) => !keepsSeen && (isSeen || listOf(seen, entry).includes(item)))).toBe(
        false,
      );
      for (const [place, { item, isHeldOut, score }] of items.entries()) {
        expect(isHeldOut).toBe(heldOut.some((target) => target.item === item));
        expect(score).toBeLessThanOrEqual(items[place - 1]?.score ?? Infinity);
      }
    }
  });

  it('keeps seen items where they are asked for, marked', async () => {
    const { recommender } = await stored(trial('popularity'));
    const [user = 0] = (recommender.data.test as RankingSet).users;
    const masked = recommender.recommend(user, { k: 80 });
    const whole = recommender.recommend(user, { k: 80, withSeen: true });
    expect([masked.keepsSeen, whole.keepsSeen]).toEqual([false, true]);
    expect(whole.items).toHaveLength(80);
    expect(masked.items).toHaveLength(80 - new Set(whole.history).size);
    const seen = whole.items.filter(({ isSeen }) => isSeen).map(({ item }) => item);
    expect(seen.sort()).toEqual([...new Set(whole.history)].sort());
    expect(whole.heldOut[0]?.rank).toBeGreaterThan(masked.heldOut[0]?.rank as number);
  });

  it('names for models with vectors the nearest items of the history by cosine', async () => {
    for (const name of ['dssm', 'mind', 'ials']) {
      const { recommender } = await stored(trial(name));
      const { history, items } = recommender.recommend(3, { k: 5 });
      for (const { why: reason } of items) {
        if (reason.kind !== 'similar') throw new Error(`${name} gives ${reason.kind}`);
        expect(reason.items).toHaveLength(3);
        for (const [k, { item, amount }] of reason.items.entries()) {
          expect(history).toContain(item);
          expect(Math.abs(amount)).toBeLessThanOrEqual(1 + 1e-6);
          expect(amount).toBeLessThanOrEqual(reason.items[k - 1]?.amount ?? Infinity);
        }
      }
    }
  });

  it('names for item-cf what the items of the user add to the score, all of which is the score', async () => {
    const { recommender } = await stored(trial('item-cf'));
    const { train } = recommender.data;
    const user = [...train.user].find(
      (each) => [...train.user].filter((other) => other === each).length <= 3,
    ) as number;
    const { items } = recommender.recommend(user, { k: 3 });
    for (const { why: reason, score } of items) {
      if (reason.kind !== 'added') throw new Error(`it gives ${reason.kind}`);
      expect(reason.items.reduce((sum, { amount }) => sum + amount, 0)).toBeCloseTo(score, 5);
    }
  });

  it('says in words what has no such items', async () => {
    const popularity = await stored(trial('popularity'));
    const { items } = popularity.recommender.recommend(3, { k: 5 });
    const texts = items.map(({ item }) => `${popularity.recommender.data.itemCounts[item]} in training, and the same list for everybody`); // prettier-ignore
    expect(why(popularity.recommender, 3)).toEqual(texts.map((text) => ({ kind: 'words', text })));
    const [userCf] = why((await stored(trial('user-cf'))).recommender, 3);
    expect(userCf).toMatchObject({ text: expect.stringMatching(/^\d+ of the 50 nearest users had it$/) as string });
    const [ranker] = why((await stored(trial('ranker-mlp'))).recommender, 3);
    expect(ranker).toMatchObject({ text: expect.stringContaining('no vectors of items') as string });
  });
});

describe('somebody new', () => {
  const SHE = { features: { gender: 'F' }, history: ['1', '7', '9'] };

  it('is recommended what a user of the data is who looks the same to the model, without what she had', async () => {
    const config = { ...trial('dssm'), dataset: { ...trial('dssm').dataset, features: { query: ['gender'], candidate: ['item_id'] } } } as TrialConfig; // prettier-ignore
    const { recommender, checkpoint } = await stored(config, SHE);
    const { newUser, recommend, data } = recommender;
    const she = recommend(newUser?.user as number, { k: 80, withSeen: true });
    const plain = await openRecommender({ config, checkpoint, places });
    const alike = [...Array(200).keys()].find((user) => plain.data.query.ids[0]?.ids[user] === data.query.ids[0]?.ids[200]) as number; // prettier-ignore
    const other = plain.recommend(alike, { k: 80, withSeen: true });
    expect(she.items.map(({ item, score }) => [item, score])).toEqual(other.items.map(({ item, score }) => [item, score])); // prettier-ignore
    expect([...she.history]).toEqual([0, 6, 8]);
    expect(she.heldOut).toEqual([]);
    const masked = recommend(newUser?.user as number, { k: 80 }).items.map(({ item }) => item);
    expect(masked).toHaveLength(77);
    for (const item of [0, 6, 8]) expect(masked).not.toContain(item);
    expect(newUser?.notes).toEqual(['the history changes no score: this dssm reads none']);
  });

  it('is recommended by her items where a baseline adds up what they say', async () => {
    const config = trial('item-cf');
    const { recommender, checkpoint } = await stored(config, SHE);
    const { items } = recommender.recommend(recommender.newUser?.user as number, { k: 5 });
    expect(items[0]?.score).toBeGreaterThan(0);
    expect(items[0]?.why).toMatchObject({ kind: 'added' });
    expect(recommender.newUser?.notes).toEqual(['item-cf reads no features of users']);
    await expect(openRecommender({ config, checkpoint, places, newUser: { features: {}, history: [] } })).rejects.toThrow('--features: item-cf scores by the items that somebody had\n  hint     name some by --history'); // prettier-ignore
  });

  it.each(['ials', 'mf', 'user-cf'])(
    'is refused by %s, which knows users by what they did in training',
    async (name) => {
      const config = trial(name);
      const { checkpoint } = await record(config);
      await expect(openRecommender({ config, checkpoint, places, newUser: SHE })).rejects.toThrow(
        `--features: ${name} knows users by what they did in training alone\n  hint     ask for a user of the data by --user`,
      );
    },
  );

  it('is refused by a model that reads nothing of users but their ids', async () => {
    const base = trial('dssm');
    const config = { ...base, dataset: { ...base.dataset, features: { query: ['user_id'], candidate: ['item_id'] } } } as TrialConfig; // prettier-ignore
    const { checkpoint } = await record(config);
    await expect(openRecommender({ config, checkpoint, places, newUser: { features: {}, history: ['1'] } })).rejects.toThrow('of a user this dssm reads the id alone, and nobody new has one'); // prettier-ignore
  });

  it('is said to be unknown by id and without a history, where the model reads them', async () => {
    const { recommender } = await stored(trial('mind'), { features: {}, history: [] });
    expect(recommender.newUser?.notes).toEqual(['user_id: unknown, as of everybody new', 'watched: empty, for there is no --history']); // prettier-ignore
    expect(why(recommender, recommender.newUser?.user as number)[0]).toEqual({ kind: 'words', text: 'the user had nothing before' }); // prettier-ignore
  });
});

describe('the data of a stored run of one’s own files', () => {
  const rows = (items: readonly string[]): string =>
    ['user,item,time', ...['a', 'b', 'c'].flatMap((user) => items.map((item, k) => `${user},${item},${1e9 + k}`)), ''].join('\n'); // prettier-ignore

  /** A run on files, and what opens it again. */
  async function own() {
    const folder = mkdtempSync(join(tmpdir(), 'towerbench-own-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const events = join(folder, 'events.csv');
    const at = { dataDir: folder, cacheDir: join(folder, 'cache') };
    const { dataset } = sampleTrial({
      dataset: { name: 'custom', interactions: { folder, files: 'events.csv', columns: { user: 'user', item: 'item', time: 'time' } } },
    }); // prettier-ignore
    const config = { ...sampleTrial({ model: { type: 'popularity' } }), dataset };
    writeFileSync(events, rows(['x', 'y', 'z', 'w']));
    await readyDataset(dataset, at);
    const { checkpoint } = await record(config, 1, { at });
    return { events, at, open: () => openRecommender({ config, checkpoint, places: at }) };
  }

  const itemsOf = ({ data }: Recommender): string[] => [...ownItemIds(data)].sort();

  it('is what was kept of it, though the files have changed or are gone', async () => {
    const { events, open } = await own();
    writeFileSync(events, rows(['x', 'y', 'q', 'w']));
    expect(itemsOf(await open())).toEqual(['w', 'x', 'y', 'z']);
    rmSync(events);
    expect(itemsOf(await open())).toEqual(['w', 'x', 'y', 'z']);
  });

  it('is read again where nothing was kept, and refused when the files have changed or are gone, with what to do', async () => {
    const { events, at, open } = await own();
    rmSync(at.cacheDir, { recursive: true });
    expect(itemsOf(await open())).toEqual(['w', 'x', 'y', 'z']);
    rmSync(at.cacheDir, { recursive: true });
    writeFileSync(events, rows(['x', 'y', 'q', 'w']));
    await expect(open()).rejects.toThrow(/^dataset\.name: the checkpoint was trained on custom with the fingerprint \w+, but what is there now has \w+\n.*\n {2}hint {5}its files have changed since: put them back/); // prettier-ignore
    rmSync(at.cacheDir, { recursive: true });
    rmSync(events);
    await expect(open()).rejects.toThrow(/^dataset\.name: the tables that the run was trained on are not in \S+cache, and its files cannot be read again\n {2}hint {5}put the files back as they were, or train the run again on others\n\n.*there is no file/); // prettier-ignore
  });
});
