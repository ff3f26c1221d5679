/** Values by user of a study, taken apart by how popular the item is that each user is to find. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { mean } from '@towerbench/metrics';
import { halfWidth } from './interval.mjs';
import { markdownTable } from './markdown.mjs';

/**
 * @typedef {{ variant: string, seed: number, trial: string }} Row
 * @typedef {{ names: string[], of: number[] }} Slices
 */

/** @param {string} path */
const readJson = (path) => JSON.parse(gunzipSync(readFileSync(path)).toString());

/**
 * Per variant and slice the values of the seeds: the mean over the users of the slice.
 *
 * @param {string} folder of a study
 * @param {readonly Row[]} rows
 * @param {string} metric
 * @returns {{ names: string[], users: number[], means: Map<string, number[][]> }} `means`: per variant, a list of seeds' values for each name
 */
export function slicedMeans(folder, rows, metric) {
  const file = join(folder, 'users/popularity.json.gz');
  if (!existsSync(file))
    throw new Error(`${file} is missing: it comes with sweep --record, where each user has one item to find`);
  /** @type {Slices} */
  const { names, of } = readJson(file);
  const users = names.map((_, slice) => of.filter((own) => own === slice).length);
  const kept = names.flatMap((_, slice) => ((users[slice] ?? 0) > 0 ? [slice] : []));
  /** @type {Map<string, number[][]>} */
  const means = new Map();
  for (const { variant, seed, trial } of rows) {
    /** @type {number[]} */
    const values = readJson(join(folder, `users/${trial.slice(0, 16)}-${seed}.json.gz`))[metric];
    if (values?.length !== of.length)
      throw new Error(`${variant}: ${metric} has no values by user; the report of the experiment has to name it`);
    const sums = names.map(() => 0);
    for (const [user, slice] of of.entries()) sums[slice] = (sums[slice] ?? 0) + (values[user] ?? NaN);
    const own = means.get(variant) ?? kept.map(() => []);
    for (const [at, slice] of kept.entries()) own[at]?.push((sums[slice] ?? NaN) / (users[slice] ?? NaN));
    means.set(variant, own);
  }
  return { names: kept.map((slice) => names[slice] ?? ''), users: kept.map((slice) => users[slice] ?? 0), means };
}

/**
 * A Markdown table: mean over seeds in each slice, ± half of the 95 % t interval.
 *
 * @param {string} folder of a study
 * @param {readonly Row[]} rows
 * @param {string} metric
 */
export function slicesTable(folder, rows, metric) {
  const { names, users, means } = slicedMeans(folder, rows, metric);
  const head = [metric, ...names.map((name, at) => `${name}, ${(users[at] ?? 0).toLocaleString('en')} users`)];
  const lines = [...means].map(([variant, slices]) => [
    variant,
    ...slices.map((values) => {
      const half = halfWidth(values);
      return `${mean(values).toFixed(4)}${half === null ? '' : ` ±${half.toFixed(4)}`}`;
    }),
  ]);
  return markdownTable(head, lines);
}
