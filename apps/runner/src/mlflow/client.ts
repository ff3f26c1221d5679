import { z } from 'zod';

/** What an MLflow server takes in one request, and how long what it takes may be. */
export const LIMITS = {
  metrics: 1000,
  params: 100,
  tags: 100,
  /** Characters of the value of a parameter, and of a tag: what servers since MLflow 2.8 take. */
  paramLength: 6000,
  tagLength: 5000,
  /** Of the items of a request; MLflow takes a megabyte with what is around them. */
  requestBytes: 900_000,
  runsPerPage: 1000,
  pointsPerPage: 25_000,
} as const;

/** An SQL server of MLflow keeps ±∞ as the largest number there is. */
const INFINITY_OF_MLFLOW = 1.7976931348623157e308;
/** How long a request may take: MLflow needs seconds where it has many runs. */
const TIMEOUT_MS = 120_000;

/** JSON has no NaN and no ∞; MLflow takes and gives them as text. */
const number = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]).transform((value) => {
  const given = Number(value);
  return Math.abs(given) === INFINITY_OF_MLFLOW ? Math.sign(given) * Infinity : given;
});
/** Whole numbers of 64 bits come as text. */
const whole = z.union([z.number(), z.string()]).transform(Number).pipe(z.number());
const pair = z.object({ key: z.string(), value: z.string().default('') });
const metric = z.object({ key: z.string(), value: number.default(0), timestamp: whole, step: whole.default(0) });
const run = z.object({
  info: z.object({
    run_id: z.string(),
    run_name: z.string().default(''),
    status: z.string(),
    start_time: whole.optional(),
    end_time: whole.optional(),
  }),
  data: z
    .object({
      metrics: z.array(metric).default([]),
      params: z.array(pair).default([]),
      tags: z.array(pair).default([]),
    })
    .default({ metrics: [], params: [], tags: [] }),
});
const experiment = z.object({
  experiment_id: z.string(),
  name: z.string(),
  lifecycle_stage: z.string().default('active'),
});
const page = { next_page_token: z.string().default('') };

/** A key and its text: a parameter or a tag. */
export interface MlflowPair {
  readonly key: string;
  readonly value: string;
}
/** One value of a metric; `timestamp` is in milliseconds since the epoch. */
export interface MlflowMetric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}
/** A run; its metrics are the last value of each. */
export type MlflowRun = z.output<typeof run>;

/** An MLflow server that cannot be reached, or does not do what it is asked; the command line answers it with exit code 2. */
export class MlflowError extends Error {
  /** MLflow's `error_code`, such as `RESOURCE_DOES_NOT_EXIST`; empty where it sent none. */
  readonly code: string;

  constructor(message: string, { code = '', hint, ...options }: { code?: string; hint: string } & ErrorOptions) {
    super(`${message}\n  hint     ${hint}`, options);
    this.name = 'MlflowError';
    this.code = code;
  }
}

/**
 * What the bridge needs of MLflow's REST API 2.0.
 *
 * @source  https://mlflow.org/docs/latest/api_reference/rest-api.html
 */
export class MlflowClient {
  /** Without a `/` at its end. */
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param env where MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, are looked for, as MLflow's own client does
   * @throws {MlflowError} when `text` is no address of a server
   */
  constructor(text: string, env: NodeJS.ProcessEnv) {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || !['http:', 'https:'].includes(url.protocol)) {
      throw new MlflowError(`"${text}" is no address of an MLflow server`, {
        hint: 'give http://HOST:PORT; a folder or a database is served by: mlflow server --backend-store-uri URI',
      });
    }
    const user = decodeURIComponent(url.username) || env['MLFLOW_TRACKING_USERNAME'];
    const password = decodeURIComponent(url.password) || env['MLFLOW_TRACKING_PASSWORD'];
    const token = env['MLFLOW_TRACKING_TOKEN'];
    const authorization = user
      ? `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`
      : token
        ? `Bearer ${token}`
        : undefined;
    this.#headers = { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) };
    this.url = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  }

  /** All experiments that are not deleted. */
  async experiments(): Promise<readonly { readonly experiment_id: string; readonly name: string }[]> {
    return this.#pages(z.object({ experiments: z.array(experiment).default([]), ...page }), async (token) =>
      this.#post('experiments/search', { max_results: LIMITS.runsPerPage, ...token }),
    ).then((pages) => pages.flatMap(({ experiments }) => experiments));
  }

  /** The id of an experiment, made where it is not there. */
  async ensureExperiment(name: string): Promise<string> {
    const found = (await this.experiments()).find((each) => each.name === name);
    if (found !== undefined) return found.experiment_id;
    return z.object({ experiment_id: z.string() }).parse(await this.#post('experiments/create', { name }))
      .experiment_id;
  }

  /** All runs of an experiment that are not deleted, oldest first. */
  async runs(experimentId: string): Promise<readonly MlflowRun[]> {
    const pages = await this.#pages(z.object({ runs: z.array(run).default([]), ...page }), async (token) =>
      this.#post('runs/search', {
        experiment_ids: [experimentId],
        max_results: LIMITS.runsPerPage,
        order_by: ['attributes.start_time ASC'],
        ...token,
      }),
    );
    return pages.flatMap(({ runs }) => runs);
  }

  async createRun(request: {
    readonly experiment_id: string;
    readonly run_name: string;
    readonly start_time: number;
    readonly tags: readonly MlflowPair[];
  }): Promise<MlflowRun> {
    return z.object({ run }).parse(await this.#post('runs/create', request)).run;
  }

  /** Adds to a run, in as many requests as MLflow's limits ask for: parameters and tags first, metrics in their order. */
  async log(
    runId: string,
    {
      metrics = [],
      params = [],
      tags = [],
    }: Partial<Record<'params' | 'tags', readonly MlflowPair[]>> & {
      readonly metrics?: readonly MlflowMetric[];
    },
  ): Promise<void> {
    for (const part of parts(tags, LIMITS.tags)) await this.#post('runs/log-batch', { run_id: runId, tags: part });
    for (const part of parts(params, LIMITS.params))
      await this.#post('runs/log-batch', { run_id: runId, params: part });
    const sent = metrics.map((each) => ({
      ...each,
      value: Number.isFinite(each.value) ? each.value : String(each.value),
    }));
    for (const part of parts(sent, LIMITS.metrics))
      await this.#post('runs/log-batch', { run_id: runId, metrics: part });
  }

  async finishRun(runId: string, endTime: number): Promise<void> {
    await this.#post('runs/update', { run_id: runId, status: 'FINISHED', end_time: endTime });
  }

  /** All values of one metric of a run, in MLflow's order. */
  async history(runId: string, key: string): Promise<readonly MlflowMetric[]> {
    const pages = await this.#pages(z.object({ metrics: z.array(metric).default([]), ...page }), async (token) =>
      this.#request(
        'GET',
        `metrics/get-history?${new URLSearchParams({ run_id: runId, metric_key: key, max_results: String(LIMITS.pointsPerPage), ...token }).toString()}`,
      ),
    );
    return pages.flatMap(({ metrics }) => metrics);
  }

  /** All pages of a list, until one names no other. */
  async #pages<T extends { next_page_token: string }>(
    schema: z.ZodType<T>,
    ask: (token: { page_token?: string }) => Promise<unknown>,
  ): Promise<readonly T[]> {
    const pages: T[] = [];
    for (let token = ''; ;) {
      const answer = this.#parsed(schema, await ask(token === '' ? {} : { page_token: token }));
      pages.push(answer);
      token = answer.next_page_token;
      if (token === '') return pages;
    }
  }

  #parsed<T>(schema: z.ZodType<T>, answer: unknown): T {
    const { data, error } = schema.safeParse(answer);
    if (error === undefined) return data;
    throw new MlflowError(`${this.url} answers, but not as MLflow does: ${z.prettifyError(error)}`, {
      hint: NO_MLFLOW,
    });
  }

  async #post(path: string, body: object): Promise<unknown> {
    return this.#request('POST', path, JSON.stringify(body));
  }

  async #request(method: 'GET' | 'POST', path: string, body?: string): Promise<unknown> {
    const response = await this.#reached(async () =>
      fetch(`${this.url}/api/2.0/mlflow/${path}`, {
        method,
        headers: this.#headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body }),
      }),
    );
    const text = await this.#reached(async () => response.text());
    const answer = jsonOf(text);
    if (response.ok && answer !== undefined) return answer;
    const { error_code: code = '', message = '' } = failure.safeParse(answer).data ?? {};
    const what = path.split('?', 1)[0] as string;
    const says = code === '' ? '' : `: ${code}${message === '' ? '' : `, ${message}`}`;
    throw new MlflowError(`${this.url} answers ${what} with HTTP ${response.status}${says}`, {
      code,
      hint: hintOf(response.status, code),
    });
  }

  async #reached<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      const { cause = error } = error as Error;
      const reason =
        cause instanceof Error ? cause.message || ((cause as NodeJS.ErrnoException).code ?? cause.name) : String(cause);
      throw new MlflowError(`${this.url} cannot be reached: ${reason}`, {
        hint: 'is the server running, and is this its address? what was done stays; the same command goes on',
        cause: error,
      });
    }
  }
}

const failure = z.object({ error_code: z.string().default(''), message: z.string().default('') });
const NO_MLFLOW = 'is this the address of an MLflow server, without what comes after the port in a browser?';

function hintOf(status: number, code: string): string {
  if (status === 401 || status === 403) {
    return 'set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD';
  }
  if (code === 'RESOURCE_ALREADY_EXISTS')
    return 'an experiment of this name was deleted there: restore it, or remove it for good with: mlflow gc';
  if (code === '') return NO_MLFLOW;
  return 'what was done stays; the same command goes on when the server takes it';
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Pieces of at most `max` items that fit into a request. */
function* parts<T>(items: readonly T[], max: number): Generator<readonly T[]> {
  let part: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const added = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (part.length === max || (part.length > 0 && bytes + added > LIMITS.requestBytes)) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(item);
    bytes += added;
  }
  if (part.length > 0) yield part;
}
