import {
  openMemoryStore,
  type ExperimentInput,
  type Json,
  type StoreReader,
  type StoreWriter,
} from '@towerbench/tracking';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MlflowClient, MlflowError } from './client.js';
import { exportRuns } from './export-runs.js';
import { startFakeMlflow, type FakeMlflow } from './fake-mlflow.js';
import { importRuns, type Objective } from './import-runs.js';

type Store = ReturnType<typeof openMemoryStore>;

let server: FakeMlflow;
const stores: Store[] = [];
beforeEach(async () => {
  server = await startFakeMlflow();
});
afterEach(async () => {
  await server.close();
  for (const { writer } of stores.splice(0)) writer.close();
});

const newStore = (): Store => {
  const store = openMemoryStore();
  stores.push(store);
  return store;
};

const LONG_NAME = `valid/${'very-'.repeat(60)}long`;
const experiment: ExperimentInput = {
  name: 'gates',
  file: 'configs/gates.yaml',
  config: { description: 'ein Versuch, 試験' },
  dataset: 'world/movies',
  fingerprint: 'f1',
  protocol: { split: 'leave-one-out', candidates: 'full' },
  metric: { name: 'valid/ndcg@10', goal: 'maximize' },
  report: ['test/ndcg@10', 'test/recall@20'],
  published: [],
  baseVariant: 'base',
  seeds: [1, 2],
  trials: ['base', 'senet'].map((variant) => ({
    id: `trial-${variant}`,
    variant,
    parameters: { 'optimizer.learning_rate': 0.001 },
    config: { model: { type: variant, hidden_units: [64, 32] }, note: 'é'.repeat(7000) },
  })),
};

/** A store with three finished runs and a pending one, whose numbers are hard to carry. */
function filled(): Store {
  const store = newStore();
  const runs = store.writer.plan(experiment);
  for (const [index, { id }] of runs.slice(0, 3).entries()) {
    const claim = store.writer.claim(id, {
      host: 'here',
      pid: 1,
      environment: { node: 'v20', source: { commit: 'abc', diff: '+x' } },
    });
    const attemptId = claim?.attemptId as number;
    const value = (step: number): number => [NaN, Infinity, -Infinity, index + 1 / (step + 1)][step % 4] as number;
    const points = (series: string, count: number) =>
      Array.from({ length: count }, (_, k) => ({ series, step: 10 * k, value: value(k), time: 1_700_000_000_000 + k }));
    store.writer.points(attemptId, [
      ...points('train/loss', 1500),
      ...points('valid/ndcg@10', 5),
      ...points(LONG_NAME, 4),
    ]);
    store.writer.finish(attemptId, {
      metrics: { 'valid/ndcg@10': 0.25 + index, 'test/ndcg@10': NaN, 'test/recall@20': 1 / 3 },
      perUser: {},
      parameterCount: 1000,
      indexBytesPerItem: null,
      seconds: 1.5,
      bestStep: 20,
      artifacts: [],
    });
  }
  store.writer.oracle('gates', { 'test/ndcg@10': 1 });
  return store;
}

const client = (): MlflowClient => new MlflowClient(server.url, {});
const exported = async ({ reader }: Store) =>
  exportRuns({ reader, client: client(), experiments: reader.experiments(), onProgress: () => undefined });
const imported = async (
  { writer, reader }: { writer: StoreWriter; reader: StoreReader },
  name: string,
  objective: Objective | null = null,
) =>
  importRuns({
    ...{ writer, reader, client: client(), objective },
    experiment: { experiment_id: server.experiments.get(name) as string, name },
    setTime: () => undefined,
    isAlive: () => false,
    onProgress: () => undefined,
  });
const sent = (): number => server.runs.reduce((sum, { metrics }) => sum + metrics.length, 0);

/** All of an experiment's finished runs that a bridge has to carry. */
const contentOf = (reader: StoreReader, name: string) =>
  reader
    .runs(name)
    .filter(({ status }) => status === 'finished')
    .map((run) => ({
      trial: run.trialId,
      variant: run.variant,
      seed: run.seed,
      metrics: run.metrics,
      bestStep: run.bestStep,
      parameterCount: run.parameterCount,
      config: reader.run(run.id)?.config,
      curves: reader.seriesNames(run.id).map((series) => [series, reader.curve(run.id, series)]),
    }));

describe('exportRuns and importRuns', () => {
  it('carry runs to MLflow and back into another store without loss', async () => {
    const [from, to] = [filled(), newStore()];
    expect(await exported(from)).toEqual({
      exported: 3,
      alreadyThere: 0,
      unfinished: 1,
      points: 3 * (1500 + 5 + 4 + 3),
      cutParams: ['note'],
    });
    expect(await imported(to, 'gates')).toMatchObject({
      imported: 3,
      alreadyThere: 0,
      points: 3 * 1509,
      renumbered: [],
    });
    expect(contentOf(to.reader, 'gates')).toEqual(contentOf(from.reader, 'gates'));
    const described = ({ reader }: Store): Json => {
      const { dataset, fingerprint, protocol, metric, report, config, oracle } =
        reader.experiment('gates') ?? ({} as never);
      return { dataset, fingerprint, protocol, metric, report, config, oracle };
    };
    expect(described(to)).toEqual(described(from));
  });

  it('write names, identity and parameters where people of MLflow look for them', async () => {
    await exported(filled());
    const run = server.runs[0];
    expect(run?.info).toMatchObject({ run_name: 'base seed 1', status: 'FINISHED' });
    expect(new Set(run?.metrics.map(({ key }) => key.slice(0, 30)))).toEqual(
      new Set([
        'train/loss',
        'valid/ndcg_at_10',
        'result/valid/ndcg_at_10',
        'test/ndcg_at_10',
        'test/recall_at_20',
        `valid/${'very-'.repeat(60)}`.slice(0, 30),
      ]),
    );
    expect(Object.fromEntries(run?.tags ?? [])).toMatchObject({
      'towerbench.run': 'trial-base/1',
      'towerbench.seed': '1',
      'towerbench.fingerprint': 'f1',
      'towerbench.protocol': JSON.stringify(experiment.protocol),
      'towerbench.metric': 'valid/ndcg@10',
      'towerbench.goal': 'maximize',
    });
    expect(run?.params.get('model.hidden_units')).toBe('[64,32]');
  });

  it('add nothing the second time', async () => {
    const [from, to] = [filled(), newStore()];
    await exported(from);
    const before = sent();
    expect(await exported(from)).toMatchObject({ exported: 0, alreadyThere: 3, points: 0 });
    expect([server.runs.length, sent()]).toEqual([3, before]);
    await imported(to, 'gates');
    expect(await imported(to, 'gates')).toMatchObject({ imported: 0, alreadyThere: 3, points: 0 });
    expect(to.reader.runs('gates').map(({ attempts }) => attempts)).toEqual([1, 1, 1, 0]);
    expect(await imported(from, 'gates')).toMatchObject({ imported: 0, alreadyThere: 3 });
  });

  it('go on where the connection was cut off, wherever that was', async () => {
    const [from, to] = [filled(), newStore()];
    const untilDone = async (attempt: () => Promise<unknown>): Promise<number> => {
      for (let cuts = 0; ; cuts++) {
        server.answersLeft = cuts;
        const error = await attempt().catch((reason: unknown) => reason);
        if (!(error instanceof Error)) return cuts;
        expect(error.message).toMatch(/cannot be reached: .*\n {2}hint .*goes on/);
      }
    };
    expect(await untilDone(async () => exported(from))).toBeGreaterThan(5);
    expect([server.runs.length, sent()]).toEqual([3, 3 * 1512]);
    expect(await untilDone(async () => imported(to, 'gates'))).toBeGreaterThan(5);
    expect(contentOf(to.reader, 'gates')).toEqual(contentOf(from.reader, 'gates'));
  });

  it('keep experiments apart that were measured on something else', async () => {
    const [from, to] = [filled(), newStore()];
    await exported(from);
    to.writer.plan({ ...experiment, fingerprint: 'f2' });
    await expect(imported(to, 'gates')).rejects.toThrow(
      'the store has an experiment "gates" that was measured on other data or under another protocol\n  hint     import into another store: --store PATH',
    );
  });
});

describe('importRuns of runs of another program', () => {
  const point = (key: string, value: number, step: number, timestamp = step) => ({ key, value, step, timestamp });

  it('makes them an experiment whose data and protocol are those of no other', async () => {
    const { writer, reader } = newStore();
    server.add('theirs', {
      params: { lr: '0.1', seed: 1 },
      metrics: [point('acc', 0.5, 1), point('acc', 0.75, 2)],
      tags: { team: 'a' },
    });
    server.add('theirs', { params: { lr: '0.1', seed: 2 }, metrics: [point('acc', 0.25, 1), point('val_loss', 2, 1)] });
    server.add('theirs', { params: { lr: '0.2' }, metrics: [point('acc', 0.125, 1)] });
    server.add('theirs', { params: { lr: '0.3' }, info: { status: 'RUNNING' } });
    expect(await imported({ writer, reader }, 'theirs')).toEqual({
      ...{ imported: 3, alreadyThere: 0, unfinished: 1, points: 5, renumbered: [] },
      experiments: [{ name: 'mlflow:theirs', metric: { name: 'acc', goal: 'maximize' } }],
    });
    const row = reader.experiment('mlflow:theirs');
    const source = `${server.url}/#/experiments/1`;
    expect(row).toMatchObject({ dataset: 'mlflow', protocol: { imported: source }, report: ['acc', 'val_loss'] });
    expect(row?.fingerprint).toMatch(/^mlflow-[0-9a-f]{32}$/);
    const runs = reader.runs('mlflow:theirs').filter(({ status }) => status === 'finished');
    expect(runs.map(({ variant, seed, metrics }) => [variant, seed, metrics])).toEqual([
      ['run 0', 1, { acc: 0.75 }],
      ['run 0', 2, { acc: 0.25, val_loss: 2 }],
      ['run 2', 0, { acc: 0.125 }],
    ]);
    expect(row?.counts).toMatchObject({ pending: 0, pruned: 3 });
    expect(reader.attempts(runs[0]?.id as number)[0]?.environment).toMatchObject({ run: 'r0', tags: { team: 'a' } });
    expect(await imported({ writer, reader }, 'theirs')).toMatchObject({ imported: 0, alreadyThere: 3 });
  });

  it('takes a run that was not there yet when others were imported, in the place that was kept for it', async () => {
    const store = newStore();
    server.add('theirs', { params: { lr: '0.1', seed: 1 }, metrics: [point('acc', 0.5, 1)] });
    server.add('theirs', { params: { lr: '0.2', seed: 2 }, metrics: [point('acc', 0.5, 1)] });
    await imported(store, 'theirs');
    server.add('theirs', { params: { lr: '0.1', seed: 2 }, metrics: [point('acc', 0.6, 1)] });
    expect(await imported(store, 'theirs')).toMatchObject({ imported: 1, alreadyThere: 2 });
    expect(store.reader.experiment('mlflow:theirs')?.counts).toMatchObject({ finished: 3, pending: 0, pruned: 1 });
  });

  it('numbers the points of who logs without a step, in order of time, and says so', async () => {
    const store = newStore();
    server.add('theirs', { metrics: [point('loss', 3, 0, 30), point('loss', 1, 0, 10), point('loss', 2, 0, 20)] });
    expect(await imported(store, 'theirs', { name: 'loss', goal: 'minimize' })).toMatchObject({ renumbered: ['loss'] });
    const [run] = store.reader.runs('mlflow:theirs');
    expect(store.reader.curve(run?.id as number, 'loss').map(({ step, value }) => [step, value])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });
});

describe('MlflowClient', () => {
  it('says what is wrong with an address', () => {
    for (const address of ['sqlite:///mlflow.db', 'localhost', './mlruns']) {
      expect(() => new MlflowClient(address, {})).toThrow(
        `"${address}" is no address of an MLflow server\n  hint     give http://HOST:PORT;`,
      );
    }
  });

  it('says when nobody answers', async () => {
    const address = server.url;
    await server.close();
    await expect(new MlflowClient(address, {}).experiments()).rejects.toThrow(
      /^http:\/\/127.0.0.1:\d+ cannot be reached: connect ECONNREFUSED .*\n {2}hint {5}is the server running/,
    );
    server = await startFakeMlflow();
  });

  it('says what MLflow says, with its code and the status', async () => {
    const asked = client().history('r99', 'acc');
    await expect(asked).rejects.toThrow(
      'answers metrics/get-history with HTTP 400: RESOURCE_DOES_NOT_EXIST, Run with id=r99 not found',
    );
    await expect(asked).rejects.toBeInstanceOf(MlflowError);
  });

  it('says that a server is none of MLflow', async () => {
    await expect(new MlflowClient(`${server.url}/elsewhere`, {}).experiments()).rejects.toThrow(
      /answers experiments\/search with HTTP 404\n {2}hint {5}is this the address of an MLflow server/,
    );
  });

  it('sends what it is given in pieces that MLflow takes, in their order', async () => {
    server.add('theirs', {});
    const pairs = Array.from({ length: 250 }, (_, k) => ({ key: `k${k}`, value: '試'.repeat(5000) }));
    const metrics = Array.from({ length: 2500 }, (_, step) => ({
      key: 'loss',
      value: step / 3,
      step,
      timestamp: step,
    }));
    await client().log('r0', { params: pairs, tags: pairs, metrics });
    expect([server.runs[0]?.params.size, server.runs[0]?.tags.size]).toEqual([250, 250]);
    expect(server.runs[0]?.metrics).toEqual(metrics);
  });
});
