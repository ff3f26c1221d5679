/**
 * Our methods of search against Optuna's TPE, on functions with known minima.
 *
 *   node tools/peers/search.mjs [--repeats 20] [--trials 60] [--python PATH] [--markdown]
 *
 * Repeat k has seed k on both sides, and trial t of repeat k the same noise. Regret: the value without noise, above the minimum, of the
 * trial that was best with it. Prints JSON lines; a line per function and contestant has the median regret, its middle half, and p of the
 * one-sided Wilcoxon signed-rank test, paired over repeats, that it is less than random's. `--markdown` prints the table of docs/search.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createRng } from '@towerbench/engine';
import { wilcoxonSignedRank } from '@towerbench/metrics';
import { searchMethods } from '@towerbench/sweep';

const root = resolve(import.meta.dirname, '../..');
const peers = process.env['TOWERBENCH_PEERS'] ?? join(root, '.towerbench/peers');
const { values: options } = parseArgs({
  options: {
    repeats: { type: 'string', default: '20' },
    trials: { type: 'string', default: '60' },
    python: { type: 'string', default: join(peers, 'optuna/bin/python') },
    markdown: { type: 'boolean', default: false },
  },
});
const repeats = Number(options.repeats);
const trials = Number(options.trials);
if (!existsSync(options.python)) {
  process.stderr.write(
    `there is no ${options.python}\n  hint  run tools/peers/setup.sh, or name a Python with optuna by --python\n`,
  );
  process.exit(2);
}

/** @typedef {{ bounds: readonly (readonly [number, number])[], noise: number, minimum: number, of: (x: readonly number[]) => number }} Problem */

const hartmann = {
  alpha: [1, 1.2, 3, 3.2],
  a: [
    [10, 3, 17, 3.5, 1.7, 8],
    [0.05, 10, 17, 0.1, 8, 14],
    [3, 3.5, 1.7, 10, 17, 8],
    [17, 8, 0.05, 10, 0.1, 14],
  ],
  p: [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
  ],
};

/** @type {Record<string, Problem>} */
const problems = {
  branin: {
    bounds: [
      [-5, 10],
      [0, 15],
    ],
    noise: 0,
    minimum: 0.39788735772973816,
    of: ([a = 0, b = 0]) =>
      (b - (5.1 / (4 * Math.PI ** 2)) * a ** 2 + (5 / Math.PI) * a - 6) ** 2 +
      10 * (1 - 1 / (8 * Math.PI)) * Math.cos(a) +
      10,
  },
  'hartmann-6': {
    bounds: Array.from({ length: 6 }, () => /** @type {const} */ ([0, 1])),
    noise: 0,
    minimum: -3.32236801141551,
    of: (x) =>
      -hartmann.alpha.reduce((sum, alpha, i) => {
        const exponent = x.reduce(
          (inner, value, j) => inner + (hartmann.a[i]?.[j] ?? 0) * (value - (hartmann.p[i]?.[j] ?? 0)) ** 2,
          0,
        );
        return sum + alpha * Math.exp(-exponent);
      }, 0),
  },
  'noisy-rosenbrock': {
    bounds: Array.from({ length: 4 }, () => /** @type {const} */ ([-2.048, 2.048])),
    noise: 10,
    minimum: 0,
    of: (x) =>
      x.slice(1).reduce((sum, next, i) => sum + 100 * (next - (x[i] ?? 0) ** 2) ** 2 + (1 - (x[i] ?? 0)) ** 2, 0),
  },
};

/** Standard deviation times standard normals, by repeat and trial. @type {Record<string, number[][]>} */
const noise = Object.fromEntries(
  Object.entries(problems).map(([name, { noise: deviation }]) => {
    const draws = createRng('noise').fork(name);
    const row = () => Array.from({ length: trials }, () => deviation * draws.normal());
    return [name, Array.from({ length: repeats }, row)];
  }),
);

/** Values without noise of the trials of a repeat. @param {string} name @param {'random' | 'sobol' | 'tpe'} method */
function ours(name, method, { lag = 0, repeat = 0 }) {
  const { bounds, of } = /** @type {Problem} */ (problems[name]);
  const space = bounds.map(([min, max], j) => ({
    name: `x${j}`,
    domain: /** @type {const} */ ({ kind: 'range', scale: 'linear', min, max, step: null }),
    when: [],
  }));
  /** @type {number[]} */
  const values = [];
  /** @type {{ point: import('@towerbench/config').Point, worth: number }[]} */
  const observations = [];
  for (let number = 0; number < trials; number++) {
    const point = searchMethods.get(method).suggest({
      space,
      number,
      observations: observations.slice(0, Math.max(0, number - lag)),
      pending: observations.slice(Math.max(0, number - lag)).map(({ point }) => point),
      seed: `${repeat}/${method}`,
      rng: createRng(repeat).fork(method).fork(`trial${number}`),
    });
    if (point === null) throw new Error(`${method} has no more points`);
    const value = of(bounds.map((_, j) => Number(point[`x${j}`])));
    values.push(value);
    observations.push({ point, worth: -(value + noiseOf(name, repeat, number)) });
  }
  return values;
}

/** @param {string} name @param {number} repeat @param {number} trial */
function noiseOf(name, repeat, trial) {
  return noise[name]?.[repeat]?.[trial] ?? 0;
}

/** Values without noise by function and repeat. @param {object} sampler @returns {{ version: string, values: Record<string, number[][]> }} */
function optunas(sampler) {
  const { status, stdout } = spawnSync(options.python, [join(root, 'tools/peers/search.py')], {
    input: JSON.stringify({ trials, noise, sampler }),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`search.py ended with ${status}; see above`);
  /** @type {{ function: string, values: number[][], optuna: string }[]} */
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return {
    version: lines[0]?.optuna ?? '',
    values: Object.fromEntries(lines.map((line) => [line.function, line.values])),
  };
}

/** @param {string} name @param {readonly number[]} values @param {number} repeat */
function regret(name, values, repeat) {
  const seen = values.map((value, trial) => value + noiseOf(name, repeat, trial));
  return (values[seen.indexOf(Math.min(...seen))] ?? NaN) - (problems[name]?.minimum ?? NaN);
}

/** @param {readonly number[]} values @param {number} share */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? NaN;
  return low + (place % 1) * ((sorted[Math.ceil(place)] ?? NaN) - low);
}

const multivariate = optunas({ multivariate: true });
const independent = optunas({ multivariate: false });
const each = Array.from({ length: repeats }, (_, repeat) => repeat);
/** @type {Record<string, (name: string, repeat: number) => readonly number[]>} */
const contestants = {
  'towerbench tpe': (name, repeat) => ours(name, 'tpe', { repeat }),
  'towerbench tpe, lag 2': (name, repeat) => ours(name, 'tpe', { repeat, lag: 2 }),
  [`optuna ${multivariate.version} tpe, multivariate`]: (name, repeat) => multivariate.values[name]?.[repeat] ?? [],
  [`optuna ${independent.version} tpe, independent`]: (name, repeat) => independent.values[name]?.[repeat] ?? [],
  'towerbench sobol': (name, repeat) => ours(name, 'sobol', { repeat }),
  'towerbench random': (name, repeat) => ours(name, 'random', { repeat }),
};
const lines = Object.keys(problems).flatMap((name) => {
  const regrets = Object.fromEntries(
    Object.entries(contestants).map(([contestant, values]) => [
      contestant,
      each.map((repeat) => regret(name, values(name, repeat), repeat)),
    ]),
  );
  const random = regrets['towerbench random'] ?? [];
  const peer = quantile(regrets[`optuna ${multivariate.version} tpe, multivariate`] ?? [], 0.5);
  return Object.entries(regrets).map(([contestant, own]) => {
    const { p, rankBiserial } = wilcoxonSignedRank(own, random);
    const oneSided = p === null || rankBiserial === null ? null : rankBiserial < 0 ? p / 2 : 1 - p / 2;
    return {
      bench: 'search',
      function: name,
      contestant,
      trials,
      repeats,
      median: round(quantile(own, 0.5)),
      middle_half: [round(quantile(own, 0.25)), round(quantile(own, 0.75))],
      ratio_to_optuna: round(quantile(own, 0.5) / peer),
      p_less_than_random: oneSided === null ? null : Number(oneSided.toPrecision(2)),
    };
  });
});

/** @param {number} value */
function round(value) {
  return Number(value.toPrecision(3));
}

if (options.markdown) {
  const header = ['function', 'method', 'median regret', 'middle half', '× optuna', 'p against random'];
  const rows = lines.map((line) => [
    line.function,
    line.contestant,
    String(line.median),
    line.middle_half.join(' to '),
    String(line.ratio_to_optuna),
    line.p_less_than_random === null ? '' : String(line.p_less_than_random),
  ]);
  for (const cells of [header, header.map(() => '---'), ...rows]) process.stdout.write(`| ${cells.join(' | ')} |\n`);
} else for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
