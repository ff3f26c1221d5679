import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { start, type Ended } from './command.js';

const ARTISTS = 'id\tname\turl\tpictureURL\n1\tMorcheeba\thttp://a\t\n';
const ZIP = zipSync({
  'user_artists.dat': Buffer.from('userID\tartistID\tweight\n2\t1\t10\n'),
  'artists.dat': Buffer.from(ARTISTS),
  'user_taggedartists.dat': Buffer.from('userID\tartistID\ttagID\n'),
  'tags.dat': Buffer.from('tagID\ttagValue\n'),
});

let dataDir: string;
let server: Server;
let answer: RequestListener;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'towerbench-fetch-e2e-'));
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dataDir, { recursive: true });
});

/** `data fetch`, in a process for which every host is our server. */
function fetched(name: string): Promise<Ended> {
  const { port } = server.address() as AddressInfo;
  const redirect = `const { fetch } = globalThis; globalThis.fetch = (address, init) => fetch('http://127.0.0.1:${port}' + new URL(address).pathname, init);`;
  const option = `--import=data:text/javascript,${encodeURIComponent(redirect)}`;
  return start(['data', 'fetch', name, '--data', dataDir], { NODE_OPTIONS: option }).ended;
}

describe('data fetch', () => {
  it('goes on after a broken connection, unpacks, prints where the files are, and does nothing the second time', async () => {
    const part = join(dataDir, 'hetrec2011-lastfm-2k.zip.part');
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': ZIP.length, etag: '"one"' });
      response.write(ZIP.subarray(0, 100));
      const looking = setInterval(() => {
        if (statSync(part, { throwIfNoEntry: false })?.size !== 100) return;
        clearInterval(looking);
        response.destroy();
      }, 5);
    };
    const broken = await fetched('lastfm-hetrec');
    expect(broken).toMatchObject({ code: 2, stdout: '' });
    expect(broken.stderr).toMatch(
      /hetrec2011-lastfm-2k\.zip could not be downloaded \(.+\)\n {2}hint {5}try again, or get it on another machine/,
    );
    expect(broken.stderr).toContain(`the next try goes on from ${part}`);

    const asked: unknown[] = [];
    answer = ({ headers }, response) => {
      asked.push([headers.range, headers['if-range']]);
      response.writeHead(206, { 'content-range': `bytes 100-${ZIP.length - 1}/${ZIP.length}` }).end(ZIP.subarray(100));
    };
    const whole = await fetched('lastfm-hetrec');
    expect(asked).toEqual([['bytes=100-', '"one"']]);
    const folder = join(dataDir, 'hetrec2011-lastfm-2k');
    const files = ['user_artists.dat', 'artists.dat', 'user_taggedartists.dat', 'tags.dat'];
    expect(whole, whole.stderr).toMatchObject({
      code: 0,
      stdout: files.map((file) => `written: ${join(folder, file)}\n`).join(''),
    });
    expect(readFileSync(join(folder, 'artists.dat'), 'utf8')).toBe(ARTISTS);
    expect(readdirSync(dataDir)).toEqual(['hetrec2011-lastfm-2k']);

    answer = (_, response) => response.writeHead(500).end();
    const again = await fetched('lastfm-hetrec');
    expect(again).toMatchObject({ code: 0, stdout: `lastfm-hetrec: already in ${dataDir}\n` });
  });

  it('exits with 2 where bytes are not those that were published, and removes them', async () => {
    answer = (_, response) => response.end('other bytes');
    const { code, stdout, stderr } = await fetched('kuairand-like-hate');
    const found = createHash('sha1').update('blob 11\0other bytes').digest('hex');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`gave other bytes than were published: git ${found}`);
    expect(stderr).toContain('allowed  git 225660d8e49fe79b91f4e5deee9f9f0d785c0306');
    expect(readdirSync(join(dataDir, 'kuairand-subset'))).toEqual([]);
  });

  it('exits with 2 where a folder is in the way', async () => {
    mkdirSync(join(dataDir, 'kuairand-subset', 'processed_standard_kcore_15.tsv.part'), { recursive: true });
    answer = (_, response) => response.end('bytes');
    const { code, stderr } = await fetched('kuairand-like-hate');
    expect(code).toBe(2);
    expect(stderr).toMatch(/could not be downloaded \(EISDIR/);
  });
});
