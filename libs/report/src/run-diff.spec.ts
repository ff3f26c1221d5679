import { openMemoryStore, type Json, type StoreReader } from '@towerbench/tracking';
import { describe, expect, it } from 'vitest';
import { buildRunDiff, leavesOf, pathDifferences } from './run-diff.js';

interface Side {
  readonly config?: Json;
  readonly environment?: Readonly<Record<string, Json>>;
  /** null: the run was never started. */
  readonly metrics?: Readonly<Record<string, number>> | null;
  readonly users?: readonly number[];
}

/** A store with run 1 of `a` and run 2 of `b`. */
function storeOf(...sides: readonly [Side, Side]): StoreReader {
  const { writer, reader } = openMemoryStore();
  const runs = writer.plan({
    name: 'gates',
    file: 'gates.yaml',
    config: {},
    dataset: 'world/field-noise',
    fingerprint: 'f00d',
    protocol: {},
    metric: { name: 'valid/auc', goal: 'maximize' },
    report: ['test/auc'],
    published: [],
    baseVariant: 'base',
    seeds: [7],
    trials: sides.map(({ config = {} }, k) => ({ id: `t${k}`, variant: ['base', 'gate'][k]!, parameters: {}, config })),
  });
  for (const [k, { environment = {}, metrics = {}, users }] of sides.entries()) {
    if (metrics === null) continue;
    const claim = writer.claim(runs[k]!.id, { host: 'here', pid: 1, environment });
    writer.finish(claim!.attemptId, {
      metrics,
      perUser: users === undefined ? {} : { 'test/ndcg@10': Float32Array.from(users) },
      parameterCount: 1234,
      indexBytesPerItem: null,
      seconds: 2,
      bestStep: 10,
      artifacts: [],
    });
  }
  return reader;
}

const patchOf = (file: string, line: string): string =>
  `diff --git a/${file} b/${file}\n--- a/${file}\n+++ b/${file}\n@@ -1 +1 @@\n-old\n+${line}\n`;

describe('buildRunDiff', () => {
  it('says who the two are and where their configs differ, in the spelling of the file', () => {
    const reader = storeOf(
      { config: { model: { type: 'dssm', hiddenUnits: [8] }, seedless: true } },
      { config: { model: { type: 'dssm', hiddenUnits: [8, 4], dropOut: 0.1 }, seedless: true } },
    );
    const { a, b, config } = buildRunDiff(reader, 1, 2);
    expect(a).toMatchObject({
      id: 1,
      variant: 'base',
      seed: 7,
      trial: 't0',
      status: 'finished',
      experiments: ['gates'],
    });
    expect(b).toMatchObject({ id: 2, variant: 'gate', seconds: 2, parameterCount: 1234 });
    expect(config).toEqual([
      { path: 'model.hidden_units', a: [8], b: [8, 4] },
      { path: 'model.drop_out', b: 0.1 },
    ]);
  });

  it('takes differences from a to b, and says which side is ahead, also where less is better', () => {
    const { metrics } = buildRunDiff(
      storeOf(
        { metrics: { 'test/hr@10': 0.5, 'test/hr@5': 0.25, 'test/logloss': 0.4, 'test/auc': 0.75 } },
        { metrics: { 'test/hr@10': 0.75, 'test/hr@5': 0.25, 'test/logloss': 0.5, 'test/mrr': 0.125 } },
      ),
      1,
      2,
    );
    expect(metrics).toEqual([
      { metric: 'test/auc', a: 0.75, b: null, difference: null, better: null },
      { metric: 'test/hr@5', a: 0.25, b: 0.25, difference: 0, better: null },
      { metric: 'test/hr@10', a: 0.5, b: 0.75, difference: 0.25, better: 'b' },
      { metric: 'test/logloss', a: 0.4, b: 0.5, difference: expect.closeTo(0.1, 12) as number, better: 'a' },
      { metric: 'test/mrr', a: null, b: 0.125, difference: null, better: null },
    ]);
  });

  it('takes neither side for ahead in what only describes the lists', () => {
    const name = 'test/mean_popularity@10';
    const { metrics } = buildRunDiff(storeOf({ metrics: { [name]: 8 } }, { metrics: { [name]: 9 } }), 1, 2);
    expect(metrics).toEqual([{ metric: name, a: 8, b: 9, difference: 1, better: null }]);
  });

  it('counts the users for whom b is above a, equal to it and below it', () => {
    const metrics = { 'test/ndcg@10': 0.5 };
    const { users } = buildRunDiff(
      storeOf({ metrics, users: [0.5, 0, 1, 0.25, NaN] }, { metrics, users: [1, 0.5, 1, 0, NaN] }),
      1,
      2,
    );
    // |d| = .5, .5, 0, .25: the zero has rank 1, then 2 for the loss, and 3.5 for each win
    expect(users).toMatchObject([{ metric: 'test/ndcg@10', n: 4, wins: 2, losses: 1, ties: 1, rankBiserial: 5 / 9 }]);
  });

  it('lists what differs in packages, machine and engine, and keeps source, data and protocol apart', () => {
    const of = (yaml: string, engine: string): Readonly<Record<string, Json>> => ({
      source: { commit: yaml, diff: null, diffSha256: null },
      packages: { yaml, zod: '4' },
      engine: { name: engine },
      fingerprint: 'f00d',
    });
    const { environment, measured } = buildRunDiff(
      storeOf({ environment: of('1', 'simd') }, { environment: of('2', 'tensorflow') }),
      1,
      2,
    );
    expect(environment).toEqual([
      { path: 'engine.name', a: 'simd', b: 'tensorflow' },
      { path: 'packages.yaml', a: '1', b: '2' },
    ]);
    expect(measured).toEqual([]);
  });

  it('never subtracts what was measured on other data or by another protocol', () => {
    const side = (seen: string): Side => ({
      environment: { fingerprint: 'f00d', protocol: { seen } },
      metrics: { 'test/ndcg@10': 0.5 },
      users: [1, 0],
    });
    const { measured, metrics, users } = buildRunDiff(storeOf(side('removed'), side('kept')), 1, 2);
    expect(measured).toEqual([{ path: 'protocol.seen', a: 'removed', b: 'kept' }]);
    expect(metrics).toEqual([{ metric: 'test/ndcg@10', a: 0.5, b: 0.5, difference: null, better: null }]);
    expect(users).toEqual([]);
  });

  it('compares the uncommitted changes file by file', () => {
    const side = (...patches: readonly string[]): Side => ({
      environment: { source: { commit: 'c0ffee', diff: patches.join(''), diffSha256: patches.join() } },
    });
    const both = patchOf('libs/same.ts', 'alike');
    const { source } = buildRunDiff(
      storeOf(side(both, patchOf('a file.ts', 'one')), side(patchOf('a file.ts', 'two'), both, patchOf('new.ts', 'x'))),
      1,
      2,
    );
    expect(source).toMatchObject({ sameCommit: true, same: false });
    expect(source.files).toEqual([
      { file: 'a file.ts', a: patchOf('a file.ts', 'one'), b: patchOf('a file.ts', 'two') },
      { file: 'new.ts', a: null, b: patchOf('new.ts', 'x') },
    ]);
  });

  it('knows the source to be the same only where both have a commit', () => {
    const clean = (commit: string | null): Side => ({ environment: { source: { commit, diff: null, diffSha256: null } } }); // prettier-ignore
    const sourceOf = (a: Side, b: Side) => buildRunDiff(storeOf(a, b), 1, 2).source;
    expect(sourceOf(clean('c0ffee'), clean('c0ffee'))).toEqual({ sameCommit: true, same: true, files: [] });
    expect(sourceOf(clean('c0ffee'), clean('f00d'))).toMatchObject({ sameCommit: false, same: false });
    expect(sourceOf(clean(null), clean(null)).same).toBeNull();
    expect(sourceOf(clean('c0ffee'), { metrics: null }).same).toBeNull();
  });

  it('compares with a run that has not begun, by config alone', () => {
    const side = { environment: { fingerprint: 'f00d' }, metrics: { 'test/auc': 0.5 } };
    expect(buildRunDiff(storeOf(side, { metrics: null }), 1, 2)).toMatchObject({
      b: { status: 'pending', commit: null, seconds: null },
      config: [],
      metrics: [{ metric: 'test/auc', a: 0.5, b: null, difference: null }],
    });
  });

  it('refuses a run that is not there', () => {
    expect(() => buildRunDiff(storeOf({}, {}), 1, 3)).toThrow('there is no run 3');
  });
});

describe('pathDifferences', () => {
  it('finds none between equal values, whatever the order of their keys', () => {
    expect(pathDifferences({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 })).toEqual([]);
  });

  it('tells null from absent, and an empty object from one with keys', () => {
    expect(pathDifferences({ a: null, c: {} }, { c: { d: 1 } })).toEqual([
      { path: 'a', a: null },
      { path: 'c', a: {} },
      { path: 'c.d', b: 1 },
    ]);
  });
});

describe('leavesOf', () => {
  it('names leaves by dotted path, with a list as one value', () => {
    expect([...leavesOf({ a: { b: [1, 2], c: {} }, d: 'e' })]).toEqual([
      ['a.b', [1, 2]],
      ['a.c', {}],
      ['d', 'e'],
    ]);
    expect([...leavesOf({})]).toEqual([]);
  });
});
