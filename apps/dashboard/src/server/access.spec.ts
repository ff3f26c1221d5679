import { request as ask100MB } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { openStoreReader } from '@towerbench/tracking';
import { api } from '../contract/paths.js';
import { experimentInput } from '../testing/experiment.js';
import { serveApp } from '../testing/served.js';

const TOKEN = 'correct-horse-battery-staple';
type Served = Awaited<ReturnType<typeof serveApp>>;
let served: Served;
afterEach(() => served.close());

/** Sends a request with exactly these headers; returns the status and the head and body of the answer. */
async function ask(line: string, headers: Readonly<Record<string, string>> = {}, body = '') {
  const all = { Host: `127.0.0.1:${served.port}`, Connection: 'close', ...headers };
  const length = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const head = Object.entries({ ...all, ...length }).map(([name, value]) => `${name}: ${value}\r\n`);
  const answer = await served.send(`${line} HTTP/1.1\r\n${head.join('')}\r\n${body}`);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]), answer };
}

const own = () => ({ Origin: `http://127.0.0.1:${served.port}`, 'Content-Type': 'application/json' });

async function session(body = '{}'): Promise<string> {
  const { status, answer } = await ask(`POST ${api.session}`, own(), body);
  expect(status).toBe(200);
  expect(answer).toMatch(/^set-cookie: .*HttpOnly; SameSite=Strict/im);
  return /^set-cookie: ([^;]+)/im.exec(answer)![1]!;
}

const note = (headers: Readonly<Record<string, string>>, body = JSON.stringify({ text: '**seen**' })) =>
  ask(`POST ${api.noteExperiment('e')}`, headers, body);

const notes = (): string => {
  const reader = openStoreReader(served.path);
  try {
    return reader.experiment('e')!.notes;
  } finally {
    reader.close();
  }
};

describe('a dashboard of this machine alone', () => {
  it('changes something for a page of its own that has a session, and for nobody else', async () => {
    served = await serveApp(null);
    served.writer.plan(experimentInput('e'));
    const Cookie = await session();
    for (const [headers, status] of [
      [{}, 403],
      [{ Cookie, 'Content-Type': 'application/json' }, 403],
      [{ ...own(), Cookie, Origin: 'http://evil.example' }, 403],
      [{ ...own(), Cookie, Origin: `http://127.0.0.1:${served.port + 1}` }, 403],
      [{ ...own(), Cookie, Origin: 'null' }, 403],
      [{ ...own(), Cookie, 'Sec-Fetch-Site': 'same-site' }, 403],
      [own(), 401],
      [{ ...own(), Cookie: `${Cookie.split('=')[0]}=another` }, 401],
      [{ ...own(), Authorization: 'Bearer null' }, 401],
      [{ ...own(), Cookie, 'Content-Type': 'text/plain' }, 400],
    ] as const) {
      expect((await note(headers)).status, JSON.stringify(headers)).toBe(status);
      expect(notes()).toBe('');
    }
    expect((await note({ ...own(), Cookie, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200);
    expect(notes()).toBe('**seen**');
  });

  it('gives its pages a session with the document', async () => {
    served = await serveApp(null);
    served.writer.plan(experimentInput('e'));
    const { answer } = await ask('GET /');
    const Cookie = /^set-cookie: ([^;]+); Path=\/; HttpOnly; SameSite=Strict/im.exec(answer)![1]!;
    expect((await note({ ...own(), Cookie })).status).toBe(200);
  });

  it('lets everybody on this machine read, under a local name only', async () => {
    served = await serveApp(null);
    expect((await ask(`GET ${api.experiments}`)).status).toBe(200);
    for (const Host of ['evil.example', '127.0.0.1.evil.example', '', 'localhost@evil.example', '192.168.0.1']) {
      expect((await ask(`GET ${api.experiments}`, { Host })).status, Host).toBe(403);
    }
  });
});

describe('a dashboard with a token', () => {
  it('lets nobody read without it, and gives out nothing but the pages', async () => {
    served = await serveApp(TOKEN);
    for (const path of [api.store, api.events, api.experiments, api.run(1)]) {
      expect((await ask(`GET ${path}`)).status, path).toBe(401);
      expect((await ask(`GET ${path}`, { Authorization: `Bearer ${TOKEN}x` })).status, path).toBe(401);
    }
    const page = await ask('GET /');
    expect(page.status).toBe(200);
    expect(page.answer).not.toMatch(/^set-cookie/im);
    expect((await ask(`GET ${api.experiments}`, { Authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });

  it('gives a session for the token, to pages of its own, and takes that instead', async () => {
    served = await serveApp(TOKEN);
    expect((await ask(`POST ${api.session}`, own(), '{"token":"wrong"}')).status).toBe(401);
    expect((await ask(`POST ${api.session}`, own(), '{"__proto__":{"token":"x"}}')).status).toBe(401);
    const body = JSON.stringify({ token: TOKEN });
    expect((await ask(`POST ${api.session}`, { ...own(), Origin: 'http://evil.example' }, body)).status).toBe(403);
    const Cookie = await session(body);
    expect(Cookie).not.toContain(TOKEN);
    expect((await ask(`GET ${api.experiments}`, { Cookie })).status).toBe(200);
  });

  it('lets a program with the token change something, but no page of another site', async () => {
    served = await serveApp(TOKEN);
    served.writer.plan(experimentInput('e'));
    const program = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' };
    expect((await note({ ...program, Origin: 'http://evil.example' })).status).toBe(403);
    expect((await note({ 'Content-Type': 'application/json' })).status).toBe(403);
    expect((await note(program)).status).toBe(200);
    expect(notes()).toBe('**seen**');
  });
});

describe('a body', () => {
  const MEGABYTE = 2 ** 20;

  it('of 100 MB is refused before it is read', async () => {
    served = await serveApp(null);
    const { status } = await ask(`POST ${api.session}`, { ...own(), 'Content-Length': String(100 * MEGABYTE) });
    expect(status).toBe(413);
  });

  it('whose length is not told is cut off when it becomes too long', { timeout: 10_000 }, async () => {
    served = await serveApp(null);
    const sent = await new Promise<number>((cutOff) => {
      const request = ask100MB({ port: served.port, path: api.session, method: 'POST', headers: own() });
      let written = 0;
      const write = () => {
        while (written < 100 * MEGABYTE && request.write(Buffer.alloc(MEGABYTE / 4))) written += MEGABYTE / 4;
      };
      request.on('drain', write).on('error', () => cutOff(written));
      request.on('response', (response) => {
        expect(response.statusCode).toBe(413);
        cutOff(written);
      });
      write();
    });
    expect(sent, 'bytes that the system took before').toBeLessThan(20 * MEGABYTE);
    expect((await ask(`GET ${api.experiments}`)).status, 'the next one is served').toBe(200);
  });

  it('that is compressed, no object, no JSON, or of a request that reads is refused', async () => {
    served = await serveApp(null);
    served.writer.plan(experimentInput('e'));
    const Cookie = await session();
    const headers = { ...own(), Cookie };
    expect((await note({ ...headers, 'Content-Encoding': 'gzip' })).status).toBe(400);
    for (const body of ['[1]', '"text"', '{"text":', '{"text":1}', '{"__proto__":{"text":"x"}}', 'null']) {
      expect((await note(headers, body)).status, body).toBe(400);
    }
    expect((await ask(`GET ${api.experiments}`, {}, 'x')).status).toBe(400);
    expect(notes()).toBe('');
    expect(({} as { text?: string }).text).toBeUndefined();
  });
});
