import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { api, pages, patterns } from '../contract/paths.js';
import { experimentInput } from '../testing/experiment.js';
import { rankedSweep } from '../testing/ranked.js';
import { serveApp } from '../testing/served.js';

let served: Awaited<ReturnType<typeof serveApp>>;
beforeAll(async () => {
  served = await serveApp(null);
  served.writer.plan(experimentInput('e'));
  rankedSweep(served.writer, served.path, { name: 'r' }); // runs 5 to 8
});
afterAll(() => served.close());

const nasty = fc.constantFrom(
  '%', '%00', '%E0%A4%A', '..', '%2e%2e%2f', '..%2f..%2fetc%2fpasswd', '\\..\\', '//', '%0d%0aX: y', '__proto__', 'constructor',
  '\u0000', '\u00ff', 'x'.repeat(20_000), '[]', '[__proto__]=1', '1e400', '-1', '0x1', '9'.repeat(40), "' OR 1=1 --", '*', '?', '#', ';', ' ',
); // prettier-ignore
const piece = fc.oneof(
  nasty,
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('e', 'r', '1', '5', '2', 'valid%2Fauc', 'test%2Frecall@1'),
);
const known = fc.constantFrom(
  ...Object.values(patterns),
  ...pages,
  api.run(1),
  api.experiment('e'),
  api.slices('r', null),
  api.userPair('5', '7', null),
  api.user('5', '7', '2'),
  '/assets/',
  '*',
  '',
);
const target = fc
  .tuple(
    known,
    fc.array(piece, { maxLength: 4 }),
    fc.array(
      fc.tuple(fc.oneof(piece, fc.constantFrom('series', 'x', 'from', 'sort', 'variants', 'metric', 'user')), piece),
      {
        maxLength: 4,
      },
    ),
  ) // prettier-ignore
  .map(([path, pieces, query]) => {
    const filled =
      path.replace(/:\w+/g, () => pieces[0] ?? 'e') +
      pieces
        .slice(1)
        .map((p) => `/${p}`)
        .join('');
    return query.length === 0 ? filled : `${filled}?${query.map(([key, value]) => `${key}=${value}`).join('&')}`;
  });
const method = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE', 'PATCH') },
  fc.constantFrom('CONNECT', 'get', 'PROPFIND', '', 'G\u0000T', 'X'.repeat(100)),
);
const header = fc.tuple(
  fc.constantFrom('Accept', 'Accept-Encoding', 'Authorization', 'Content-Encoding', 'Content-Length', 'Content-Type', 'Cookie', 'Expect', 'Host', 'If-None-Match', 'Last-Event-ID', 'Origin', 'Range', 'Sec-Fetch-Site', 'Transfer-Encoding', 'Upgrade', 'X-Forwarded-For'), // prettier-ignore
  fc.oneof(
    nasty,
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom('application/json', 'application/json; charset=klingon', 'gzip', 'chunked', '5', '104857600', 'bytes=0-1', 'http://evil.example', 'null', '100-continue', 'websocket', 'Bearer x'), // prettier-ignore
  ),
);
const body = fc.oneof(
  fc.constant(''),
  fc.constantFrom(
    '{"text":"x"}',
    '{"__proto__":{"isAdmin":true}}',
    '{"token":{"length":16}}',
    '[[[[',
    '0\r\n\r\n',
    '5\r\nabc',
    '\u0000',
  ),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.constant(`${'['.repeat(10_000)}`),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

/** Everything on the line, bytes above 127 and control characters too. */
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

it('1,000 malformed requests never make it crash, hang, or answer with a 500', { timeout: 120_000 }, async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(method, target, fc.array(header, { maxLength: 5 }), body, fc.boolean(), async (verb, path, headers, content, isOurs) => {
      const ours = isOurs ? [`Host: 127.0.0.1:${served.port}`, `Origin: http://127.0.0.1:${served.port}`] : [];
      const lines = [...ours, ...headers.map(([name, value]) => `${name}: ${value}`)];
      if (!lines.some((line) => /^content-length|^transfer/i.test(line))) lines.push(`Content-Length: ${content.length}`);
      const request = bytes(`${verb} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${content}`);
      // A request that promises more body than it sends is answered, or waits for the rest; whatever comes, the next one is served.
      const answer = await served.send(request, (text) => text.includes('\r\n\r\n'), 250);
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
      if (status > 0) answered++;
      expect(status === 500 || status === 502, answer.slice(0, 300)).toBe(false);
      expect(answer).not.toContain('node_modules');
    }),
    { numRuns: 1000, seed: 6 },
  ); // prettier-ignore
  expect(answered, 'most are answered').toBeGreaterThan(700);
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  const response = await fetch(`http://127.0.0.1:${served.port}${api.experiments}`);
  expect(response.status, 'it still answers').toBe(200);
});
