import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as ask, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildReport } from '@towerbench/report';
import { openStoreWriter, type RunRow, type StoreWriter } from '@towerbench/tracking';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { api } from '../contract/paths.js';
import type {
  Curves,
  ExperimentDetail,
  ExperimentSummary,
  RunDetail,
  Slices,
  StoreState,
  UserPair,
  UserView,
} from '../contract/payloads.js';
import { createApp } from './app.js';
import { experimentInput } from '../testing/experiment.js';
import { rankedSweep } from '../testing/ranked.js';
import { watchStore, type WatchedStore } from './store.js';

const NAME = 'gates & others';
const assets = new Map([
  ['/index.html', { body: Buffer.from('<!doctype html>'), type: 'text/html; charset=utf-8', isImmutable: false }],
  ['/assets/main-1a2b.js', { body: Buffer.from('export {};'), type: 'text/javascript', isImmutable: true }],
]);

let folder: string;
let path: string;
let store: WatchedStore;
let server: Server;
let address: string;
let writer: StoreWriter | null = null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dashboard-app-'));
  path = join(folder, 'store.sqlite');
  store = watchStore(path, { sweepCommand: 'towerbench sweep', intervalMs: 10 });
  server = createServer(createApp({ store, assets, logger: pino({ level: 'silent' }), token: null }));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  writer?.close();
  writer = null;
  server.closeAllConnections();
  server.close();
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function get<T>(url: string): Promise<T> {
  const response = await fetch(address + url);
  expect(response.status, url).toBe(200);
  return (await response.json()) as T;
}

async function refusal(url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(address + url, init);
  return [response.status, ((await response.json()) as { error: { code: string; message: string } }).error];
}

/** Two variants with two seeds: everything is finished but the last run, which is at work. */
function fill({ withoutBatches = [] as readonly string[] } = {}): {
  readonly runs: readonly RunRow[];
  readonly writer: StoreWriter;
} {
  const open = (writer = openStoreWriter(path));
  const runs = open.plan(experimentInput(NAME));
  runs.forEach((run, i) => {
    const claim = open.claim(run.id, { host: 'here', pid: 1, environment: { node: 'v20' } })!;
    open.points(claim.attemptId, [
      { series: 'valid/auc', step: 10, value: i, time: 1 },
      { series: 'valid/auc', step: 20, value: i + 0.5, time: 2 },
      { series: 'train/loss', step: 10, value: NaN, time: 1 },
      { series: 'train/loss', step: 20, value: 0.25, time: 2 },
    ]);
    open.log(claim.attemptId, 'x'.repeat(70_000) + 'the end');
    const sizes = withoutBatches.includes(run.variant) ? { stepsPerEpoch: null, batchSize: null } : { stepsPerEpoch: 10, batchSize: 32 }; // prettier-ignore
    open.progress(claim.attemptId, { step: 20, totalSteps: 40, ...sizes });
    if (i === runs.length - 1) return;
    open.finish(claim.attemptId, {
      metrics: { 'valid/auc': 0.7 + i / 100, 'test/auc': 0.6 + i / 100 },
      perUser: {},
      parameterCount: 100,
      indexBytesPerItem: 64,
      seconds: 2,
      bestStep: 20,
      artifacts: [],
    });
  });
  return { runs, writer: open };
}

describe('the API', () => {
  it('lists the experiments with their best variant', async () => {
    fill();
    const [experiment, ...others] = await get<readonly ExperimentSummary[]>(api.experiments);
    expect(others).toEqual([]);
    expect(experiment).toMatchObject({
      name: NAME,
      variants: 2,
      seeds: 2,
      counts: { finished: 3, running: 1, failed: 0, pending: 0 },
      best: { variant: 'gate', n: 1, mean: expect.closeTo(0.72, 12) as number },
    });
  });

  it("answers with the report's own numbers, also after another run has finished", async () => {
    const { runs, writer } = fill();
    const expected = () => JSON.parse(JSON.stringify(buildReport(store.reader()!, NAME))) as unknown;
    expect(await get(api.report(NAME))).toEqual(expected());

    const claim = runs.at(-1)!;
    const attempt = store.reader()!.attempts(claim.id)[0]!;
    writer.finish(attempt.id, {
      metrics: { 'valid/auc': 0.9, 'test/auc': 0.9 },
      perUser: {},
      parameterCount: 100,
      indexBytesPerItem: 64,
      seconds: 2,
      bestStep: 20,
      artifacts: [],
    });
    const report = await get<{ groups: readonly { variant: string; n: number }[] }>(api.report(NAME));
    expect(report).toEqual(expected());
    expect(report.groups.find(({ variant }) => variant === 'gate')?.n).toBe(2);
  });

  it('describes an experiment: variants, runs by trial, series, what differs', async () => {
    const { runs } = fill();
    const detail = await get<ExperimentDetail>(api.experiment(NAME));
    expect(detail).toMatchObject({
      name: NAME,
      description: 'Two variants.',
      baseVariant: 'base',
      variants: ['base', 'gate'],
      lowerIsBetter: ['test/logloss'],
      series: ['train/loss', 'valid/auc'],
      differences: [{ path: 'model.gate', values: { base: false, gate: true } }],
    });
    expect(detail.trials.map(({ variant, runs: own }) => [variant, own.map(({ seed }) => seed)])).toEqual([
      ['base', [1, 2]],
      ['gate', [1, 2]],
    ]);
    const last = detail.trials.flatMap((trial) => trial.runs).find(({ id }) => id === runs.at(-1)!.id);
    expect(last).toMatchObject({ status: 'running', step: 20, totalSteps: 40, objective: null });
    expect(detail.trials[0]!.runs[0]).toMatchObject({ status: 'finished', objective: 0.7 });
  });

  it("gives the band of every variant's curve over its seeds", async () => {
    fill();
    const { lines } = await get<Curves>(api.experimentCurves(NAME, 'valid/auc', ['base', 'gate']));
    expect(lines.map(({ name, points }) => [name, points])).toEqual([
      [
        'base',
        [
          { step: 10, x: 10, mean: 0.5, low: 0, high: 1, n: 2 },
          { step: 20, x: 20, mean: 1, low: 0.5, high: 1.5, n: 2 },
        ],
      ],
      [
        'gate',
        [
          { step: 10, x: 10, mean: 2.5, low: 2, high: 3, n: 2 },
          { step: 20, x: 20, mean: 3, low: 2.5, high: 3.5, n: 2 },
        ],
      ],
    ]);
  });

  it('gives only the ends of curves that were not asked for, and a t interval when that is', async () => {
    fill();
    const view = { x: 'epoch', from: 1.5, to: null, log: [], smoothing: 0.5, band: 't' } as const;
    const { lines, notOffered } = await get<Curves>(api.experimentCurves(NAME, 'valid/auc', ['gate'], view));
    expect(notOffered).toEqual({});
    const half = 12.706204736432095 * Math.SQRT1_2 * Math.SQRT1_2; // t of 0.975 with one degree of freedom
    expect(lines[0]).toMatchObject({
      name: 'base',
      points: [],
      last: {
        step: 20,
        mean: 1,
        low: expect.closeTo(1 - half, 9) as number,
        high: expect.closeTo(1 + half, 9) as number,
      },
    });
    expect(lines[1]!.points).toEqual([
      {
        step: 20,
        x: 2,
        mean: 3,
        low: expect.closeTo(3 - half, 9) as number,
        high: expect.closeTo(3 + half, 9) as number,
        n: 2,
      },
    ]);
    expect(lines[1]!.smooth).toEqual([
      { step: 20, x: 2, mean: expect.closeTo((0.25 * 2.5 + 0.5 * 3) / 0.75, 9) as number },
    ]);
  });

  it('draws on an axis what has a place there, and says what has none', async () => {
    fill({ withoutBatches: ['base'] });
    const view = { x: 'examples', from: null, to: null, log: [], smoothing: 0, band: 'range' } as const;
    const { lines, notOffered } = await get<Curves>(api.experimentCurves(NAME, 'valid/auc', ['base', 'gate'], view));
    expect(notOffered).toEqual({});
    expect(lines.map(({ name, isOffAxis, points }) => [name, isOffAxis, points.map(({ x }) => x)])).toEqual([
      ['base', true, []],
      ['gate', false, [320, 640]],
    ]);
    const alone = await get<Curves>(api.experimentCurves(NAME, 'valid/auc', ['base'], view));
    expect(alone.notOffered).toEqual({ epoch: expect.any(String) as string, examples: expect.any(String) as string });
  });

  it('refuses a view that is none', async () => {
    const { runs } = fill();
    const path = `/api/runs/${runs[0]!.id}/curve?series=valid%2Fauc`;
    for (const [query, message] of [
      ['x=banana', 'x: allowed are step, epoch, time, examples'],
      ['from=1e400', 'from: expected a number'],
      ['from=1&from=2', 'from: expected a number'],
      ['log=z', 'log: allowed are x, y'],
      ['smoothing=1', 'smoothing: expected 0 to 0.999'],
    ]) {
      expect(await refusal(`${path}&${query}`), query).toEqual([400, { code: 'bad-request', message }]);
    }
  });

  it('describes a run and cuts a long log to its end', async () => {
    const { runs } = fill();
    const { run, attempts, series, metric, report } = await get<RunDetail>(api.run(runs[0]!.id));
    expect(run).toMatchObject({ variant: 'base', seed: 1, status: 'finished', experiments: [NAME] });
    expect(run.config).toEqual({ model: { gate: false } });
    expect(metric).toBe('valid/auc');
    expect(report).toEqual(['test/auc', 'test/logloss']);
    expect(series.toSorted()).toEqual(['train/loss', 'valid/auc']);
    expect(attempts).toHaveLength(1);
    expect(attempts[0]!.environment).toEqual({ node: 'v20' });
    expect(attempts[0]!.logLength).toBe(70_007);
    expect(attempts[0]!.log).toHaveLength(65_536);
    expect(attempts[0]!.log.endsWith('the end')).toBe(true);
  });

  it('says which run of the same seed taught a run', async () => {
    const input = experimentInput(NAME);
    const [base, gate] = input.trials;
    const student = { ...gate!, config: { model: { gate: true }, teacher: base!.config } };
    writer = openStoreWriter(path);
    const runs = writer.plan({ ...input, trials: [base!, student] });
    const teacherOf = async (variant: string) =>
      (await get<RunDetail>(api.run(runs.find((run) => run.variant === variant && run.seed === 2)!.id))).teacher;
    const taughtBy = runs.find((run) => run.variant === 'base' && run.seed === 2)!;
    expect(await teacherOf('gate')).toEqual({ id: taughtBy.id, variant: 'base' });
    expect(await teacherOf('base')).toBeNull();
  });

  it('leaves points out of a curve that JSON cannot hold, and counts them', async () => {
    const { runs } = fill();
    const { lines } = await get<Curves>(api.runCurve(runs[0]!.id, 'train/loss'));
    expect(lines).toMatchObject([
      { name: 'train/loss', points: [{ step: 20, mean: 0.25 }], numPoints: 1, notFinite: 1, last: { step: 20 } },
    ]);
  });

  it('says what is missing and what a parameter may be', async () => {
    expect(await refusal(api.experiments)).toEqual([
      503,
      { code: 'no-store', message: `there is no readable store at ${path}` },
    ]);
    fill();
    expect(await refusal(api.experiment('nothing'))).toEqual([
      404,
      { code: 'not-found', message: 'the store has no experiment "nothing"' },
    ]);
    expect(await refusal(api.run(999))).toEqual([404, { code: 'not-found', message: 'the store has no run 999' }]);
    expect(await refusal('/api/runs/one')).toEqual([
      400,
      { code: 'bad-request', message: 'id: expected a positive whole number' },
    ]);
    expect(await refusal(`/api/experiments/${encodeURIComponent(NAME)}/curves`)).toEqual([
      400,
      { code: 'bad-request', message: 'series: expected 1 to 1000 characters without control characters' },
    ]);
    expect(await refusal('/api/experiments/%E0%A4%A')).toEqual([
      400,
      { code: 'bad-request', message: 'the address cannot be read' },
    ]);
    expect(await refusal('/api/nonsense')).toEqual([
      404,
      { code: 'not-found', message: 'nothing answers to GET /api/nonsense' },
    ]);
    expect(await refusal(api.experiments, { method: 'DELETE' })).toEqual([
      404,
      { code: 'not-found', message: `nothing answers to DELETE ${api.experiments}` },
    ]);
  });

  it('gives the slices of an experiment as JSON and as a file of CSV', async () => {
    rankedSweep((writer = openStoreWriter(path)), path);
    const slices = await get<Slices>(api.slices('ranked', 'test/recall@1'));
    expect(slices).toMatchObject({ kind: 'told', metric: 'test/recall@1', numUsers: 4, base: 'base', notKept: [] });
    expect(slices.families.map(({ slices: own }) => own.map(({ name, users }) => [name, users]))).toEqual([
      [['head', 1], ['torso', 2], ['tail', 1]],
      [['cold', 1], ['medium', 1], ['warm', 1], ['new', 1]],
      [['category 0', 3], ['category 1', 1]],
    ]); // prettier-ignore
    expect(await get(api.slices('ranked', null))).toEqual(slices);
    const response = await fetch(address + api.slicesCsv('ranked', 'test/recall@1'));
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename=slices.csv');
    expect((await response.text()).split('\n')[1]).toMatch(
      /^ranked,test\/recall@1,all,all,all test users,,,false,base,2,0\.375,/,
    );
  });

  it('gives the users of two runs, and what they recommend to one', async () => {
    const [a, b] = rankedSweep((writer = openStoreWriter(path)), path).filter(({ seed }) => seed === 2);
    const of = [String(a!.id), String(b!.id)] as const;
    const pair = await get<UserPair>(api.userPair(...of, null));
    expect([pair.metric, pair.most.b]).toEqual(['test/recall@1', [{ user: 'u/3', a: 0, b: 1 }]]);
    const user = await get<UserView>(api.user(...of, 'u/3'));
    expect(user.targets).toEqual([{ item: 'b2', title: 'Brazil', category: 0, count: 5, a: 4.5, b: 1 }]);
    for (const id of ['..', 'Zoë 8']) expect((await get<UserView>(api.user(...of, id))).user).toBe(id);
  });

  it('says what is missing of slices and users, and what a parameter may be', async () => {
    const { runs } = fill();
    const ranked = rankedSweep(writer!, path);
    const [a, b] = [String(ranked[0]!.id), String(ranked[1]!.id)];
    const reason = 'The test part is labelled rows. Slices are of users for whom items are ranked.';
    expect(await get(api.slices(NAME, null))).toEqual({ kind: 'none', reason });
    const cases: readonly (readonly [string, number, string])[] = [
      [api.slices('nothing', null), 404, 'the store has no experiment "nothing"'],
      [api.slicesCsv(NAME, 'test/auc'), 404, reason],
      [api.slices('ranked', 'test/coverage@10'), 400, 'metric: "test/coverage@10" has no values per user here; there are test/recall@1'],
      [`${api.slices('ranked', 'a')}&metric=b`, 400, 'metric: expected 1 to 1000 characters without control characters'],
      [api.userPair(a, '999', null), 404, 'the store has no run 999'],
      [api.userPair(a, 'x', null), 400, 'id: expected a positive whole number'],
      [api.userPair(a, String(runs[0]!.id), null), 404, `run ${runs[0]!.id} was tested on labelled rows, so it ranks no items for users`],
      [api.userPair(a, b, 'nonsense'), 400, 'metric: "nonsense" has no values per user here'],
      [api.user(a, b, 'an'), 404, 'the test part has no user an; the nearest are ann, '],
      [api.user(a, b, 'ann\n'), 400, 'user: expected 1 to 1000 characters without control characters'],
      [api.user(a, b, '../../x'), 404, 'the test part has no user ../../x; '],
    ]; // prettier-ignore
    for (const [url, status, message] of cases) {
      const [found, error] = (await refusal(url)) as [number, { readonly message: string }];
      expect([found, error.message.slice(0, message.length)], url).toEqual([status, message]);
    }
    rmSync(join(folder, 'artifacts'), { recursive: true });
    expect(await refusal(api.user(a, b, 'ann'))).toMatchObject([404, { code: 'not-found' }]);
  });

  it('refuses another name of the host', async () => {
    const status = await new Promise((answered, failed) => {
      const { port } = server.address() as AddressInfo;
      ask({ port, host: '127.0.0.1', path: api.store, headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        answered(response.statusCode);
      })
        .on('error', failed)
        .end();
    });
    expect(status).toBe(403);
  });
});

describe('the events', () => {
  it('tell the state at once and again after a write', async () => {
    const response = await fetch(address + api.events);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const states = (): readonly StoreState[] =>
      [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, data]) => JSON.parse(data!) as StoreState);
    const until = async (count: number) => {
      while (states().length < count) text += (await reader.read()).value ?? '';
    };
    await until(1);
    expect(states()[0]!.state).toBe('missing');
    fill();
    await until(2);
    expect(states()[1]!.state).not.toBe('missing');
    await reader.cancel();
  });
});

describe('the pages', () => {
  it('are one document under every address of a page, also when a name has a dot', async () => {
    for (const url of ['/', `/experiments/${encodeURIComponent('exp.v2')}`, '/runs/7?series=valid%2Fauc']) {
      const response = await fetch(address + url);
      expect(response.status, url).toBe(200);
      expect(await response.text()).toBe('<!doctype html>');
      expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
    }
  });

  it('are the document for a reader at any other address too, which says that there is no such page', async () => {
    const response = await fetch(`${address}/experimentz`, { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(await response.text()).toBe('<!doctype html>');
    const program = await fetch(`${address}/api/nonsense`, { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(program.headers.get('content-type')).toContain('application/json');
    expect((await fetch(`${address}/experimentz`)).headers.get('content-type')).toContain('application/json');
  });

  it('load files that never change under one name, and no others', async () => {
    const response = await fetch(`${address}/assets/main-1a2b.js`);
    expect(response.headers.get('cache-control')).toContain('immutable');
    expect((await fetch(`${address}/assets/other.js`)).status).toBe(404);
    expect((await fetch(`${address}/..%2f..%2fpackage.json`)).status).toBe(404);
  });
});
