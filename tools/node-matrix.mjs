/**
 * `npx nx run tools:node-matrix`: tries the last commit under one Node after the other, each out of the npm package that carries its binary and
 * headers, in a copy of its own. `--node 24` tries one, `--node 24.1.0` a certain one; it can be repeated. Takes four minutes a version.
 * `--out FILE` writes a line of JSON for each, from which the table of docs/platforms.md is made.
 *
 * The copy takes node_modules as they are here, without what was compiled for the running Node: better-sqlite3 is compiled anew with the headers
 * beside the Node that is tried. Tested are the projects that touch what is compiled: kernels, SQLite and DuckDB.
 *
 * Exit code 0: all passed. 1: something failed; standard error has its output. 2: wrong options. 130: interrupted.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, cpSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release as kernel, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { countTests } from './check/counts.mjs';
import { createRunner } from './check/run.mjs';
import { newest, nodePackage, RELEASES } from './node-matrix/versions.mjs';
import { tableOf } from './peers/table.mjs';

/** @typedef {{ ok: boolean, said: string, output: string }} Outcome */
/** @typedef {{ facts: Record<string, string | number>, outcomes: Map<string, Outcome & { seconds: number }> }} Tried */
/** @typedef {import('./check/run.mjs').Finished} Finished */

const root = resolve(import.meta.dirname, '..');
/** What is tested: the owners of what is compiled. */
const TESTED = ['libs/engine', 'libs/tracking', 'libs/data/src/custom', 'libs/report'];
const EXPERIMENT = 'configs/senet.yaml';
const SEED = 1;

const { values: options } = parseArgs({
  options: { node: { type: 'string', multiple: true, default: RELEASES }, out: { type: 'string' } },
});

// what Nx and npm say about the task that this is does not hold in the copies
for (const name of Object.keys(process.env))
  if (/^(NX_|npm_|INIT_CWD$|TOWERBENCH_)/.test(name)) delete process.env[name];

const name = nodePackage();
/** @type {string[]} */
const published = JSON.parse(execFileSync('npm', ['view', name, 'versions', '--json'], { encoding: 'utf8' }));
const chosen = options.node.map((release) => ({ release, version: newest(published, release) }));
const unknown = chosen.filter(({ version }) => version === null).map(({ release }) => release);
if (unknown.length > 0) {
  process.stderr.write(`--node: ${name} has no ${unknown.join(', ')}\n  allowed  ${RELEASES.join(', ')}, or more exactly\n`);
  process.exit(2);
} // prettier-ignore

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
const scratch = mkdtempSync(join(tmpdir(), 'towerbench-node-matrix-'));
/** @type {import('./check/run.mjs').Runner | null} */
let runner = null;
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.once(signal, () => {
    runner?.stop();
    process.exit(130);
  });

/** @type {Map<string, Tried>} */
const results = new Map();
for (const version of new Set(chosen.map(({ version }) => /** @type {string} */ (version))))
  results.set(version, await tryOn(version));

const lines = [...results].map(([version, { facts, outcomes }]) => ({
  bench: 'node-matrix',
  command: 'npx nx run tools:node-matrix',
  seed: SEED,
  commit,
  node: version,
  ...facts,
  ...Object.fromEntries(
    [...outcomes].map(([check, { ok, said, seconds }]) => [
      check,
      `${ok ? said || 'ok' : `FAILED ${said}`.trim()}, ${seconds} s`,
    ]),
  ),
  seconds: [...outcomes.values()].reduce((sum, { seconds }) => sum + seconds, 0),
  failed: [...outcomes.values()].filter(({ ok }) => !ok).length,
}));
process.stdout.write(`\n${tableOf(lines.map(({ command: _command, bench: _bench, ...line }) => line))}\n`);
if (options.out !== undefined) {
  writeFileSync(`${options.out}.part`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  renameSync(`${options.out}.part`, options.out);
}
const failed = lines.reduce((sum, line) => sum + line.failed, 0);
process.stdout.write(`\n${failed === 0 ? 'all passed' : `${failed} failed`}\n`);
process.exitCode = failed === 0 ? 0 : 1;

/**
 * All checks under one version.
 * @param {string} version
 */
async function tryOn(version) {
  const home = join(scratch, version);
  const copy = join(home, 'towerbench');
  execFileSync('npm', ['install', '--prefix', home, '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`], { stdio: 'inherit' }); // prettier-ignore
  const isWindows = process.platform === 'win32';
  const node = join(home, 'node_modules', name, 'bin', isWindows ? 'node.exe' : 'node');
  execFileSync('git', ['clone', '--quiet', root, copy]);
  execFileSync('git', ['checkout', '--quiet', commit], { cwd: copy }); // there may be a newer one by now
  copyModules(copy);

  const here = createRunner({ cwd: copy });
  runner = here;
  const env = { PATH: `${dirname(node)}${delimiter}${process.env['PATH']}`, npm_config_jobs: 'max' };
  const store = join(home, 'store.sqlite');
  /** @param {readonly string[]} args */
  const run = (...args) => here.run([node, ...args], { env });
  /** @param {readonly string[]} args */
  const towerbench = (...args) => run('apps/runner/bin/towerbench.mjs', ...args, '--store', store);
  /** @param {string} name @param {readonly string[]} args */
  const vitest = async (name, ...args) => {
    const report = join(home, `${name}.json`);
    const { code, output } = await run(
      ...['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      ...args,
    ); // prettier-ignore
    const { passed, failed, skipped } = countTests(report, code);
    const said = `${passed} passed${failed > 0 ? `, ${failed} failed` : ''}${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    return { ok: failed === 0 && code === 0, said, output };
  };

  /** @type {Tried['outcomes']} */
  const outcomes = new Map();
  /** @type {Tried['facts']} */
  const facts = {
    npm: execFileSync('npm', ['--version'], { encoding: 'utf8' }).trim(),
    system: `${process.platform} ${kernel()} ${process.arch}${libc()}`,
    cpu: cpus()[0]?.model.trim() ?? '',
    cores: availableParallelism(),
    load: Number(loadavg()[0]?.toFixed(2)),
  };
  /** @param {string} check @param {() => Promise<Outcome>} how */
  const note = async (check, how) => {
    const start = performance.now();
    const outcome = await how();
    const seconds = Math.round((performance.now() - start) / 1000);
    outcomes.set(check, { ...outcome, seconds });
    process.stderr.write(`${version} ${check}: ${outcome.ok ? 'ok' : 'FAILED'} ${outcome.said}, ${seconds} s\n`);
    if (!outcome.ok) process.stderr.write(`${outcome.output.trimEnd()}\n`);
    return outcome.ok;
  };

  await note('compiled', () => ended(run('tools/native/build.mjs', '--no-download')));
  const built = await note('built', () =>
    ended(
      run(
        'node_modules/.bin/nx',
        'run-many',
        '-t',
        'build',
        '-p',
        'runner,dashboard',
        '--skip-nx-cache',
        '--output-style=stream',
      ),
    ),
  );
  if (built) {
    await note('doctor', async () => {
      const outcome = await silent(towerbench('doctor', '--format', 'json'));
      const [, kernels] = /"(\w+)-\w+\+tfjs-wasm/.exec(outcome.output) ?? [];
      const [, abi] = /compiled for ABI (\d+)/.exec(outcome.output) ?? [];
      Object.assign(facts, { abi: Number(abi), kernels });
      return outcome;
    });
    await note('sweep', () =>
      silent(towerbench('sweep', '--config', EXPERIMENT, '--set', `seeds=[${SEED}]`, '--set', 'training.epochs=1')),
    );
    await note('dashboard', () => answers([node, 'apps/dashboard/dist/server/main.js', '--store', store], copy, env));
    await note('parquet', () => silent(towerbench('report', '--format', 'parquet', '--out', join(home, 'report.parquet')))); // prettier-ignore
    await note('report', async () => {
      const { code, output } = await towerbench('report', '--format', 'json');
      const digest = code === 0 ? figuresDigest(output) : null;
      Object.assign(facts, { figures: digest });
      return { ok: digest !== null, said: digest === null ? 'no figures' : '', output };
    });
    await note('tests', () => vitest('unit', '--config', 'tools/check/unit-tests.ts', ...TESTED));
    await note('processes', () => vitest('e2e', '--config', 'apps/runner-e2e/vitest.config.ts', 'kernel-builds'));
  }
  rmSync(home, { recursive: true, force: true });
  return { facts, outcomes };
}

/** node_modules of the workspace and of its projects, without what was compiled for the Node that runs here. @param {string} copy */
function copyModules(copy) {
  const projects = ['apps', 'libs'].flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)));
  for (const folder of ['.', ...projects]) {
    const from = join(root, folder, 'node_modules');
    if (!existsSync(from)) continue;
    cpSync(from, join(copy, folder, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
    });
  }
  rmSync(join(copy, 'node_modules/better-sqlite3/build'), { recursive: true, force: true });
} // prettier-ignore

/**
 * Whether the dashboard answers with the page and with the table of the sweep, and ends when it is asked to.
 * @param {readonly string[]} command @param {string} cwd @param {Record<string, string>} env @returns {Promise<Outcome>}
 */
async function answers([program = '', ...args], cwd, env) {
  const child = spawn(program, [...args, '--port', '0'], { cwd, env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  /** @type {Promise<number | null>} */
  const end = new Promise((resolve) => child.on('close', resolve));
  try {
    /** @type {string} */
    const address = await new Promise((resolve, reject) => {
      child.stdout.on('data', () => {
        const [found] = /http:\S+/.exec(output) ?? [];
        if (found !== undefined) resolve(found);
      });
      void end.then(() => reject(new Error('it ended')));
    });
    for (const [path, expected] of [
      ['', '<!doctype html>'],
      ['api/experiments/senet-on-field-noise/report', 'senet-relu'],
    ]) {
      const response = await fetch(`${address}${path}`);
      const text = await response.text();
      output += `/${path}: ${response.status}\n${text}\n`;
      if (!response.ok || !text.includes(String(expected)))
        return { ok: false, said: `/${path} answered ${response.status}`, output };
    }
  } catch (error) {
    return { ok: false, said: String(error), output };
  } finally {
    child.kill('SIGTERM');
  }
  const code = await end;
  return { ok: code === 0, said: code === 0 ? '' : `exit code ${code}`, output };
}

/** @param {Promise<Finished>} command @returns {Promise<Outcome>} */
async function ended(command) {
  const { code, output } = await command;
  return { ok: code === 0, said: code === 0 ? '' : `exit code ${code}`, output };
}

/** As `ended`, and Node has nothing to warn of. @param {Promise<Finished>} command @returns {Promise<Outcome>} */
async function silent(command) {
  const { code, output } = await command;
  const [warning] = /^\(node:\d+\) .*$/m.exec(output) ?? [];
  return { ok: code === 0 && warning === undefined, said: code === 0 ? (warning ?? '') : `exit code ${code}`, output };
}

/**
 * A short digest of all measured figures: the same wherever arithmetic is.
 * @param {string} json what `report --format json` prints
 * @returns {string | null} null where there are none
 */
function figuresDigest(json) {
  /** @type {string[]} */
  const figures = [];
  const walk = (/** @type {unknown} */ value, /** @type {string} */ path) => {
    if (typeof value === 'object' && value !== null)
      for (const [key, below] of Object.entries(value)) walk(below, `${path}/${key}`);
    else if (typeof value === 'number' && /@|auc|loss/.test(path)) figures.push(`${path} ${value}`);
  };
  try {
    walk(JSON.parse(json), '');
  } catch {
    return null; // something else was said as well
  }
  return figures.length === 0 ? null : createHash('sha256').update(figures.join('\n')).digest('hex').slice(0, 8);
}

function libc() {
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return process.platform !== 'linux' ? '' : header.glibcVersionRuntime === undefined ? ', musl' : `, glibc ${header.glibcVersionRuntime}`; // prettier-ignore
}
