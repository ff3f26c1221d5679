import { isLargerBetter } from '@towerbench/metrics';
import type { Json } from '@towerbench/tracking';
import type { ExperimentReport, MetricSummary, ReportGroup, Versus } from './contract.js';

/** Both corrected p over seeds and p over users must be below this for a cell to be marked. */
const SIGNIFICANT = 0.05;
/** Under so many seeds nothing is marked. */
const SEEDS_TO_TELL = 5;
const DIGITS = 4;

/** `0.8912`, or an empty text. */
export function numberText(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : value.toFixed(DIGITS);
}

/** `0.8912 ±0.0013`: mean and half the width of its 95 % interval. */
export function summaryText(summary: MetricSummary | undefined, sign = '±'): string {
  if (summary === undefined) return '';
  return `${numberText(summary.mean)}${halfWidth(summary.ci95, sign)}`;
}

/** `+0.1257 ±0.0014`. */
export function differenceText(versus: Versus | undefined, sign = '±'): string {
  if (versus === undefined) return '';
  const { difference, ci95 } = versus;
  return `${difference < 0 ? '−' : '+'}${numberText(Math.abs(difference))}${halfWidth(ci95, sign)}`;
}

function halfWidth(interval: readonly [number, number] | null, sign: string): string {
  return interval === null ? '' : ` ${sign}${numberText((interval[1] - interval[0]) / 2)}`;
}

/** The comparison of a group with the base in one metric. */
export function versusOf({ versus }: ReportGroup, metric: string): Versus | undefined {
  const found = versus?.[metric];
  return typeof found === 'object' ? found : undefined;
}

/** What a cell is marked as, when its difference to the base stands over seeds, corrected, and over users. */
export type Mark = 'better' | 'worse';

/** The mark of a comparison in one metric; null where nothing can be told. Of the objective the experiment says what is better. */
export function markOf(
  { metric: objective }: Pick<ExperimentReport, 'metric'>,
  metric: string,
  versus: Versus | undefined,
): Mark | null {
  const { difference, pHolm, pUsers } = versus ?? { difference: 0, pHolm: null, pUsers: null };
  if (!((pHolm ?? 1) < SIGNIFICANT && (pUsers ?? 1) < SIGNIFICANT)) return null;
  const maximize = metric === objective.name ? objective.goal === 'maximize' : isLargerBetter(metric);
  return difference > 0 === maximize ? 'better' : 'worse';
}

/** `senet (optimizer.learning_rate=0.0275688; best of 4)`: of a fraction six digits, JSON has all. */
export function variantText({ variant, parameters, budget }: ReportGroup): string {
  const details = Object.entries(parameters).map(
    ([path, value]) => `${path}=${typeof value === 'string' ? value : JSON.stringify(value, rounded)}`,
  );
  const all = [details.join(' '), budget > 1 ? `best of ${budget}` : ''].filter((text) => text !== '');
  return all.length === 0 ? variant : `${variant} (${all.join('; ')})`;
}

function rounded(_key: string, value: Json): Json {
  return typeof value !== 'number' || Number.isInteger(value) ? value : Number(value.toPrecision(6));
}

/** `12.3 s`. */
export function secondsText(seconds: number | null): string {
  return seconds === null ? '' : `${seconds.toFixed(1)} s`;
}

/** `3`, or `2 (1 failed)`. */
export function runsText({ n, failed }: ReportGroup): string {
  return failed === 0 ? String(n) : `${n} (${failed} failed)`;
}

/** Sentences under a table: what its signs mean, and what it cannot tell. `marks` is how the face shows better and worse. */
export function notes(report: ExperimentReport, marks = 'better, worse'): string[] {
  const { groups, runs, columns } = report;
  const most = Math.max(0, ...groups.map(({ n }) => n));
  const lines = ['± is half of the 95 % t interval over seeds; differences to the base are paired by seed.'];
  if (runs.finished < runs.total) {
    const others = (['failed', 'pruned'] as const).filter((status) => runs[status] > 0);
    lines.push(
      `${[`${runs.finished} of ${runs.total} runs are finished`, ...others.map((status) => `${runs[status]} ${status}`)].join(', ')}.`,
    );
  }
  lines.push(
    most < SEEDS_TO_TELL
      ? `not enough seeds to tell: ${most} of at least ${SEEDS_TO_TELL}, so nothing is marked.`
      : `${marks}: p < .05 over seeds (paired t, Holm) and over users (Wilcoxon signed-rank, Pratt).`,
  );
  const without = columns.filter((column) => {
    const compared = groups.map((group) => versusOf(group, column)).filter((versus) => versus !== undefined);
    return compared.length > 0 && compared.every(({ pUsers }) => pUsers === null);
  });
  if (most >= SEEDS_TO_TELL && without.length > 0) {
    lines.push(`${without.join(', ')}: without values by user, so nothing is marked there.`);
  }
  return lines;
}

/** Published values of a variant that may stand beside ours. */
export function comparableValues({ published }: ExperimentReport, variant: string, metric: string): readonly number[] {
  return published.flatMap((cell) =>
    cell.comparable && cell.variant === variant && cell.metric === metric ? [cell.value] : [],
  );
}

/** The line over a table. */
export function headline({ experiment, dataset, metric, fingerprint }: ExperimentReport): string {
  return `${experiment} on ${dataset} (data ${fingerprint.slice(0, 8)}), ordered by ${metric.name}`;
}
