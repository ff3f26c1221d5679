/**
 * Measures our benches against other software that does the same work, in turns within the same minute, each pinned to the same core.
 *
 *   node tools/peers/compare.mjs SUITE [options]      tools/peers/setup.sh makes what is needed; `npx nx run bench:build` ours
 *
 * Exit code 0: done. 1: a program ended. 2: wrong input.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Contestant } from './contestant.mjs';
import { compareRounds, medianRates } from './ratios.mjs';
import { suites } from './suites.mjs';
import { tableOf } from './table.mjs';

const root = resolve(import.meta.dirname, '../..');
const usage = `node tools/peers/compare.mjs SUITE [options]

SUITE             ${Object.keys(suites).join(', ')}
--rounds N        windows of each program (default 9)
--window-seconds S  length of a window (default 1)
--batch-size N    repeatable; default: those of the suite
--model NAME      repeatable, of model-step; default: all
--embedding E     dense (default) or lazy
--separate-rows   keeps us from encoding equal users and items of a batch once
--builds LIST     current, flag, newer: our kernels under this Node, with its flag for relaxed SIMD, under the newer Node (default current,newer)
--data FOLDER     data sets (default TOWERBENCH_DATA, else data/; made-up ids where there are none)
--peers FOLDER    what setup.sh made (default TOWERBENCH_PEERS, else .towerbench/peers)
--hold-to avx2    keeps the peers from the vectors of 512 bits that a processor has
--core N          core for all programs (default: the last; \`none\` pins nothing)
--json            one JSON object per line instead of a table
--out FILE        appends the lines to a file, too
`;

/** @typedef {import('./contestant.mjs').Window} Window */

const { values: options, positionals } = read();
const suite = suites[positionals[0] ?? ''];
const builds = options.builds.split(',');
if (suite === undefined || positionals.length > 1 || !builds.every(isBuild)) fail();
if (options.embedding !== 'dense' && options.embedding !== 'lazy') fail();

const matches = suite({
  root,
  folder: resolve(root, options.peers ?? process.env['TOWERBENCH_PEERS'] ?? '.towerbench/peers'),
  builds,
  batchSizes: options['batch-size'],
  models: options.model,
  embedding: options.embedding,
  separateRows: options['separate-rows'],
  data: options.data === undefined ? [] : ['--data', resolve(options.data)],
  pace: ['--window-seconds', options['window-seconds']],
});
if (options['hold-to'] !== undefined && options['hold-to'] !== 'avx2') fail();
const pin = pinned(options.core);
const isHeld = options['hold-to'] !== undefined;
const vectors = isHeld ? 'avx2-held' : widestVectors();
/** @type {Record<string, unknown>[]} */
const lines = [];
for (const match of matches) {
  process.stderr.write(`${match.what}\n`);
  for (const line of await play(match)) {
    lines.push(line);
    if (options.json) process.stdout.write(`${JSON.stringify(line)}\n`);
    if (options.out !== undefined) appendFileSync(options.out, `${JSON.stringify(line)}\n`);
  }
}
if (!options.json) process.stdout.write(`${tableOf(lines)}\n`);

/**
 * Lets the programs of a match take turns, forwards and backwards.
 *
 * @param {import('./suites.mjs').Match} match
 * @returns {Promise<Record<string, unknown>[]>} a line for each of ours and each peer
 */
async function play({ ours, peers, isWhole = false }) {
  const entrants = [...ours, ...peers].map((command, place) => ({
    program: new Contestant([...(isWhole ? [] : pin), ...command], {
      cwd: root,
      env: isHeld && place >= ours.length ? { TOWERBENCH_HOLD_TO: 'avx2' } : {}, // see measure.py
    }),
    windows: /** @type {Window[]} */ ([]),
  }));
  const load = /** @type {number[]} */ ([]);
  try {
    if (!isWhole) for (const { program } of entrants) await program.window(); // ready, and measured when warm only
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const { program, windows } of round % 2 === 0 ? entrants : entrants.toReversed()) {
        windows.push(await program.window());
      }
      load.push(/** @type {number} */ (loadavg()[0]));
    }
  } finally {
    for (const { program } of entrants) await program.close();
  }
  const measured = entrants.map(({ windows }) => windows);
  return measured.slice(0, ours.length).flatMap((our) =>
    measured.slice(ours.length).map((their) => {
      const { unit } = /** @type {Window} */ (our[0]);
      const peer = { ...factsOf(/** @type {Window} */ (their[0])), ...medianRates(unit, their) };
      return {
        ...factsOf(/** @type {Window} */ (our[0])),
        ...medianRates(unit, our),
        peer: /** @type {Window} */ (their[0]).name,
        ...Object.fromEntries(Object.entries(peer).map(([name, value]) => [`peer_${name}`, value])),
        ...compareRounds(our, their),
        vectors,
        load: [Math.min(...load), Math.max(...load)],
      };
    }),
  );
}

/** What was measured and with what, without how it went. @param {Window} window */
function factsOf(window) {
  const measured = ['name', 'unit', 'amount', 'seconds', 'cpu_seconds'];
  return Object.fromEntries(Object.entries(window).filter(([name]) => !measured.includes(name)));
}

function read() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string', default: '9' },
        'window-seconds': { type: 'string', default: '1' },
        'batch-size': { type: 'string', multiple: true, default: /** @type {string[]} */ ([]) },
        model: { type: 'string', multiple: true, default: /** @type {string[]} */ ([]) },
        embedding: { type: 'string', default: 'dense' },
        'separate-rows': { type: 'boolean', default: false },
        builds: { type: 'string', default: 'current,newer' },
        data: { type: 'string' },
        peers: { type: 'string' },
        'hold-to': { type: 'string' },
        core: { type: 'string', default: String(availableParallelism() - 1) },
        json: { type: 'boolean', default: false },
        out: { type: 'string' },
      },
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n`);
    return fail();
  }
}

/** @returns {never} */
function fail() {
  process.stderr.write(usage);
  process.exit(2);
}

/** @param {string} build @returns {build is 'current' | 'flag' | 'newer'} */
function isBuild(build) {
  return ['current', 'flag', 'newer'].includes(build);
}

/** What the products of a peer can use on this processor, and ours, in WebAssembly, cannot; null where nothing says it. */
function widestVectors() {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
    return ['avx512f', 'avx2', 'avx'].find((flag) => flags.includes(flag)) ?? null;
  } catch {
    return null; // another system
  }
}

/** What to put in front of a command so that it stays on one core. @param {string} core */
function pinned(core) {
  if (core === 'none') return [];
  const works = spawnSync('taskset', ['-c', core, process.execPath, '--version']).status === 0;
  if (!works) process.stderr.write('taskset does not work here: nothing is pinned to a core\n');
  return works ? ['taskset', '-c', core] : [];
}
