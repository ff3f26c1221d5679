/**
 * `npm run setup:tensorflow`: makes the optional package @tensorflow/tfjs-node loadable, with which the engine `tensorflow` computes.
 *
 *   1. load it                       nothing to do when it computes
 *   2. the Python wheel              on Linux x64: libtensorflow and its headers are in the wheel `tensorflow-cpu`, which pip takes
 *                                    from its package index; one call of the C++ compiler makes the binding
 *   3. the vendor's installer        elsewhere, or where the second way fails: it downloads from storage.googleapis.com
 *
 * The second way makes everything aside and moves it into place by one rename, so an interruption leaves nothing half-installed.
 *
 * Exit code 0: it computes. 1: it does not; standard error says what was tried and what to do. 130: interrupted.
 * `--force` makes it again; `--no-wheel` skips the second way.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createRunner } from '../check/run.mjs';
import { withLock } from './lock.mjs';

const root = resolve(import.meta.dirname, '../..');
const require = createRequire(join(root, 'package.json'));
const PACKAGE = '@tensorflow/tfjs-node';

/** Has libtensorflow 2.13.1, the newest one tried on which int32 `round` is right (2.21 breaks it) and that tfjs-node 4.22 compiles against. */
const WHEEL = {
  requirement: 'tensorflow-cpu==2.13.1 --hash=sha256:87be6e61314b2c0fa062f71e26e41d6a17e162ffe4da72c820fe8f1fc94d97fe',
  // Which wheel: pip would else look for one of the Python that runs it. None of its Python code is used.
  tags: ['--python-version=3.11', '--implementation=cp', '--abi=cp311', '--platform=manylinux_2_17_x86_64'],
  libraries: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
  headers: [
    'tensorflow/c/',
    'tensorflow/core/platform/ctstring',
    'tensorflow/tsl/c/',
    'tensorflow/tsl/platform/ctstring',
  ],
};

/** Extracts the members of a wheel whose names start with one of the prefixes. */
const UNPACK = `
import sys, zipfile
wheel, folder, *prefixes = sys.argv[1:]
archive = zipfile.ZipFile(wheel)
archive.extractall(folder, [name for name in archive.namelist() if name.startswith(tuple(prefixes))])
`;

/** Loads the package and computes with it: a product, and the gradient that training needs. Prints the versions. */
const PROBE = `
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined; // gone from Node 23 on
util.isArray ??= Array.isArray;
const tf = require('${PACKAGE}');
const check = (what, tensor, expected) => {
  const values = [...tensor.dataSync()].join();
  if (values !== expected) throw new Error(what + ' gives ' + values + ' instead of ' + expected);
};
if (tf.getBackend() !== 'tensorflow') throw new Error('the backend is ' + tf.getBackend());
check('matMul', tf.matMul([[1, 2], [3, 4]], [[1, 2], [3, 4]]), '7,10,15,22');
check('the gradient of gather', tf.grad((x) => tf.sum(tf.gather(x, tf.tensor1d([1, 1, 0], 'int32'))))(tf.zeros([3])), '1,2,0');
console.log('tfjs-node ' + tf.version['tfjs-node'] + ', libtensorflow ' + tf.backend().binding.TF_Version);
`;

/** For one command: the downloads are the long ones. */
const LIMIT_MS = 20 * 60_000;
const LOCK_LIMIT_MS = 2 * LIMIT_MS;

const hasWheel = process.platform === 'linux' && process.arch === 'x64';

const { values: options } = parseArgs({
  options: { force: { type: 'boolean', default: false }, 'no-wheel': { type: 'boolean', default: false } },
});
const runner = createRunner({ cwd: root });
process.once('exit', () => runner.stop());
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.once(signal, () => process.exit(130));

const state = probe();
if (state.works && !options.force) {
  say(`it works: ${state.text}`);
} else {
  await withLock({ name: 'tensorflow', limitMs: LOCK_LIMIT_MS }, async () => {
    const now = options.force ? state : probe();
    if (now.works && !options.force) say(`another process made it work: ${now.text}`);
    else await make(now.works ? 'it works, but --force was given' : now.text);
  });
}

/**
 * Tries one way after the other until the package computes.
 * @param {string} before why it does not yet
 */
async function make(before) {
  const tried = [`load: ${before}`];
  if (packageDirectory() === null) {
    say(`installing ${PACKAGE}`);
    const problem = await installPackage();
    if (problem !== null) tried.push(`install: ${problem}`);
  }
  const directory = packageDirectory();
  const tools = { python: findPython(), compiler: findCompiler() };
  /** @type {{ what: string, run: () => Promise<string | null> }[]} */
  const ways = [];
  if (directory !== null) {
    if (hasWheel && !options['no-wheel'])
      ways.push({ what: 'the Python wheel', run: () => fromWheel(directory, tools) });
    ways.push({ what: "the vendor's installer", run: () => vendorInstaller(directory) });
  }
  for (const { what, run } of ways) {
    say(`${what} ...`);
    const start = performance.now();
    const problem = await run();
    const { works, text } = probe();
    if (problem === null && works) {
      say(`done in ${((performance.now() - start) / 1000).toFixed(1)} s: ${text}`);
      return;
    }
    tried.push(`${what}: ${problem ?? text}`);
  }
  process.stderr.write(
    [
      `${PACKAGE} does not work here. It is optional: the engine simd needs none of this.`,
      ...tried.map((line) => `  tried    ${line.replaceAll('\n', '\n           ')}`),
      ...advice(tools).map((line) => `  do       ${line}`),
      '  then     npm run setup:tensorflow',
      '',
    ].join('\n'),
  );
  process.exit(1);
}

/** @param {Tools} tools @returns {string[]} */
function advice(tools) {
  const vendor = 'run it where storage.googleapis.com can be reached, or let TFJS_NODE_BASE_URI name a mirror of it';
  if (!hasWheel) return [vendor];
  const missing = missingTools(tools).length > 0;
  return missing
    ? ['Debian, Ubuntu:  apt-get install -y g++ python3-pip', 'Fedora, RHEL:    dnf install -y gcc-c++ python3-pip']
    : ["read what pip and the compiler say above; pip's index is set by PIP_INDEX_URL", `or ${vendor}`];
}

/** A dependency that was left out (`npm ci --omit=optional`), at the version of the lock file. */
function installPackage() {
  const cli = process.env['npm_execpath'];
  const npm = cli?.endsWith('.js') ? [process.execPath, cli] : [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
  return attempt([...npm, 'install', '--no-save', '--include=optional', '--ignore-scripts']);
}

/**
 * @param {string} directory
 * @param {Tools} tools
 * @returns {Promise<string | null>} what went wrong
 */
async function fromWheel(directory, tools) {
  const missing = missingTools(tools);
  if (missing.length > 0) return `needs ${missing.join(' and ')}`;
  for (const name of readdirSync(directory))
    if (name.startsWith('.setup-')) rmSync(join(directory, name), { recursive: true }); // of one that was interrupted
  const aside = mkdtempSync(join(directory, '.setup-')); // on the package's file system, for the rename at the end
  const clean = () => rmSync(aside, { recursive: true, force: true });
  process.once('exit', clean);
  try {
    const problem = await makeAside(directory, aside, tools);
    if (problem !== null) return problem;
    removeNativePart(directory);
    renameSync(join(aside, 'lib'), join(directory, 'lib'));
    return null;
  } finally {
    clean();
  }
}

/**
 * Everything that is loaded, in `aside`/lib: the binding and beside it the libraries, where it looks for them.
 * @param {string} directory
 * @param {string} aside
 * @param {Tools} tools
 */
async function makeAside(directory, aside, { python = '', compiler = '' }) {
  const requirements = join(aside, 'requirements.txt');
  writeFileSync(requirements, WHEEL.requirement);
  const download = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--require-hashes'];
  const choice = ['--only-binary=:all:', ...WHEEL.tags, `--dest=${aside}`, `--requirement=${requirements}`];
  say('  fetching 187 MB');
  const fetched = await attempt([python, ...download, ...choice]);
  if (fetched !== null) return fetched;

  say('  unpacking');
  const archive = join(aside, /** @type {string} */ (readdirSync(aside).find((name) => name.endsWith('.whl'))));
  const include = join(aside, 'tensorflow/include');
  const members = [...WHEEL.libraries, ...WHEEL.headers.map((prefix) => `include/${prefix}`)];
  const unpack = ['-c', UNPACK, archive, aside, ...members.map((name) => `tensorflow/${name}`)];
  const unpacked = await attempt([python, ...unpack]);
  if (unpacked !== null) return unpacked;

  say('  compiling');
  const output = join(aside, relative(directory, bindingOf(directory)));
  const folder = dirname(output);
  mkdirSync(folder, { recursive: true });
  for (const name of WHEEL.libraries) renameSync(join(aside, 'tensorflow', name), join(folder, name));
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(directory, 'binding', name));
  const flags = ['-O2', '-std=c++17', '-shared', '-fPIC', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'];
  const link = [`-L${folder}`, ...WHEEL.libraries.map((name) => `-l:${name}`), '-Wl,-rpath,$ORIGIN'];
  const headers = [`-I${join(dirname(require.resolve('node-api-headers/package.json')), 'include')}`, `-I${include}`];
  return attempt([compiler, ...flags, ...headers, ...sources, '-o', output, ...link]);
}

/**
 * @param {string} directory
 * @returns {Promise<string | null>} what went wrong
 */
async function vendorInstaller(directory) {
  const programs = [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter); // it calls node-pre-gyp
  const command = [process.execPath, 'scripts/install.js', 'cpu', 'download'];
  const problem = await attempt(command, { folder: directory, env: { PATH: programs } });
  if (problem !== null || !probe().works) removeNativePart(directory);
  return problem;
}

/** @param {string} directory */
function removeNativePart(directory) {
  for (const made of ['lib', 'deps']) rmSync(join(directory, made), { recursive: true, force: true });
}

/** @returns {string | null} the folder of the package; null when it is not installed */
function packageDirectory() {
  try {
    return dirname(require.resolve(`${PACKAGE}/package.json`));
  } catch {
    return null;
  }
}

/** Where the package looks for its native part. @param {string} directory @returns {string} */
function bindingOf(directory) {
  const manifest = join(directory, 'package.json');
  return createRequire(manifest)('@mapbox/node-pre-gyp').find(manifest);
}

/** @returns {{ works: boolean, text: string }} the versions, or why it does not compute */
function probe() {
  const directory = packageDirectory();
  if (directory === null) return { works: false, text: `${PACKAGE} is not installed` };
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', PROBE], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
  });
  if (status === 0) return { works: true, text: stdout.trim() };
  const reason = /^\s*(?:\w*Error: )(.*)$/m.exec(stderr)?.[1];
  return { works: false, text: reason ?? `node ended with ${status ?? signal}` };
}

/**
 * @param {readonly string[]} command
 * @param {{ folder?: string, env?: Record<string, string> }} [settings]
 * @returns {Promise<string | null>} null when it succeeded, else its first error and the end of its output
 */
async function attempt(command, settings = {}) {
  const { code, output } = await runner.run(command, { limitMs: LIMIT_MS, ...settings });
  if (code === 0) return null;
  const lines = output.trim().split('\n');
  const first = lines.findIndex((line) => /error/i.test(line));
  return (
    lines.filter((_, at) => at === first || at >= lines.length - 4).join('\n') || `${command[0]} ended with ${code}`
  );
}

/** @typedef {{ python: string | undefined, compiler: string | undefined }} Tools */

/** @param {Tools} tools @returns {string[]} what the second way needs and this machine lacks */
function missingTools({ python, compiler }) {
  return [...(python === undefined ? ['python3 with pip'] : []), ...(compiler === undefined ? ['a C++ compiler'] : [])];
}

function findPython() {
  return ['python3', 'python'].find((name) => spawnSync(name, ['-m', 'pip', '--version']).status === 0);
}

function findCompiler() {
  const names = [process.env['CXX'] ?? 'g++', 'c++', 'clang++'];
  return names.find((name) => spawnSync(name, ['--version']).status === 0);
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`tensorflow: ${line}\n`);
}
