import { holm, listOf, pairedT, userMetrics } from '@towerbench/metrics';
import { openMemoryStore, type ArtifactRef, type TestUsers } from '@towerbench/tracking';
import { describe, expect, it } from 'vitest';
import { buildReport } from './build.js';
import { buildSlices, slicesCsv, type Slices } from './slices.js';

const NUM_ITEMS = 60;
const SEEDS = [1, 2, 3, 4, 5];

/** Between 0 and 1, looks drawn at random, always the same. */
const noise = (k: number): number => {
  const x = Math.sin(12.9898 * (k + 1)) * 43758.5453;
  return x - Math.floor(x);
};

function ragged(lists: readonly (readonly number[])[]) {
  const offsets = Int32Array.from([0, ...lists.map((_, k) => lists.slice(0, k + 1).flat().length)]);
  return { offsets, items: Int32Array.from(lists.flat()) };
}

/** Test users with so many items to find each; every seventh had none before. */
function testUsers({ numUsers = 120, each = 1 } = {}): TestUsers {
  const numbers = Array.from({ length: numUsers }, (_, k) => k);
  return {
    every: 1,
    users: Int32Array.from(numbers),
    historyLength: Int32Array.from(numbers, (k) => k % 7),
    positives: ragged(numbers.map((k) => Array.from({ length: each }, (_, i) => (k * 7 + i * 13) % NUM_ITEMS))),
    history: ragged(numbers.map(() => [])),
    ids: null,
    items: {
      titles: null,
      counts: Int32Array.from({ length: NUM_ITEMS }, (_, item) => Math.floor(400 / (item + 1)) - 8),
      categories: Int32Array.from({ length: NUM_ITEMS }, (_, item) => item % 30),
    },
    sizeBytes: 0,
  };
}

/** A store of runs whose metrics are made of ranks; `=gate` puts what is popular nearer to the top than `base` does. */
function storeOf(
  users: TestUsers,
  { variants = ['base', '=gate'], seeds = SEEDS, keeps = (_variant: string): string | null => 'users' } = {},
) {
  const { writer, reader } = openMemoryStore();
  const report = ['valid/ndcg@10', 'test/ndcg@10', 'test/coverage@10'];
  const runs = writer.plan({
    name: 'slices',
    file: 'configs/slices.yaml',
    config: {},
    dataset: 'd',
    fingerprint: 'f',
    protocol: {},
    metric: { name: 'valid/ndcg@10', goal: 'maximize' },
    report,
    published: [],
    baseVariant: 'base',
    seeds,
    trials: variants.map((variant) => ({ id: variant, variant, parameters: {}, config: {} })),
  });
  const ranksOf = new Map<string, Float64Array>();
  for (const { id, variant, seed } of runs) {
    const ranks = Float64Array.from(users.positives.items, (item, at) => {
      const luck = 30 * noise(at + 31 * seed);
      return Math.floor(variant === 'base' ? luck : luck / (item < 6 ? 3 : 1.2 + variant.length / 50));
    });
    const numCandidates = new Int32Array(users.users.length).fill(NUM_ITEMS);
    numCandidates[0] = users.positives.offsets[1] as number; // who has no negatives has no auc
    const values = userMetrics({ ranks, numCandidates }, users.positives.offsets);
    const perUser = Object.fromEntries(Object.entries(values).map(([name, own]) => [`test/${name}`, own]));
    const means = Object.entries(perUser).map(([name, own]) => {
      const there = [...own].filter((value) => !Number.isNaN(value));
      return [name, there.reduce((sum, value) => sum + value, 0) / there.length] as const;
    });
    const sha256 = `lists-${variant}-${seed}`;
    ranksOf.set(sha256, ranks);
    const kept = keeps(variant);
    const artifacts: ArtifactRef[] = kept === null ? [] : [{ kind: 'lists', sha256, sizeBytes: 1 }, { kind: 'users', sha256: kept, sizeBytes: 1 }]; // prettier-ignore
    const claim = writer.claim(id, { host: 'here', pid: 1, environment: {} });
    writer.finish(claim?.attemptId as number, {
      metrics: { 'valid/ndcg@10': 0.5, ...Object.fromEntries(means), 'test/coverage@10': 0.5 },
      perUser,
      parameterCount: 1,
      indexBytesPerItem: null,
      seconds: 1,
      bestStep: 1,
      artifacts,
    });
  }
  const files = {
    users: (sha256: string) => {
      expect(sha256).toBe('users');
      return users;
    },
    lists: (sha256: string) => ({ lists: ragged([]), ranks: ranksOf.get(sha256) as Float64Array, sizeBytes: 0 }),
  };
  const slices = (metric?: string): Slices => {
    const found = buildSlices(reader, 'slices', { metric, files });
    if (found.kind === 'none') throw new Error(found.reason);
    return found;
  };
  return { reader, writer, files, slices };
}

/** Mean over a family's slices, weighted by their users, of each variant and seed. */
function together({ families }: Slices, id: string, variant: string): readonly number[] {
  const slices = families.find((family) => family.id === id)?.slices ?? [];
  const total = slices.reduce((sum, { weight }) => sum + weight, 0);
  return SEEDS.map((_, seed) =>
    slices.reduce((sum, { weight, rows }) => {
      const value = rows.find((row) => row.variant === variant)?.summary.values[seed] as number;
      return sum + (weight / total) * value;
    }, 0),
  );
}

describe('the means of slices, weighted by their users,', () => {
  it.each(['test/ndcg@10', 'test/hr@5', 'test/mrr', 'test/recall@20'])(
    'add up to %s of the leaderboard, where users have one item to find',
    (metric) => {
      const { slices, reader } = storeOf(testUsers());
      const found = slices(metric);
      expect(found.families.map(({ id }) => id)).toEqual(['popularity', 'history', 'category']);
      for (const variant of ['base', '=gate']) {
        const runs = reader.runs('slices', [metric]).filter((run) => run.variant === variant);
        const own = found.overall.find((row) => row.variant === variant)?.summary.values ?? [];
        for (const { id } of found.families) {
          for (const [k, value] of together(found, id, variant).entries()) {
            expect(value).toBeCloseTo(runs[k]?.metrics[metric] as number, 12);
            expect(own[k]).toBeCloseTo(value, 12);
          }
        }
      }
      const table = buildReport(reader, 'slices', { userIntervals: false });
      const mean = table.groups.find(({ variant }) => variant === 'base')?.metrics['test/ndcg@10']?.mean;
      if (metric === 'test/ndcg@10') expect(found.overall[0]?.summary.mean).toBeCloseTo(mean as number, 12);
    },
  );

  it('add up to the recall of the leaderboard where users have several', () => {
    const { slices, reader } = storeOf(testUsers({ each: 4 }));
    const found = slices('test/recall@10');
    expect(found.hasSeveral).toBe(true);
    for (const { id, slices: own } of found.families) {
      expect(own.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(found.numUsers, 9);
      const runs = reader.runs('slices', ['test/recall@10']).filter(({ variant }) => variant === '=gate');
      // per-user values are stored as float32
      for (const [k, value] of together(found, id, '=gate').entries())
        expect(value).toBeCloseTo(runs[k]?.metrics['test/recall@10'] as number, 6);
    }
    const head = found.families[0]?.slices.find(({ name }) => name === 'head');
    expect(head?.weight).toBeLessThan(head?.users as number);
  });
});

describe('slices', () => {
  it('do not take a metric apart that is no mean over several items to find', () => {
    const [popularity, history, category] = storeOf(testUsers({ each: 3 })).slices('test/ndcg@10').families;
    const problem = 'Users have several items to find, and test/ndcg@10 is no mean over them; choose recall.';
    expect([popularity?.problem, category?.problem]).toEqual([problem, problem]);
    expect(popularity?.slices).toEqual([]);
    expect(history?.problem).toBeNull();
    expect(history?.slices.map(({ name }) => name)).toEqual(['cold', 'medium', 'warm', 'new']);
  });

  it('compare with the base by seed, on the users of the slice alone', () => {
    const users = testUsers();
    const { slices, reader } = storeOf(users);
    const head = slices('test/hr@5').families[0]?.slices.find(({ name }) => name === 'head');
    const row = head?.rows.find(({ variant }) => variant === '=gate');
    const counts = users.items.counts.filter((count) => count > 0);
    const inHead = (item: number) => 3 * counts.slice(0, item).reduce((sum, count) => sum + count, 0) < counts.reduce((sum, count) => sum + count, 0); // prettier-ignore
    const own = [...users.users].filter((user) => inHead(listOf(users.positives, user)[0] as number));
    expect(own.length).toBeGreaterThan(1);
    expect(head?.users).toBe(own.length);
    const meanOf = (variant: string, seed: number): number => {
      const run = reader.runs('slices', []).find((each) => each.variant === variant && each.seed === seed);
      const values = reader.perUser(run?.id as number, 'test/hr@5') as Float32Array;
      return own.reduce((sum, user) => sum + (values[user] as number), 0) / own.length;
    };
    const expected = pairedT(
      SEEDS.map((seed) => meanOf('=gate', seed)),
      SEEDS.map((seed) => meanOf('base', seed)),
    );
    expect(row?.versus?.difference).toBeCloseTo(expected.difference, 12);
    expect(row?.versus?.ci95?.[0]).toBeCloseTo(expected.ci95?.[0] as number, 12);
    expect(row?.versus?.n).toBe(5);
  });

  it('correct over every slice of every variant, and say nothing of those with few users', () => {
    const { slices } = storeOf(testUsers({ numUsers: 400 }), { variants: ['base', '=gate', 'wide'] });
    const { families, comparisons, minUsers, overall } = slices('test/recall@10');
    const all = families.flatMap((family) => family.slices);
    const tested = all.filter(({ users }) => users >= minUsers).flatMap(({ rows }) => rows.filter(({ versus }) => versus !== null)); // prettier-ignore
    expect(comparisons).toBe(tested.length);
    expect(tested.length).toBeGreaterThan(10);
    const corrected = holm(tested.map(({ versus }) => versus?.pSeeds as number));
    expect(tested.map(({ versus }) => versus?.pHolm)).toEqual(corrected);
    expect(tested.some(({ mark }) => mark === 'better')).toBe(true);
    const small = all.filter(({ isTooSmall }) => isTooSmall);
    expect(small.length).toBeGreaterThan(0);
    for (const { users, rows } of small) {
      expect(users).toBeLessThan(minUsers);
      for (const { versus, mark } of rows.filter((row) => row.versus !== null)) {
        expect([versus?.pSeeds, versus?.pHolm, versus?.pUsers, mark]).toEqual([null, null, null, null]);
        expect(versus?.difference).not.toBeNaN();
      }
    }
    expect(overall.map(({ versus }) => versus?.pHolm ?? null)).toEqual([null, null, null]);
  });

  it('put the smaller of many categories together', () => {
    const { families } = storeOf(testUsers({ numUsers: 400 })).slices('test/hr@5');
    const categories = families[2]?.slices ?? [];
    expect(categories).toHaveLength(21);
    expect(categories.at(-1)).toMatchObject({ name: 'others', meaning: '10 categories together' });
    expect(categories.reduce((sum, { users }) => sum + users, 0)).toBe(400);
  });

  it('leave out who has no value', () => {
    const found = storeOf(testUsers()).slices('test/auc');
    expect(found.overall.every(({ summary }) => Number.isFinite(summary.mean))).toBe(true);
  });

  it('name the runs of a pair, to look at their users', () => {
    const { slices, reader } = storeOf(testUsers(), { seeds: [3, 4] });
    const [base, gate] = slices().overall;
    const run = (variant: string) => reader.runs('slices', []).find((each) => each.variant === variant && each.seed === 3)?.id; // prettier-ignore
    expect(base?.pair).toBeNull();
    expect(gate?.pair).toEqual({ base: run('base'), run: run('=gate') });
    expect(gate?.versus?.pSeeds).toBeNull(); // two seeds
  });

  it('begin with the first metric of the report that users have a value of', () => {
    const { metric, metrics } = storeOf(testUsers()).slices();
    expect(metric).toBe('test/ndcg@10');
    expect(metrics).toContain('test/mrr');
    expect(metrics.some((name) => name.startsWith('valid/') || name.includes('coverage'))).toBe(false);
  });

  it('say which variants have not kept their users, and that none has', () => {
    const some = storeOf(testUsers(), { variants: ['base', 'gate', 'old'], keeps: (name) => (name === 'old' ? null : 'users') }); // prettier-ignore
    expect(some.slices().notKept).toEqual(['old']);
    expect(some.slices().overall.map(({ variant }) => variant)).toEqual(['base', 'gate']);
    const none = storeOf(testUsers(), { keeps: () => null });
    expect(buildSlices(none.reader, 'slices', { files: none.files })).toEqual({
      kind: 'none',
      reason: 'Who the test users are was not kept for these runs; run them again, in a store of their own, with npx towerbench sweep --config configs/slices.yaml --store PATH.',
    }); // prettier-ignore
  });

  it('say that labelled rows have none, and that no run has finished', () => {
    const { reader, files, writer } = storeOf(testUsers(), { seeds: [] });
    expect(buildSlices(reader, 'slices', { files })).toEqual({ kind: 'none', reason: 'No run has finished yet.' });
    const row = reader.experiment('slices')!;
    const [run] = writer.plan({ ...row, seeds: [1], trials: [{ id: 'base', variant: 'base', parameters: {}, config: {} }] }); // prettier-ignore
    const claim = writer.claim(run!.id, { host: 'here', pid: 1, environment: {} });
    writer.finish(claim!.attemptId, {
      metrics: { 'test/auc': 0.5, 'test/logloss': 0.7 },
      perUser: {},
      parameterCount: 1,
      indexBytesPerItem: null,
      seconds: 1,
      bestStep: 1,
      artifacts: [],
    });
    expect(buildSlices(reader, 'slices', { files })).toEqual({
      kind: 'none',
      reason: 'The test part is labelled rows. Slices are of users for whom items are ranked.',
    });
  });

  it('refuse experiments and metrics that are not there', () => {
    const { reader, files } = storeOf(testUsers());
    expect(() => buildSlices(reader, 'none', { files })).toThrow('there is no experiment "none"');
    expect(() => buildSlices(reader, 'slices', { metric: 'test/coverage@10', files })).toThrow(
      '"test/coverage@10" has no values per user here; there are test/',
    );
  });

  it('are a CSV with a line per slice and variant, in which no variant is a formula', () => {
    const [head, ...lines] = slicesCsv(storeOf(testUsers()).slices('test/hr@5')).trimEnd().split('\n');
    expect(head?.split(',').slice(0, 5)).toEqual(['experiment', 'metric', 'by', 'slice', 'meaning']);
    expect(lines[1]).toMatch(/^slices,test\/hr@5,all,all,all test users,,,false,'=gate,5,0\.\d+/);
    expect(lines.filter((line) => line.includes(',popularity,head,'))).toHaveLength(2);
    for (const line of lines) expect(line.split(',')).toHaveLength(head?.split(',').length as number);
  });
});
