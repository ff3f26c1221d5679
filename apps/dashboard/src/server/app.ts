import compression from 'compression';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { StoreReader } from '@towerbench/tracking';
import { pages, patterns } from '../contract/paths.js';
import { createAccess, readJson } from './access.js';
import { createActions } from './actions.js';
import { createAnalysis } from './analysis.js';
import type { Asset } from './assets.js';
import { streamStore } from './events.js';
import { createKeptFiles } from './kept-files.js';
import { createLeaderboard, type LeaderboardRequest } from './leaderboard.js';
import { curveView, listParameter, textParameter } from './parameters.js';
import { RequestProblem } from './problem.js';
import { experimentProgress } from './progress.js';
import { createQueries } from './queries.js';
import { createSlices } from './slices.js';
import type { WatchedStore } from './store.js';
import { createUsers } from './users.js';

function idParameter(value: unknown): number {
  if (typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value)) return Number(value);
  throw new RequestProblem('bad-request', 'id: expected a positive whole number');
}

function metricParameter({ metric }: Request['query']): string | undefined {
  return metric === undefined ? undefined : textParameter(metric, 'metric');
}

function leaderboardRequest(query: Request['query']): LeaderboardRequest {
  const optional = (name: string) => (query[name] === undefined ? undefined : textParameter(query[name], name));
  const { order, page = '1' } = query;
  if (order !== undefined && order !== 'asc' && order !== 'desc') {
    throw new RequestProblem('bad-request', 'order: expected asc or desc');
  }
  if (typeof page !== 'string' || !/^[1-9]\d{0,6}$/.test(page)) {
    throw new RequestProblem('bad-request', 'page: expected a whole number from 1');
  }
  return {
    scope: optional('scope'),
    experiment: optional('experiment'),
    groupBy: listParameter(query['group'], 'group'),
    metrics: listParameter(query['metric'], 'metric'),
    paths: listParameter(query['path'], 'path'),
    filter: optional('filter') ?? '',
    sort: optional('sort'),
    order,
    page: Number(page),
  };
}

/**
 * The dashboard's web application: the API over a store, and the built pages out of memory. Every GET reads over a connection that cannot
 * write; a POST is one of few actions. `createAccess` says who may ask for what.
 */
export function createApp(options: {
  readonly store: WatchedStore;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly logger: Logger;
  /** What reading and changing need; null for a dashboard of this machine alone. */
  readonly token: string | null;
}): Express {
  const { store, assets, logger } = options;
  const access = createAccess(options);
  const queries = createQueries();
  const actions = createActions(store.path);
  const leaderboard = createLeaderboard();
  const analyses = createAnalysis();
  const files = createKeptFiles(store.path);
  const slices = createSlices(files);
  const users = createUsers(files);
  const app = express();
  app.disable('x-powered-by');

  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'"],
          connectSrc: ["'self'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      // Plain HTTP.
      strictTransportSecurity: false,
    }),
  );
  app.use((request, response, next) => {
    const started = performance.now();
    response.on('finish', () => {
      const durationMs = Math.round((performance.now() - started) * 10) / 10;
      logger.info({ method: request.method, url: request.originalUrl, status: response.statusCode, durationMs });
    });
    next();
  });
  app.use(access.guard);
  // A compressor would hold events back.
  app.use(
    compression({
      filter: (request, response) => request.path !== patterns.events && compression.filter(request, response),
    }),
  );

  const readerNow = (): StoreReader => {
    const reader = store.reader();
    if (reader === null) throw new RequestProblem('no-store', `there is no readable store at ${store.path}`);
    return reader;
  };
  const answer = (pattern: string, ask: (reader: StoreReader, request: Request) => unknown) => {
    app.get(pattern, access.read, (request, response) => {
      response.set('Cache-Control', 'no-cache').json(ask(readerNow(), request));
    });
  };
  const act = (pattern: string, action: (reader: StoreReader, request: Request) => unknown) => {
    app.post(pattern, access.change, readJson, (request, response) => {
      response.set('Cache-Control', 'no-store').json(action(readerNow(), request) ?? {});
    });
  };
  const name = (request: Request) => textParameter(request.params['name'], 'name');
  const id = (request: Request) => idParameter(request.params['id']);
  const series = (request: Request) => textParameter(request.query['series'], 'series');

  app.get(
    patterns.store,
    access.read,
    (_request, response) => void response.set('Cache-Control', 'no-store').json(store.state()),
  );
  app.get(patterns.events, access.read, (request, response) => streamStore(store, request, response));
  answer(patterns.experiments, (reader) => queries.experiments(reader));
  answer(patterns.experiment, (reader, request) => queries.experiment(reader, name(request)));
  answer(patterns.report, (reader, request) => queries.report(reader, name(request)));
  answer(patterns.progress, (reader, request) => experimentProgress(reader, name(request), Date.now()));
  answer(patterns.experimentCurves, (reader, request) =>
    queries.experimentCurves(
      reader,
      name(request),
      series(request),
      listParameter(request.query['variants'], 'variants'),
      curveView(request.query),
    ),
  );
  answer(patterns.analysis, (reader, request) => analyses.analysis(reader, name(request)));
  answer(patterns.slices, (reader, request) => slices.slices(reader, name(request), metricParameter(request.query)));
  app.get(patterns.slicesCsv, access.read, (request, response) => {
    const text = slices.csv(readerNow(), name(request), metricParameter(request.query));
    response.set('Cache-Control', 'no-cache').attachment('slices.csv').send(text);
  });
  answer(patterns.leaderboard, (reader, { query }) => leaderboard.page(reader, leaderboardRequest(query)));
  answer(patterns.leaderboardChoices, (reader, { query }) => leaderboard.choices(reader, leaderboardRequest(query)));
  answer(patterns.runDiff, (reader, request) =>
    queries.runDiff(reader, id(request), idParameter(request.params['other'])),
  );
  answer(patterns.userPair, (reader, request) =>
    users.pair(reader, id(request), idParameter(request.params['other']), metricParameter(request.query)),
  );
  answer(patterns.user, (reader, request) =>
    users.user(reader, id(request), idParameter(request.params['other']), textParameter(request.query['user'], 'user')),
  );
  answer(patterns.run, (reader, request) => queries.run(reader, id(request)));
  answer(patterns.runCurve, (reader, request) =>
    queries.runCurve(reader, id(request), series(request), curveView(request.query)),
  );

  app.post(patterns.session, readJson, (request, response) => {
    access.open(request, response, bodyField(request, 'token'));
    response.set('Cache-Control', 'no-store').json({});
  });
  act(patterns.stopExperiment, (reader, request) =>
    actions.stop({ experiment: queries.nameOf(reader, name(request)) }),
  );
  act(patterns.stopRun, (_reader, request) => actions.stop({ runId: id(request) }));
  act(patterns.retryExperiment, (reader, request) => ({
    count: actions.retry(reader.runs(queries.nameOf(reader, name(request)))),
  }));
  act(patterns.retryRun, (reader, request) => ({ count: actions.retry([queries.run(reader, id(request)).run]) }));
  act(patterns.noteExperiment, (_reader, request) =>
    actions.note({ experiment: name(request) }, bodyField(request, 'text')),
  );
  act(patterns.noteRun, (_reader, request) => actions.note({ runId: id(request) }, bodyField(request, 'text')));

  const send = (path: string, request: Request, response: Response, next: NextFunction) => {
    const asset = assets.get(path);
    if (asset === undefined) return next();
    if (path === '/index.html') access.welcome(request, response);
    response
      .set('Cache-Control', asset.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache')
      .type(asset.type)
      .send(asset.body);
  };
  app.get([...pages], (request, response, next) => send('/index.html', request, response, next));
  app.get('/{*path}', (request, response, next) => send(request.path, request, response, next));
  // Whoever reads gets the page that says so; programs get the reason alone.
  app.get('/{*path}', (request, response, next) => {
    if (request.path.startsWith('/api/') || request.accepts(['json', 'html']) !== 'html') return next();
    response.status(404);
    send('/index.html', request, response, next);
  });
  app.use((request: Request) => {
    throw new RequestProblem('not-found', `nothing answers to ${request.method} ${request.path}`);
  });

  // Express knows an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    const problem = toProblem(error);
    if (problem.code === 'internal') logger.error({ error }, 'a request failed');
    // The rest of a body that was refused is not read.
    if (!request.complete) response.set('Connection', 'close');
    response.status(problem.status).set('Cache-Control', 'no-store').json(problem);
  });
  return app;
}

/** A field of the body's own, which a body that is no object has not. */
function bodyField(request: Request, field: string): unknown {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null) {
    throw new RequestProblem('bad-request', 'expected a JSON object');
  }
  return Object.hasOwn(body, field) ? (body as Readonly<Record<string, unknown>>)[field] : undefined;
}

function toProblem(error: unknown): RequestProblem {
  if (error instanceof RequestProblem) return error;
  // What Express itself refuses, such as a malformed escape in the path, carries a 4xx status.
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 500
    ? new RequestProblem('bad-request', 'the address cannot be read')
    : new RequestProblem('internal', 'the dashboard could not answer; its log says why');
}
