/**
 * Makes the native packages loadable. `npm ci` runs no install script (docs/decisions/0004-no-install-scripts.md), so what has
 * to be compiled is made here: at most once, and in a few milliseconds when it is there.
 *
 *   1. load it                       the usual case
 *   2. its prebuilt binary           from the package's release page; given up after 20 s
 *   3. compile it                    with the headers beside the running node, else those of nodejs.org, else those of the package
 *                                    `node-<platform>-<arch>` out of the npm registry
 *
 * Exit code 0: loads. 1: does not; standard error says what was tried and what to do.
 * `--force` compiles again; `--no-download` skips step 2.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { withLock } from './lock.mjs';

const root = resolve(import.meta.dirname, '../..');
const require = createRequire(join(root, 'package.json'));

/** @typedef {{ name: string, directory: string, probe: string }} Package  `probe` throws when the package does not work. */

/** @type {readonly Package[]} */
const packages = [
  {
    name: 'better-sqlite3',
    directory: dirname(require.resolve('better-sqlite3/package.json')),
    probe: "new (require('better-sqlite3'))(':memory:').close()",
  },
];

const DOWNLOAD_LIMIT_MS = 20_000;
const HEADERS_LIMIT_MS = 60_000;
const COMPILE_LIMIT_MS = 15 * 60_000;
const LOCK_LIMIT_MS = COMPILE_LIMIT_MS + HEADERS_LIMIT_MS;

const { values: options } = parseArgs({
  options: { force: { type: 'boolean', default: false }, 'no-download': { type: 'boolean', default: false } },
});

for (const item of packages) {
  if (!options.force && loadsHere(item)) continue;
  await withLock({ name: item.name, limitMs: LOCK_LIMIT_MS }, async () => {
    if (!options.force && loads(item) === null) return; // another process has built it meanwhile
    await make(item);
  });
}

/**
 * Tries one way after the other until the package loads.
 * @param {Package} item
 */
async function make(item) {
  /** @type {string[]} */
  const tried = [`load: ${loads(item) ?? 'works, but --force was given'}`];
  say(`${item.name}: no binary for node ${process.version}, ${process.platform}-${process.arch}`);
  /** @type {readonly { what: string, run: () => Promise<string | null> }[]} */
  const ways = [
    ...(options['no-download'] || options.force ? [] : [{ what: 'prebuilt binary', run: () => prebuilt(item) }]),
    { what: 'compile, headers beside node', run: () => compile(item, headersBesideNode()) },
    { what: 'compile, headers of nodejs.org', run: () => compileWithDownloadedHeaders(item) },
    { what: "compile, headers of npm's node package", run: () => compileWithRegistryHeaders(item) },
  ];
  const toolsMissing = missingTools();
  for (const { what, run } of ways) {
    if (what.startsWith('compile') && toolsMissing.length > 0) {
      tried.push(`${what}: needs ${toolsMissing.join(', ')}`);
      continue;
    }
    say(`${item.name}: ${what} ...`);
    const start = performance.now();
    const problem = (await run()) ?? loads(item);
    if (problem === null) {
      say(`${item.name}: done, ${what}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
      return;
    }
    tried.push(`${what}: ${problem}`);
  }
  process.stderr.write(
    [
      `${item.name} cannot be loaded and could not be built.`,
      ...tried.map((line) => `  tried    ${line.replaceAll('\n', '\n           ')}`),
      ...advice(toolsMissing).map((line) => `  do       ${line}`),
      '  then     node tools/native/build.mjs',
      '',
    ].join('\n'),
  );
  process.exit(1);
}

/** @param {readonly string[]} toolsMissing */
function advice(toolsMissing) {
  if (toolsMissing.length === 0) return ["read the last lines above: they are the compiler's"];
  if (process.platform === 'darwin') return ['xcode-select --install'];
  if (process.platform === 'win32') return ['winget install Microsoft.VisualStudio.2022.BuildTools Python.Python.3.12'];
  return [
    'Debian, Ubuntu:  apt-get install -y g++ make python3',
    'Fedora, RHEL:    dnf install -y gcc-c++ make python3',
    'Alpine:          apk add g++ make python3',
  ];
}

/** The same question as `loads`, in this process: no process to start in the usual case. @param {Package} item */
function loadsHere(item) {
  try {
    new Function('require', item.probe)(require);
    return true;
  } catch {
    return false;
  }
}

/**
 * Asks a process of its own, because this one keeps a failed binary.
 * @param {Package} item
 * @returns {string | null} why it does not load; null when it does
 */
function loads(item) {
  const { status, stderr } = spawnSync(process.execPath, ['-e', item.probe], { cwd: root, encoding: 'utf8' });
  if (status === 0) return null;
  return /^\s*(?:\w*Error: )(.*)$/m.exec(stderr)?.[1] ?? `node ended with ${status}`;
}

/** @param {Package} item */
async function prebuilt(item) {
  const installer = createRequire(join(item.directory, 'package.json')).resolve('prebuild-install/bin.js');
  return run(process.execPath, [installer], { cwd: item.directory, limitMs: DOWNLOAD_LIMIT_MS });
}

/**
 * @param {Package} item
 * @param {string | null} headers a directory with include/node; null when there is none
 */
async function compile(item, headers) {
  if (headers === null) return `no ${join('include', 'node', 'node.h')} beside ${process.execPath}`;
  return nodeGyp(item, [`--nodedir=${headers}`], COMPILE_LIMIT_MS);
}

/** @param {Package} item */
async function compileWithDownloadedHeaders(item) {
  const problem = await nodeGyp(item, ['install', '--ensure'], HEADERS_LIMIT_MS);
  return problem === null ? nodeGyp(item, [], COMPILE_LIMIT_MS) : problem;
}

/** The npm package of node itself holds its headers, so a machine that reaches only the registry can compile. @param {Package} item */
async function compileWithRegistryHeaders(item) {
  const directory = mkdtempSync(join(tmpdir(), 'node-headers-'));
  try {
    const platform = process.platform === 'win32' ? 'win' : process.platform;
    const name = `node-${platform}-${process.arch}`;
    const [npm, args] = npmCommand([
      'install',
      '--prefix',
      directory,
      '--ignore-scripts',
      '--no-save',
      `${name}@${process.versions.node}`,
    ]);
    const problem = await run(npm, args, { cwd: directory, limitMs: HEADERS_LIMIT_MS });
    if (problem !== null) return problem;
    const headers = join(directory, 'node_modules', name);
    return existsSync(join(headers, 'include/node/node.h')) ? compile(item, headers) : `${name} holds no headers`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * `node-gyp rebuild`, or the subcommand in `args`; a `nodedir` of the user's npm configuration does not reach it.
 * @param {Package} item
 * @param {readonly string[]} args
 * @param {number} limitMs
 */
function nodeGyp(item, args, limitMs) {
  const gyp = require.resolve('node-gyp/bin/node-gyp.js');
  const command = args[0] === 'install' ? args : ['rebuild', '--release', ...args];
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => key.toLowerCase() !== 'npm_config_nodedir'),
  );
  return run(process.execPath, [gyp, ...command], { cwd: item.directory, limitMs, env });
}

/** @returns {string | null} the directory above include/node that belongs to the running node */
function headersBesideNode() {
  const prefix = resolve(dirname(process.execPath), process.platform === 'win32' ? '.' : '..');
  const version = join(prefix, 'include/node/node_version.h');
  if (!existsSync(version)) return null;
  const text = readFileSync(version, 'utf8');
  const major = /#define NODE_MAJOR_VERSION (\d+)/.exec(text)?.[1];
  return major === process.versions.node.split('.')[0] ? prefix : null; // headers of another node would crash it
}

/** @returns {string[]} what compiling needs and this machine lacks */
function missingTools() {
  if (process.platform === 'win32') return [];
  /** @type {readonly [string, readonly string[]][]} */
  const wanted = [
    ['a C++ compiler', [process.env['CXX'] ?? 'c++', 'g++', 'clang++']],
    ['make', ['make', 'gmake']],
    ['python3', ['python3', 'python']],
  ];
  return wanted
    .filter(([, names]) => !names.some((name) => spawnSync(name, ['--version']).status === 0))
    .map(([what]) => what);
}

/** @param {readonly string[]} args @returns {[string, string[]]} */
function npmCommand(args) {
  const cli = process.env['npm_execpath'];
  return cli?.endsWith('.js')
    ? [process.execPath, [cli, ...args]]
    : [process.platform === 'win32' ? 'npm.cmd' : 'npm', [...args]];
}

/**
 * Runs a command and kills it, with what it started, at the limit.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, limitMs: number, env?: NodeJS.ProcessEnv }} settings
 * @returns {Promise<string | null>} null when it succeeded, else the end of its output
 */
function run(command, args, { cwd, limitMs, env = process.env }) {
  return new Promise((done) => {
    const child = spawn(command, [...args], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      try {
        process.kill(-(/** @type {number} */ (child.pid)), 'SIGKILL');
      } catch {
        child.kill('SIGKILL');
      }
    }, limitMs);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output = (output + chunk).slice(-20_000)));
    child.on('error', (error) => {
      clearTimeout(timer);
      done(error.message);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code === 0 && !late) return done(null);
      const end = output.trim().split('\n').slice(-8).join('\n');
      done(late ? `given up after ${limitMs / 1000} s` : end || `ended with ${code}`);
    });
  });
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`${line}\n`);
}
