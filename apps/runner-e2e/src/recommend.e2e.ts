import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { artifactFile, openStoreReader, readListsFile } from '@towerbench/tracking';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { towerbench } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-recommend-'));
const store = join(folder, 'store.sqlite');
afterAll(() => rmSync(folder, { recursive: true }));

const CITIES = ['Oslo', 'Rome', ''];
/** In the order of the data. */
const USERS = ['Zoë', 'anna', 'ben', 'cleo', 'dora', 'emil'];
const ITEMS = ['x/1', 'x/2', 'y,1', 'y,2', 'z 1', 'z 2', '7'];
const EVENTS = USERS.flatMap((user, u) => ITEMS.slice(0, 4 + (u % 3)).map((_, k) => `${user},"${ITEMS[(u + k) % 7]}",${1e9 + 10 * k}`)); // prettier-ignore
const EXPERIMENT = `name: own
dataset:
  name: custom
  interactions: { files: events.csv, columns: { user: user, item: item, time: time } }
  users: { files: users.csv, columns: { user: user }, features: { age: { kind: numeric }, city: { kind: categorical } } }
  items: { files: items.csv, columns: { item: item, title: name } }
  features: { query: [user_id, age, city], candidate: [item_id] }
model: { type: dssm, embedding_dim: 4, output_dim: 4 }
objective: { type: in-batch-softmax }
training: { epochs: 2, batch_size: 8 }
variants: { base: {}, item-cf: { model: { type: item-cf } }, popularity: { model: { type: popularity } } }
seeds: [1]
metric: { name: valid/ndcg@10, goal: maximize }
`;

/** What was kept of the runs, by variant. */
const runs: Record<string, { readonly id: string; readonly ranks: Float64Array | null }> = {};

beforeAll(async () => {
  writeFileSync(join(folder, 'own.yaml'), EXPERIMENT);
  writeFileSync(join(folder, 'events.csv'), ['user,item,time', ...EVENTS, ''].join('\n'));
  const users = USERS.map((user, u) => `${user},${20 + u},${CITIES[u % 3]}`);
  writeFileSync(join(folder, 'users.csv'), ['user,age,city', ...users, 'fred,70,Oslo', ''].join('\n'));
  const items = ITEMS.map((item, k) => `"${item}",Film ${k}`);
  writeFileSync(join(folder, 'items.csv'), ['item,name', ...items, ''].join('\n'));
  const { code, stderr } = await towerbench('sweep', '--config', join(folder, 'own.yaml'), '--store', store);
  expect(code, stderr).toBe(0);
  const reader = openStoreReader(store);
  for (const { id, variant } of reader.runs('own')) {
    const lists = reader.run(id)?.artifacts.find(({ kind }) => kind === 'lists');
    runs[variant] = { id: String(id), ranks: readListsFile(artifactFile(store, lists?.sha256 ?? '')).ranks };
  }
  reader.close();
});

const ask = (variant: string, ...options: string[]) => towerbench('recommend', runs[variant]?.id ?? '', ...options, '--store', store); // prettier-ignore

interface Asked {
  readonly user: string | null;
  readonly notes: readonly string[];
  readonly items: readonly {
    item: string;
    title: string;
    isSeen: boolean;
    isHeldOut: boolean;
    why: { kind: string };
  }[];
  readonly heldOut: readonly { item: string; rank: number }[];
}
const asked = async (variant: string, ...options: string[]): Promise<readonly Asked[]> => {
  const { code, stdout, stderr } = await ask(variant, ...options, '--format', 'json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return (JSON.parse(stdout) as { users: readonly Asked[] }).users;
};

describe('recommend', () => {
  it.each(['base', 'item-cf', 'popularity'])('puts what is to be found where the test of %s has put it', async (variant) => {
    const users = await asked(variant, ...USERS.flatMap((user) => ['--user', user]));
    expect(users.map(({ user }) => user)).toEqual(USERS);
    const ranks = users.map(({ heldOut }) => (heldOut[0]?.rank ?? NaN) - 1);
    expect(new Map(USERS.map((user, u) => [user, ranks[u]]))).toEqual(new Map(USERS.map((user, u) => [user, runs[variant]?.ranks?.[u]]))); // prettier-ignore
    for (const { items, heldOut } of users) {
      expect(items.find(({ isHeldOut }) => isHeldOut)?.item).toBe(heldOut[0]?.item);
      expect(items.some(({ isSeen }) => isSeen)).toBe(false);
    }
  }); // prettier-ignore

  it('tells people by own ids and titles, and marks hits and what was seen', async () => {
    const { stdout, code } = await ask('item-cf', '--user', 'Zoë', '--with-seen', '--k', '7');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^user Zoë, 3 items before the test; seen ones are among the items, marked$/m);
    expect(stdout).toMatch(/^rank +item +title +score +what the user had and what that adds to the score$/m);
    expect(stdout.match(/^ +\d +\S+( \d)? +Film \d .* seen +/gm)).toHaveLength(3);
    expect(stdout).toMatch(/^ +\d +\S+( \d)? +Film \d .*✓ hit/m);
    expect(stdout).toMatch(/^to find: Film \d is at \d(\.5 \(tie\))?, with a score of \d/m);
  });

  it('gives rows for programs', async () => {
    const { stdout } = await ask('popularity', '--user', 'anna', '--k', '2', '--format', 'csv');
    expect(stdout).toMatch(/^user,rank,item,title,score,seen,held_out,why\nanna,1,.*,\d,0,[01],"\d in training, and the same list for everybody"\nanna,2,.*\n$/); // prettier-ignore
  });

  it('takes somebody new by features and a history, fills in what is missing and says so', async () => {
    const [she] = await asked('base', '--features', '{"city": "Lima"}', '--history', '["y,1", "7"]', '--k', '7');
    expect(she?.user).toBeNull();
    expect(she?.items).toHaveLength(5);
    expect(she?.notes).toEqual([
      'age: not given, so it is the mean of training',
      'city: the data has no "Lima", so it is unknown; it has Oslo, Rome',
      'user_id: unknown, as of everybody new',
      'the history changes no score: this dssm reads none',
    ]);
    const [other] = await asked('item-cf', '--history', 'x/1,7', '--k', '3');
    expect(other?.items[0]?.why.kind).toBe('added');
  });

  it('knows users of the table who are in no row as somebody new alone, and evaluation says over whom its means are', async () => {
    const { code, stderr } = await ask('base', '--user', 'fred');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^--user: the data has no user "fred"\n {2}allowed .*\n {2}hint {5}somebody new is described by --features/) as string }); // prettier-ignore
    const { stdout } = await towerbench('evaluate', runs['base']?.id ?? '', '--protocol', 'full', '--store', store);
    expect(stdout).toContain('Means over the 6 users who have something to find; the other 0 of the data are in none.');
  });

  it.each([
    [[], /^recommend: needs --user, or --features or --history of somebody new\n {2}allowed {2}Zoë, anna, ben, .*\n {2}hint {5}for example --user Zoë$/],
    [['--user', 'ana'], /^--user: the data has no user "ana"\n {2}allowed {2}6 users, the nearest anna, /],
    [['--features', '{age: 25}'], /^--features: received \{age: 25\}\n {2}allowed {2}values by name as JSON\n/],
    [['--features', '{"size": 3}'], /^--features: the run has no user feature "size"\n {2}allowed {2}age, city$/],
    [['--history', 'x/9'], /^--history: there is no item "x\/9"\n {2}allowed {2}ids such as x\/1/],
    [['--user', 'anna', '--k', '0'], /^--k: received "0"/],
  ])('refuses %j with what is allowed', async (options, message) => {
    const { code, stdout, stderr } = await ask('base', ...options);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trimEnd()).toMatch(message);
  }); // prettier-ignore
});
