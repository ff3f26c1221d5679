import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DatasetFacts, Download } from './definition.js';
import { fetchDataset, missingDownloads, type Transfer } from './fetch.js';

const CONTENT = Buffer.from(Array.from({ length: 30_000 }, (_, k) => `line ${k}\n`).join(''));
const md5 = (bytes: Uint8Array): `md5:${string}` => `md5:${createHash('md5').update(bytes).digest('hex')}`;

interface Asked {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}

let dataDir: string;
let server: Server;
let address: string;
/** What the server was asked, and how it answers next. */
let asked: Asked[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'towerbench-fetch-'));
  asked = [];
  server = createServer((request, response) => {
    asked.push({ range: request.headers.range, ifRange: request.headers['if-range'] as string | undefined });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dataDir, { recursive: true, force: true });
});

/** Serves `content` with ranges, as long as the tag that the client names is the one of the content. */
function serving(content: Buffer, tag: string | null = '"one"', { ranges = true } = {}): typeof answer {
  return (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? NaN);
    const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === tag;
    if (tag !== null) response.setHeader('etag', tag);
    if (!ranges || Number.isNaN(from) || !isSame) {
      response.writeHead(200, { 'content-length': content.length }).end(content);
    } else if (from >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    } else {
      const rest = content.subarray(from);
      response
        .writeHead(206, { 'content-length': rest.length, 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` })
        .end(rest); // prettier-ignore
    }
  };
}

/** Announces the whole content, and breaks the connection when the client has written the first half. */
function breaking(content: Buffer, tag: string | null = '"one"'): typeof answer {
  const half = content.subarray(0, content.length / 2);
  return (_, response) => {
    if (tag !== null) response.setHeader('etag', tag);
    response.writeHead(200, { 'content-length': content.length });
    response.write(half);
    const looking = setInterval(() => {
      const size = statSync(path('ratings.csv.part'), { throwIfNoEntry: false })?.size;
      if (size !== half.length) return;
      clearInterval(looking);
      response.destroy();
    }, 5);
  };
}

const factsOf = (downloads: readonly Download[]): DatasetFacts => ({
  license: '',
  address,
  downloads,
  files: {},
  counts: null,
});
const plain = (rest: Partial<Download> = {}): DatasetFacts =>
  factsOf([
    { address: `${address}/ratings.csv`, checksum: md5(CONTENT), sizeBytes: null, files: { '': 'set/ratings.csv' }, ...rest },
  ]); // prettier-ignore
const path = (name: string): string => join(dataDir, 'set', name);
const fetched = (facts: DatasetFacts, seen: Transfer[] = [], answerLimitMs = 10_000): Promise<string[]> =>
  fetchDataset({ name: 'a-set', facts }, { dataDir }, { onProgress: (transfer) => seen.push(transfer), answerLimitMs });

describe('fetchDataset', () => {
  it('puts a file in its place, leaves nothing else, and says how far it is', async () => {
    answer = serving(CONTENT);
    const seen: Transfer[] = [];
    expect(await fetched(plain(), seen)).toEqual([path('ratings.csv')]);
    expect(readFileSync(path('ratings.csv')).equals(CONTENT)).toBe(true);
    expect(readdirSync(join(dataDir, 'set'))).toEqual(['ratings.csv']);
    expect(seen.at(-1)).toEqual({
      file: 'ratings.csv',
      received: CONTENT.length,
      resumedAt: 0,
      total: CONTENT.length,
    });
    expect(asked).toEqual([{ range: undefined, ifRange: undefined }]);
  });

  it('keeps what came before the connection broke, and goes on from there', async () => {
    answer = breaking(CONTENT);
    await expect(fetched(plain())).rejects.toThrow(
      new RegExp(
        `ratings.csv could not be downloaded .*\\n  hint     try again, or get it on another machine and put it at ${path('ratings.csv')}; the next try goes on from ${path('ratings.csv.part')}`,
      ),
    );
    const held = readFileSync(path('ratings.csv.part'));
    expect(held.equals(CONTENT.subarray(0, CONTENT.length / 2))).toBe(true);
    expect(existsSync(path('ratings.csv'))).toBe(false);

    answer = serving(CONTENT);
    const seen: Transfer[] = [];
    await fetched(plain(), seen);
    expect(readFileSync(path('ratings.csv')).equals(CONTENT)).toBe(true);
    expect(readdirSync(join(dataDir, 'set'))).toEqual(['ratings.csv']);
    expect(asked.at(-1)).toEqual({ range: `bytes=${held.length}-`, ifRange: '"one"' });
    expect(seen[0]).toMatchObject({ resumedAt: held.length, total: CONTENT.length });
  });

  it('takes a file that changed in between from its beginning, also without a checksum', async () => {
    answer = breaking(CONTENT);
    await expect(fetched(plain({ checksum: null }))).rejects.toThrow('could not be downloaded');
    const changed = Buffer.from(CONTENT.toString().toUpperCase());
    answer = serving(changed, '"two"');
    await fetched(plain({ checksum: null }));
    expect(asked.at(-1)?.ifRange).toBe('"one"');
    expect(readFileSync(path('ratings.csv')).equals(changed)).toBe(true);
  });

  it('begins anew where nothing can tell whether two pieces belong together', async () => {
    answer = breaking(CONTENT, null);
    await expect(fetched(plain({ checksum: null }))).rejects.toThrow('could not be downloaded');
    answer = serving(CONTENT, null);
    await fetched(plain({ checksum: null }));
    expect(asked.at(-1)).toEqual({ range: undefined, ifRange: undefined });
    expect(readFileSync(path('ratings.csv')).equals(CONTENT)).toBe(true);
  });

  it('goes on without a tag where a checksum tells', async () => {
    answer = breaking(CONTENT, null);
    await expect(fetched(plain())).rejects.toThrow('could not be downloaded');
    answer = serving(CONTENT, null);
    await fetched(plain());
    expect(asked.at(-1)?.range).toMatch(/^bytes=\d+-$/);
    expect(readFileSync(path('ratings.csv')).equals(CONTENT)).toBe(true);
  });

  it('takes the whole file from a server that knows no ranges', async () => {
    answer = breaking(CONTENT);
    await expect(fetched(plain())).rejects.toThrow('could not be downloaded');
    answer = serving(CONTENT, '"one"', { ranges: false });
    const seen: Transfer[] = [];
    await fetched(plain(), seen);
    expect(asked.at(-1)?.range).toMatch(/^bytes=\d+-$/);
    expect(seen[0]?.resumedAt).toBe(0);
    expect(readFileSync(path('ratings.csv')).equals(CONTENT)).toBe(true);
  });

  it('begins anew when the server goes on from another place, or has less than is there', async () => {
    for (const next of [
      (response: ServerResponse) =>
        response.writeHead(206, { 'content-range': `bytes 5-9/${CONTENT.length}` }).end('other'),
      (response: ServerResponse) => response.writeHead(416, { 'content-range': 'bytes */3' }).end(),
    ]) {
      mkdirSync(join(dataDir, 'set'), { recursive: true });
      rmSync(path('ratings.csv'), { force: true });
      writeFileSync(path('ratings.csv.part'), CONTENT.subarray(0, 100));
      answer = (request, response) =>
        request.headers.range === undefined ? serving(CONTENT)(request, response) : next(response);
      await fetched(plain());
      expect(readFileSync(path('ratings.csv')).equals(CONTENT)).toBe(true);
    }
  });

  it('asks for no byte of a file that is there whole but was not moved yet', async () => {
    mkdirSync(join(dataDir, 'set'), { recursive: true });
    writeFileSync(path('ratings.csv.part'), CONTENT);
    answer = serving(CONTENT);
    await fetched(plain());
    expect(asked).toEqual([{ range: `bytes=${CONTENT.length}-`, ifRange: undefined }]);
    expect(readFileSync(path('ratings.csv')).equals(CONTENT)).toBe(true);
  });

  it.each([
    ['md5', `md5:${'0'.repeat(32)}`, createHash('md5').update(CONTENT).digest('hex')],
    ['sha256', `sha256:${'0'.repeat(64)}`, createHash('sha256').update(CONTENT).digest('hex')],
    [
      'git',
      `git:${'0'.repeat(40)}`,
      createHash('sha1').update(`blob ${CONTENT.length}\0`).update(CONTENT).digest('hex'),
    ],
  ] as const)(
    'refuses and removes bytes of another %s, and takes those of the right one',
    async (kind, wrong, right) => {
      answer = serving(CONTENT);
      await expect(fetched(plain({ checksum: wrong }))).rejects.toThrow(
        `ratings.csv gave other bytes than were published: ${kind} ${right}\n  allowed  ${kind} ${wrong.slice(kind.length + 1)}`,
      );
      expect(readdirSync(join(dataDir, 'set'))).toEqual([]);
      expect(await fetched(plain({ checksum: `${kind}:${right}` }))).toHaveLength(1);
    },
  );

  it('says what the server answered, and leaves nothing', async () => {
    answer = (_, response) => response.writeHead(404).end('no such file');
    await expect(fetched(plain())).rejects.toThrow('ratings.csv could not be downloaded (HTTP 404)');
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('gives up on a server that falls silent, and keeps what came', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length, etag: '"one"' });
      response.write(CONTENT.subarray(0, 1000));
    };
    await expect(fetched(plain(), [], 1000)).rejects.toThrow('could not be downloaded (nothing came for 1 s)');
    expect(readFileSync(path('ratings.csv.part')).equals(CONTENT.subarray(0, 1000))).toBe(true);
  });

  it.skipIf(!existsSync('/dev/full'))('says that the disk is full (skipped where there is no /dev/full)', async () => {
    answer = serving(CONTENT);
    mkdirSync(join(dataDir, 'set'));
    symlinkSync('/dev/full', path('ratings.csv.part'));
    await expect(fetched(plain())).rejects.toThrow(`the disk has no room for ratings.csv in ${dataDir}`);
    expect(existsSync(path('ratings.csv'))).toBe(false);
  });

  it('fetches only what is not there, under whichever name', async () => {
    const facts: DatasetFacts = {
      ...factsOf(
        ['train', 'test'].map((name) => ({
          address: `${address}/${name}.txt`,
          checksum: null,
          sizeBytes: null,
          files: { '': `set/${name}.txt` },
        })),
      ),
      files: { train: { anyOf: ['set/train.txt', 'set/train.txt.gz'], content: '' } },
    };
    mkdirSync(join(dataDir, 'set'));
    writeFileSync(path('train.txt.gz'), '');
    expect(missingDownloads(facts, dataDir).map(({ files }) => files[''])).toEqual(['set/test.txt']);
    answer = serving(CONTENT);
    expect(await fetched(facts)).toEqual([path('test.txt')]);
  });
});

/** An entry of a tar archive. */
function tarEntry(name: string, content: Buffer, kind = '0'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${content.length.toString(8).padStart(11, '0')} `, 124);
  header.write('        ', 148);
  header.write(kind, 156);
  header.write('ustar\0' + '00', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

describe('archives', () => {
  const inside = { 'Set/data/log.csv': 'set/log.csv', 'Set/data/users.csv': 'set/users.csv' };
  const files = {
    'Set/readme.txt': Buffer.from('not wanted'),
    'Set/data/log.csv': CONTENT,
    'Set/data/users.csv': Buffer.alloc(0),
  };
  const tar = gzipSync(
    Buffer.concat([
      tarEntry('Set/', Buffer.alloc(0), '5'),
      ...Object.entries(files).map(([name, content]) => tarEntry(name, content)),
      Buffer.alloc(1024),
    ]),
  );
  const zip = Buffer.from(zipSync(files));
  const facts = (file: string): DatasetFacts =>
    factsOf([{ address: `${address}/${file}`, checksum: null, sizeBytes: null, files: inside }]);

  it.each([
    ['set.tar.gz', tar],
    ['set.zip', zip],
  ])('puts the wanted files of %s in their places and removes it', async (file, bytes) => {
    answer = serving(bytes);
    expect(await fetched(facts(file))).toEqual([path('log.csv'), path('users.csv')]);
    expect(readFileSync(path('log.csv')).equals(CONTENT)).toBe(true);
    expect(readFileSync(path('users.csv'))).toHaveLength(0);
    expect([readdirSync(dataDir), readdirSync(join(dataDir, 'set')).sort()]).toEqual([
      ['set'],
      ['log.csv', 'users.csv'],
    ]);
  });

  it.each([
    ['set.tar.gz', tar.subarray(0, tar.length / 2), /cannot be unpacked: unexpected end of file/],
    ['set.tar.gz', gzipSync(tarEntry('Set/data/log.csv', CONTENT).subarray(0, 5000)), /cannot be unpacked: it ends too early/],
    ['set.tar.gz', gzipSync(Buffer.alloc(2048, 'x')), /cannot be unpacked: it is no tar archive/],
    ['set.tar.gz', gzipSync(tarEntry('Set/data/log.csv', CONTENT).fill('?', 9, 10)), /cannot be unpacked: it is no tar archive/],
    ['set.tar.gz', CONTENT, /cannot be unpacked: incorrect header check/],
    ['set.tar.gz', gzipSync(Buffer.concat([tarEntry('Set/data/log.csv', CONTENT), Buffer.alloc(1024)])), /cannot be unpacked: it holds no Set\/data\/users\.csv/],
    ['set.zip', zip.subarray(0, zip.length / 2), /cannot be unpacked: invalid zip data/],
  ] as const)('refuses a damaged %s, leaves no piece of it (%#)', async (file, bytes, message) => {
    answer = serving(Buffer.from(bytes));
    await expect(fetched(facts(file))).rejects.toThrow(message);
    expect([readdirSync(dataDir), readdirSync(join(dataDir, 'set'))]).toEqual([['set'], []]);
  }); // prettier-ignore
});
