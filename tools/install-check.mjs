/**
 * `npm ci` in a fresh clone of the last commit, on a network where everything but the package registry accepts connections and never
 * answers. Takes minutes.
 *
 * Exit code 0: it succeeded, nothing asked for anything else, no install script ran. 1: standard error says what was wrong.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const LIMIT_MS = 15 * 60_000;
/** What the install scripts of these packages would leave behind. */
const traces = ['@tensorflow/tfjs-node/deps', '@tensorflow/tfjs-node/lib/napi-v8', 'better-sqlite3/build'];

const root = resolve(import.meta.dirname, '..');
const clone = mkdtempSync(join(tmpdir(), 'towerbench-install-'));
process.once('exit', () => rmSync(clone, { recursive: true, force: true }));
execFileSync('git', ['clone', '--quiet', root, clone]);

let swallowed = 0;
const blackHole = createServer(() => swallowed++).listen(0, '127.0.0.1');
await new Promise((ready) => blackHole.once('listening', ready));
const proxy = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (blackHole.address()).port}`;
const registry = execFileSync('npm', ['config', 'get', 'registry'], { cwd: clone, encoding: 'utf8' }).trim();

const started = performance.now();
const install = spawn('npm', ['ci'], {
  cwd: clone,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: new URL(registry).hostname },
  timeout: LIMIT_MS,
});
const code = await new Promise((ended) => install.once('close', ended));
blackHole.close();

const wrong = [
  ...(code === 0 ? [] : [`npm ci ended with ${code ?? `nothing after ${LIMIT_MS / 60_000} minutes`}`]),
  ...(swallowed === 0 ? [] : [`${swallowed} connections went elsewhere than to ${registry}`]),
  ...traces.filter((path) => existsSync(join(clone, 'node_modules', path))).map((path) => `a script made ${path}`),
];
for (const line of wrong) process.stderr.write(`${line}\n`);
if (wrong.length === 0) {
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(`npm ci: ${seconds} s, from the registry alone, no install script ran\n`);
}
process.exit(wrong.length === 0 ? 0 : 1);
