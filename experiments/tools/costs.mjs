/** What the runs of a study took of the machine. */
import { markdownTable } from './markdown.mjs';

/**
 * @typedef {{ variant: string, seconds: number, cpuSeconds: number | null, peakBytes: number | null, examplesPerSecond: number | null }} CostRow
 */

/**
 * A Markdown table: medians over the runs of each variant, by the alphabet. A run that went on after an interruption
 * says no processor time.
 *
 * @param {readonly CostRow[]} rows
 */
export function costsOf(rows) {
  const variants = [...new Set(rows.map(({ variant }) => variant))].sort();
  const lines = variants.map((variant) => {
    const own = rows.filter((row) => row.variant === variant);
    const of = (/** @type {(row: CostRow) => number | null} */ value) => median(own.map(value));
    return [
      variant,
      String(own.length),
      number(of(({ cpuSeconds }) => cpuSeconds), 1),
      number(of(({ seconds }) => seconds), 1),
      number(of(({ examplesPerSecond }) => examplesPerSecond), 0),
      number(of(({ peakBytes }) => peakBytes && peakBytes / 1e6), 0),
    ]; // prettier-ignore
  });
  return markdownTable(['variant', 'runs', 'processor, s', 'wall, s', 'examples/s', 'memory, MB'], lines);
}

/** @param {readonly (number | null)[]} values */
function median(values) {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known.length === 0 ? null : (known[Math.floor(known.length / 2)] ?? null);
}

/** @param {number | null} value @param {number} digits */
function number(value, digits) {
  return value === null
    ? ''
    : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
