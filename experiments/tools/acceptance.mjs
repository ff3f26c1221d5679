/** What a study must show: the figures of `accept.json`, held against its rows. */
import { mean, pairedT } from '@towerbench/metrics';

/**
 * @typedef {object} Requirement
 * @property {string} variant
 * @property {string} [minus] another variant: the figure is the difference, seed by seed
 * @property {string} [metric] e.g. `test/recall@20`
 * @property {string} [series] in place of a metric, the last value of series: a regular expression; each that matches must fulfil it
 * @property {number} [atLeast] smallest mean over seeds
 * @property {number} [atMost] largest mean over seeds
 * @property {number} [upper95AtMost] with `minus`: bound of the upper end of the difference's 95 % t interval over seeds
 *
 * @typedef {{ variant: string, seed: number, metrics: Record<string, number>, series: Record<string, number> }} Row
 */

/**
 * One outcome per figure that the requirement concerns.
 *
 * @param {Requirement} requirement
 * @param {Row[]} rows
 * @returns {{ reached: boolean, text: string }[]}
 */
export function examine(requirement, rows) {
  const { variant, minus, metric, series } = requirement;
  if (metric !== undefined)
    return [
      judge(
        requirement,
        metric,
        valuesOf(rows, variant, minus, ({ metrics }) => metrics[metric]),
      ),
    ];
  const pattern = new RegExp(`^(?:${series ?? ''})$`);
  const own = rows.filter((row) => row.variant === variant);
  const names = [...new Set(own.flatMap((row) => Object.keys(row.series)))].filter((name) => pattern.test(name)).sort();
  if (names.length === 0) return [{ reached: false, text: `${variant}  no series is called ${series}` }];
  return names.map((name) =>
    judge(
      requirement,
      name,
      valuesOf(rows, variant, minus, ({ series }) => series[name]),
    ),
  );
}

/**
 * Values of a variant by seed, and those of the other one at the same seeds.
 *
 * @param {Row[]} rows
 * @param {string} variant
 * @param {string | undefined} minus
 * @param {(row: Row) => number | undefined} figure
 */
function valuesOf(rows, variant, minus, figure) {
  const of = (/** @type {string} */ name) =>
    new Map(rows.filter((row) => row.variant === name).map((row) => [row.seed, figure(row) ?? NaN]));
  const values = of(variant);
  const others = minus === undefined ? null : of(minus);
  const seeds = [...values.keys()].filter((seed) => others === null || others.has(seed)).sort((a, b) => a - b);
  return {
    values: seeds.map((seed) => values.get(seed) ?? NaN),
    others: others && seeds.map((seed) => others.get(seed) ?? NaN),
  };
}

/**
 * @param {Requirement} requirement
 * @param {string} name of the figure
 * @param {ReturnType<typeof valuesOf>} figures
 */
function judge({ variant, minus, atLeast, atMost, upper95AtMost }, name, { values, others }) {
  const paired = others === null || values.length === 0 ? null : pairedT(values, others);
  const value = paired === null ? mean(values) : paired.difference;
  const upper = paired?.ci95?.[1] ?? NaN;
  const bounds = [
    ...(atLeast === undefined ? [] : [{ met: value >= atLeast, text: `at least ${atLeast}` }]),
    ...(atMost === undefined ? [] : [{ met: value <= atMost, text: `at most ${atMost}` }]),
    ...(upper95AtMost === undefined
      ? []
      : [{ met: upper <= upper95AtMost, text: `its interval up to ${upper.toFixed(4)}, at most ${upper95AtMost}` }]),
  ];
  const who = minus === undefined ? variant : `${variant} - ${minus}`;
  return {
    reached: bounds.length > 0 && bounds.every(({ met }) => met),
    text: `${who}  ${name}  ${value.toFixed(4)} (${values.length} seeds), ${bounds.map(({ text }) => text).join(', ') || 'but no bound is given'}`,
  };
}
