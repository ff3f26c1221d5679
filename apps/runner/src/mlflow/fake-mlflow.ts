import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { posix } from 'node:path';
import { z } from 'zod';

/** MLflow's own limits, from its validation (mlflow 3.17.2, utils/validation.py). */
const MAX_METRICS = 1000;
const MAX_PARAMS_OR_TAGS = 100;
const MAX_KEY_LENGTH = 250;
const MAX_PARAM_LENGTH = 6000;
const MAX_TAG_LENGTH = 8000;
const MAX_REQUEST_BYTES = 1_000_000;

const pair = z.object({ key: z.string(), value: z.string() });
const metric = z.object({
  key: z.string(),
  value: z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]),
  timestamp: z.int(),
  step: z.int(),
});
const batch = z.object({
  run_id: z.string(),
  metrics: z.array(metric).default([]),
  params: z.array(pair).default([]),
  tags: z.array(pair).default([]),
});

interface FakeRun {
  readonly info: Record<string, unknown> & { run_id: string; experiment_id: string; status: string };
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
  /** Every value that was sent, also one that was sent twice. */
  readonly metrics: z.output<typeof metric>[];
}

/** A server in this process that answers as MLflow does and refuses what MLflow refuses. Pages have two runs and 400 points. */
export interface FakeMlflow {
  readonly url: string;
  readonly experiments: Map<string, string>;
  readonly runs: FakeRun[];
  /** Requests to answer before the next ones are cut off; null is all. */
  answersLeft: number | null;
  /** Adds a run of another program. */
  add(
    experiment: string,
    run: Partial<Pick<FakeRun, 'metrics'>> & { params?: object; tags?: object; info?: object },
  ): void;
  close(): Promise<void>;
}

class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Starts the server on a free port. */
export async function startFakeMlflow(): Promise<FakeMlflow> {
  const experiments = new Map<string, string>();
  const runs: FakeRun[] = [];

  const experimentId = (name: string): string => {
    if (!experiments.has(name)) experiments.set(name, String(experiments.size + 1));
    return experiments.get(name) as string;
  };
  const runOf = (id: unknown): FakeRun => {
    const run = runs.find(({ info }) => info.run_id === id);
    if (run === undefined) throw new Refusal('RESOURCE_DOES_NOT_EXIST', `Run with id=${String(id)} not found`);
    return run;
  };
  const addRun = (info: { experiment_id: string } & Record<string, unknown>): FakeRun => {
    const run = {
      info: { status: 'RUNNING', ...info, run_id: `r${runs.length}` },
      params: new Map(),
      tags: new Map(),
      metrics: [],
    };
    runs.push(run);
    return run;
  };

  const answers: Readonly<Record<string, (asked: Record<string, unknown>) => object>> = {
    'experiments/search': (asked) =>
      pageOf(
        'experiments',
        [...experiments].map(([name, experiment_id]) => ({ name, experiment_id })),
        2,
        asked,
      ),
    'experiments/create': ({ name }) => {
      if (experiments.has(String(name))) throw new Refusal('RESOURCE_ALREADY_EXISTS', 'it is there');
      return { experiment_id: experimentId(String(name)) };
    },
    'runs/create': ({ tags, ...info }) => {
      const run = addRun(info as Parameters<typeof addRun>[0]);
      for (const { key, value } of z.array(pair).parse(tags)) run.tags.set(checkedKey(key), value);
      return { run: answered(run) };
    },
    'runs/search': (asked) => {
      const [wanted] = z.array(z.string()).parse(asked['experiment_ids']);
      return pageOf('runs', runs.filter(({ info }) => info.experiment_id === wanted).map(answered), 2, asked);
    },
    'runs/update': ({ run_id, ...change }) => {
      Object.assign(runOf(run_id).info, change);
      return {};
    },
    'runs/log-batch': (asked) => {
      const { run_id, metrics, params, tags } = batch.parse(asked);
      if (metrics.length > MAX_METRICS || params.length > MAX_PARAMS_OR_TAGS || tags.length > MAX_PARAMS_OR_TAGS) {
        throw new Refusal('INVALID_PARAMETER_VALUE', 'A batch logging request can contain at most 1000 metrics');
      }
      const run = runOf(run_id);
      for (const { key, value } of params) {
        if (value.length > MAX_PARAM_LENGTH)
          throw new Refusal('INVALID_PARAMETER_VALUE', `Param value of ${key} is too long`);
        if ((run.params.get(key) ?? value) !== value)
          throw new Refusal('INVALID_PARAMETER_VALUE', `Changing ${key} is not allowed`);
        run.params.set(checkedKey(key), value);
      }
      for (const { key, value } of tags) {
        if (value.length > MAX_TAG_LENGTH)
          throw new Refusal('INVALID_PARAMETER_VALUE', `Tag value of ${key} is too long`);
        run.tags.set(checkedKey(key), value);
      }
      for (const each of metrics) run.metrics.push({ ...each, key: checkedKey(each.key) });
      return {};
    },
    'metrics/get-history': (asked) => {
      const history = runOf(asked['run_id']).metrics.filter(({ key }) => key === asked['metric_key']);
      return pageOf('metrics', history.map(sentMetric), 400, asked);
    },
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (fake.answersLeft === 0) return void response.destroy();
    if (fake.answersLeft !== null) fake.answersLeft--;
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const handle = answers[pathname.replace('/api/2.0/mlflow/', '')];
    const send = (status: number, content: object): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
    if (handle === undefined) return void response.writeHead(404).end('<html>Not Found</html>');
    try {
      if (Buffer.byteLength(body) > MAX_REQUEST_BYTES)
        throw new Refusal('INVALID_PARAMETER_VALUE', 'Batched logging API requests must be at most 1000000 bytes');
      send(200, handle(body === '' ? Object.fromEntries(searchParams) : (JSON.parse(body) as Record<string, unknown>)));
    } catch (error) {
      const code = error instanceof Refusal ? error.code : 'INTERNAL_ERROR';
      send(error instanceof Refusal ? 400 : 500, { error_code: code, message: (error as Error).message });
    }
  };

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeMlflow = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ experiments, runs, answersLeft: null },
    add: (name, { metrics = [], params = {}, tags = {}, info = {} }) => {
      const run = addRun({
        experiment_id: experimentId(name),
        run_name: `run ${runs.length}`,
        status: 'FINISHED',
        ...info,
      });
      for (const [key, value] of Object.entries(params)) run.params.set(key, String(value));
      for (const [key, value] of Object.entries(tags)) run.tags.set(key, String(value));
      run.metrics.push(...metrics);
    },
    close: async () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return fake;
}

/** MLflow's rule for names: some characters, and a path that is its own normal form. */
function checkedKey(key: string): string {
  const isPath = posix.normalize(key) === key && key !== '.' && !/^(\.\.|\/)|\/$/.test(key);
  if (!/^[/\w.\- ]+$/.test(key) || !isPath)
    throw new Refusal('INVALID_PARAMETER_VALUE', `Invalid value "${key}" for parameter "name"`);
  if (key.length > MAX_KEY_LENGTH) throw new Refusal('INVALID_PARAMETER_VALUE', `${key} exceeds 250 characters`);
  return key;
}

/** Whole numbers of 64 bits are text in protobuf's JSON, and what an SQL server keeps of ∞ is the largest number. */
function sentMetric({ key, value, timestamp, step }: z.output<typeof metric>): object {
  const kept = value === 'NaN' ? value : Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, Number(value)));
  return { key, value: kept, timestamp: String(timestamp), step: String(step) };
}

function answered({ info, params, tags, metrics }: FakeRun): object {
  const pairs = (map: Map<string, string>): object[] => [...map].map(([key, value]) => ({ key, value }));
  const last = new Map<string, z.output<typeof metric>>();
  for (const each of metrics) if (each.step >= (last.get(each.key)?.step ?? -Infinity)) last.set(each.key, each);
  return { info, data: { params: pairs(params), tags: pairs(tags), metrics: [...last.values()].map(sentMetric) } };
}

function pageOf(
  name: string,
  items: readonly object[],
  size: number,
  { page_token = '0' }: Record<string, unknown>,
): object {
  const from = Number(page_token);
  const next = from + size < items.length ? { next_page_token: String(from + size) } : {};
  return { [name]: items.slice(from, from + size), ...next };
}
