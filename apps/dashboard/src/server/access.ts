import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { RequestProblem } from './problem.js';

const LOCAL_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;
/** A name, an IPv4 or a bracketed IPv6 address, with or without a port. */
const HOST = /^([\w.-]{1,253}|\[[\da-fA-F:.]{2,45}\])(:\d{1,5})?$/;
/** Greater bodies are refused before a byte of them is read. */
const MAX_BODY_BYTES = 64 * 1024;

/** Who may ask what. */
export interface Access {
  /** Refuses another name of the host (DNS rebinding) and bodies that are none of ours. For every request. */
  readonly guard: RequestHandler;
  /** Lets whoever has the token, or the session that was given for it, read. Without a token everybody on this machine may. */
  readonly read: RequestHandler;
  /** Lets a page of ours, or a program with the token, change something. */
  readonly change: RequestHandler;
  /** Gives whoever opens a page a session, where there is no token to ask for. */
  welcome(request: Request, response: Response): void;
  /**
   * Gives a page of ours a session: for the token where there is one, else because it is of the same origin.
   *
   * @throws {RequestProblem} `unauthorized` when the token is another
   */
  open(request: Request, response: Response, token: unknown): void;
}

/**
 * The rules of access.
 *
 * Without a token the dashboard is for this machine alone: it answers to local names of the host only. With one, reading and changing need it: as
 * `Authorization: Bearer`, or as a session. A session is a cookie that scripts cannot read and other sites do not send; its value is random, or,
 * so that it outlives the process, an HMAC of a constant under the token. It is named after the port, because a browser has one set of cookies for all ports of a
 * host. Since other ports are the same site for a browser, a change must come from our own origin too: `Origin` names our host, and `Sec-Fetch-Site`,
 * where it is sent, says `same-origin`. Secrets are compared in constant time.
 */
export function createAccess({ token }: { readonly token: string | null }): Access {
  const session = token === null ? randomBytes(32).toString('base64url') : sessionOf(token);

  const hasToken = (request: Request): boolean => {
    const [, given] = /^Bearer (\S{1,1000})$/.exec(request.headers.authorization ?? '') ?? [];
    return token !== null && given !== undefined && isSame(given, token);
  };
  const hasSession = (request: Request): boolean => {
    const given = cookie(request, cookieName(request));
    return given !== undefined && isSame(given, session);
  };
  const giveSession = (request: Request, response: Response): void => {
    const secure = request.headers.origin?.startsWith('https:') ?? false;
    response.cookie(cookieName(request), session, { httpOnly: true, sameSite: 'strict', path: '/', secure });
  };
  const refuse = (): never => {
    throw new RequestProblem(
      'unauthorized',
      token === null ? 'this page has no session yet' : 'the dashboard was started with a token, which this needs',
    );
  };

  return {
    guard(request, _response, next) {
      const host = request.headers.host ?? '';
      if (token === null && !LOCAL_HOST.test(host)) {
        throw new RequestProblem('forbidden', 'the dashboard answers only to 127.0.0.1 and localhost');
      }
      if (!HOST.test(host))
        throw new RequestProblem('bad-request', 'Host: expected the name or address of this server');
      const length = Number(request.headers['content-length'] ?? 0);
      if (length > MAX_BODY_BYTES) throw tooLarge();
      const hasBody = length > 0 || request.headers['transfer-encoding'] !== undefined;
      if (hasBody && request.method !== 'POST') {
        throw new RequestProblem('bad-request', `${request.method} takes no body`);
      }
      next();
    },

    read(request, _response, next) {
      if (token !== null && !hasToken(request) && !hasSession(request)) refuse();
      next();
    },

    change(request, _response, next) {
      const isProgram = request.headers.origin === undefined && hasToken(request);
      if (!isProgram) {
        requireOwnOrigin(request);
        if (!hasToken(request) && !hasSession(request)) refuse();
      }
      next();
    },

    open(request, response, given) {
      requireOwnOrigin(request);
      if (token !== null && !(typeof given === 'string' && isSame(given, token))) {
        throw new RequestProblem('unauthorized', 'this is not the token that the dashboard was started with');
      }
      giveSession(request, response);
    },

    welcome(request, response) {
      if (token === null) giveSession(request, response);
    },
  };
}

/**
 * Reads a JSON body as UTF-8 into `request.body`. Express' own reader takes all of a body that is too long before it refuses it; this one stops.
 *
 * @throws {RequestProblem} `too-large`; `bad-request` when it is compressed, cut off, or no JSON
 */
export async function readJson(request: Request, _response: Response, next: NextFunction): Promise<void> {
  if (!request.is('application/json') || request.headers['content-encoding'] !== undefined) {
    throw new RequestProblem('bad-request', 'expected a body of Content-Type application/json, not compressed');
  }
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) throw tooLarge();
      chunks.push(chunk);
    }
    request.body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))) as unknown;
  } catch (cause) {
    if (cause instanceof RequestProblem) throw cause;
    throw new RequestProblem('bad-request', 'the body cannot be read as JSON');
  }
  next();
}

function tooLarge(): RequestProblem {
  return new RequestProblem('too-large', `a body has at most ${MAX_BODY_BYTES / 1024} KiB`);
}

/** @throws {RequestProblem} `forbidden` when a page of another origin asks, or somebody who does not say where they come from */
function requireOwnOrigin(request: Request): void {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const isOwn = origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;
  if (!isOwn || (site !== undefined && site !== 'same-origin')) {
    throw new RequestProblem('forbidden', 'only a page of this dashboard may ask for this');
  }
}

const cookieName = (request: Request): string => `towerbench-${request.socket.localPort ?? 0}`;

function cookie(request: Request, name: string): string | undefined {
  return request.headers.cookie
    ?.split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

const sessionOf = (token: string): string =>
  createHmac('sha256', token).update('a session of the dashboard').digest('base64url');

/** In a time that does not depend on where two texts differ, nor on their lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
