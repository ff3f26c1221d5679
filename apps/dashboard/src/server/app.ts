import compression from 'compression';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { StoreReader } from '@towerbench/tracking';
import { pages, patterns } from '../contract/paths.js';
import type { Asset } from './assets.js';
import { streamStore } from './events.js';
import { RequestProblem } from './problem.js';
import { createQueries } from './queries.js';
import type { WatchedStore } from './store.js';

const LOCAL_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

function textParameter(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[^\p{Cc}]{1,1000}$/u.test(value)) return value;
  throw new RequestProblem('bad-request', `${name}: expected 1 to 1000 characters without control characters`);
}

function idParameter(value: unknown): number {
  if (typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value)) return Number(value);
  throw new RequestProblem('bad-request', 'id: expected a positive whole number');
}

/**
 * The dashboard's web application: the API over a store that is only read, and the built pages out of memory. Everything it answers
 * is a GET; it is meant for this machine alone and refuses other names of the host (DNS rebinding).
 */
export function createApp(options: {
  readonly store: WatchedStore;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly logger: Logger;
}): Express {
  const { store, assets, logger } = options;
  const queries = createQueries();
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
      // Plain HTTP on the loopback address.
      strictTransportSecurity: false,
    }),
  );
  app.use((request, response, next) => {
    const started = performance.now();
    response.on('finish', () => {
      const durationMs = Math.round((performance.now() - started) * 10) / 10;
      logger.info({ method: request.method, url: request.originalUrl, status: response.statusCode, durationMs });
    });
    if (!LOCAL_HOST.test(request.headers.host ?? '')) {
      throw new RequestProblem('forbidden', 'the dashboard answers only to 127.0.0.1 and localhost');
    }
    next();
  });
  // A compressor would hold events back.
  app.use(
    compression({
      filter: (request, response) => request.path !== patterns.events && compression.filter(request, response),
    }),
  );

  const answer = (pattern: string, ask: (reader: StoreReader, request: Request) => unknown) => {
    app.get(pattern, (request, response) => {
      const reader = store.reader();
      if (reader === null) throw new RequestProblem('no-store', `there is no readable store at ${store.state().path}`);
      response.set('Cache-Control', 'no-cache').json(ask(reader, request));
    });
  };
  const name = (request: Request) => textParameter(request.params['name'], 'name');
  const id = (request: Request) => idParameter(request.params['id']);
  const series = (request: Request) => textParameter(request.query['series'], 'series');

  app.get(patterns.store, (_request, response) => void response.set('Cache-Control', 'no-store').json(store.state()));
  app.get(patterns.events, (request, response) => streamStore(store, request, response));
  answer(patterns.experiments, (reader) => queries.experiments(reader));
  answer(patterns.experiment, (reader, request) => queries.experiment(reader, name(request)));
  answer(patterns.report, (reader, request) => queries.report(reader, name(request)));
  answer(patterns.experimentCurves, (reader, request) =>
    queries.experimentCurves(reader, name(request), series(request)),
  );
  answer(patterns.run, (reader, request) => queries.run(reader, id(request)));
  answer(patterns.runCurve, (reader, request) => queries.runCurve(reader, id(request), series(request)));

  const send = (path: string, response: Response, next: NextFunction) => {
    const asset = assets.get(path);
    if (asset === undefined) return next();
    response
      .set('Cache-Control', asset.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache')
      .type(asset.type)
      .send(asset.body);
  };
  app.get([...pages], (_request, response, next) => send('/index.html', response, next));
  app.get('/{*path}', (request, response, next) => send(request.path, response, next));
  // Whoever reads gets the page that says so; programs get the reason alone.
  app.get('/{*path}', (request, response, next) => {
    if (request.path.startsWith('/api/') || request.accepts(['json', 'html']) !== 'html') return next();
    response.status(404);
    send('/index.html', response, next);
  });
  app.use((request: Request) => {
    throw new RequestProblem('not-found', `nothing answers to ${request.method} ${request.path}`);
  });

  // Express knows an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    const problem = toProblem(error);
    if (problem.code === 'internal') logger.error({ error }, 'a request failed');
    response.status(problem.status).set('Cache-Control', 'no-store').json(problem);
  });
  return app;
}

function toProblem(error: unknown): RequestProblem {
  if (error instanceof RequestProblem) return error;
  // What Express itself refuses, such as a malformed escape in the path, carries a 4xx status.
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 500
    ? new RequestProblem('bad-request', 'the address cannot be read')
    : new RequestProblem('internal', 'the dashboard could not answer; its log says why');
}
