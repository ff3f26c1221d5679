import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const WAIT_MS = 20_000;

/** @type {string} */
let project;
/** @type {import('node:net').Server} */
let blackHole;
let swallowed = 0;

/** A project with our .npmrc whose one optional package downloads from a host that never answers, as tfjs-node's may. */
beforeEach(async () => {
  swallowed = 0;
  blackHole = createServer((socket) => {
    swallowed++;
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await new Promise((ready) => blackHole.once('listening', ready));
  const { port } = /** @type {import('node:net').AddressInfo} */ (blackHole.address());
  project = mkdtempSync(join(tmpdir(), 'towerbench-npmrc-'));
  mkdirSync(join(project, 'waits'));
  const script = `require('node:net').connect(${port}, '127.0.0.1')`;
  write('waits/install.js', script);
  write(
    'waits/package.json',
    JSON.stringify({ name: 'waits', version: '1.0.0', scripts: { install: 'node install.js' } }),
  );
  write('package.json', JSON.stringify({ private: true, optionalDependencies: { waits: 'file:waits' } }));
  copyFileSync(join(root, '.npmrc'), join(project, '.npmrc'));
});
afterEach(() => {
  blackHole.close();
  rmSync(project, { recursive: true, force: true });
});

/** @param {string} name @param {string} text */
function write(name, text) {
  writeFileSync(join(project, name), text);
}

/**
 * `npm install`, ended with what it started when the black hole has caught something.
 * @param {...string} options
 * @returns {Promise<number | null>} its exit code; null when it was ended
 */
async function install(...options) {
  const child = spawn('npm', ['install', '--offline', ...options], { cwd: project, stdio: 'ignore', detached: true });
  const end = () => process.kill(-(/** @type {number} */ (child.pid)), 'SIGKILL');
  blackHole.once('connection', end);
  const limit = setTimeout(end, WAIT_MS);
  const code = await new Promise((ended) => child.once('close', ended));
  clearTimeout(limit);
  return code;
}

describe('.npmrc', () => {
  it('lets an install end although a package would wait for a host that never answers', async () => {
    expect(await install()).toBe(0);
    expect(existsSync(join(project, 'node_modules/waits'))).toBe(true);
    expect(swallowed).toBe(0);
  });

  it('is what does so: with scripts allowed, the same install asks that host and waits', async () => {
    expect(await install('--ignore-scripts=false')).toBeNull();
    expect(swallowed).toBe(1);
  });
});
