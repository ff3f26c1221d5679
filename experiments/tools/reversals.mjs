/** Pairs of variants that two metrics put in opposite orders. */
import { mean } from '@towerbench/metrics';
import { halfWidth } from './interval.mjs';
import { markdownTable } from './markdown.mjs';

/**
 * A Markdown table of the pairs that the first metric puts in one order and the second in the other, both by more than the 95 % t intervals of the
 * two over seeds are wide, and each of two seeds or more; those that are furthest apart come first.
 *
 * @param {readonly { variant: string, metrics: Record<string, number | null> }[]} rows
 * @param {string} first
 * @param {string} second
 */
export function reversalsTable(rows, first, second) {
  const variants = [...new Set(rows.map(({ variant }) => variant))];
  const of = (/** @type {string} */ metric) =>
    new Map(
      variants.map((variant) => {
        const values = rows.filter((row) => row.variant === variant).map(({ metrics }) => metrics[metric] ?? NaN);
        return [variant, { mean: mean(values), half: halfWidth(values) ?? Infinity }];
      }),
    );
  const [a, b] = [of(first), of(second)];
  /** How far x is ahead of y; 0 where the intervals are wider. @param {typeof a} values @param {string} x @param {string} y */
  const lead = (values, x, y) => {
    const [own, other] = [values.get(x), values.get(y)];
    const difference = (own?.mean ?? NaN) - (other?.mean ?? NaN);
    return Math.abs(difference) > (own?.half ?? 0) + (other?.half ?? 0) ? difference : 0;
  };
  const lines = variants
    .flatMap((x) => variants.map((y) => ({ x, y, first: lead(a, x, y), second: lead(b, y, x) })))
    .filter((pair) => pair.first > 0 && pair.second > 0)
    .sort((p, q) => q.first * q.second - p.first * p.second);
  return markdownTable(
    [`ahead by ${first}`, `ahead by ${second}`, `by ${first}`, `by ${second}`],
    lines.map(({ x, y, ...by }) => [x, y, `+${by.first.toFixed(4)}`, `+${by.second.toFixed(4)}`]),
    2,
  );
}
