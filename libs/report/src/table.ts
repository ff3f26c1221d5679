import {
  comparableValues,
  differenceText,
  markOf,
  type Mark,
  numberText,
  runsText,
  secondsText,
  summaryText,
  variantText,
  versusOf,
} from './cells.js';
import type { ExperimentReport } from './contract.js';

/** A cell of a rendered table; `lines` stand under each other where the face allows it. */
export interface TableCell {
  readonly lines: readonly string[];
  readonly mark: Mark | null;
}

export interface TableFace {
  readonly head: readonly string[];
  readonly rows: readonly (readonly TableCell[])[];
  /** Numbers of the columns that stand to the right. */
  readonly right: readonly number[];
}

/** The table that every face shows: a row per variant and one for the oracle, a column per metric. */
export function tableOf(report: ExperimentReport, columns: readonly string[], sign = '±'): TableFace {
  const cell = (...lines: string[]): TableCell => ({ lines: lines.filter((line) => line !== ''), mark: null });
  const rows = report.groups.map((group) => [
    cell(variantText(group)),
    ...columns.map((metric) => {
      const versus = versusOf(group, metric);
      const mark = markOf(report, metric, versus);
      const published = comparableValues(report, group.variant, metric);
      return {
        ...cell(
          summaryText(group.metrics[metric], sign),
          differenceText(versus, sign),
          mark ?? '',
          ...published.map((value) => `published ${numberText(value)}`),
        ),
        mark,
      };
    }),
    cell(runsText(group)),
    cell(group.parameterCount === null ? '' : group.parameterCount.toLocaleString('en')),
    cell(secondsText(group.seconds)),
  ]);
  if (report.oracle !== null) {
    const { oracle } = report;
    rows.push([
      cell('oracle'),
      ...columns.map((metric) => cell(numberText(oracle[metric]))),
      cell(''),
      cell(''),
      cell(''),
    ]);
  }
  const head = ['variant', ...columns, 'runs', 'parameters', 'time'];
  return { head, rows, right: head.map((_, column) => column).slice(1) };
}

/** Over the published cells that never share a table with ours. */
export const APART = 'published on other data or another protocol, not comparable';

/** Published cells on other data or another protocol, each with where it stands and what differs; null when there are none. */
export function apartOf({ published }: ExperimentReport): TableFace | null {
  const others = published.filter(({ comparable }) => !comparable);
  if (others.length === 0) return null;
  return {
    head: ['variant', 'metric', 'published', 'source', 'differs'],
    rows: others.map(({ variant, metric, value, source, differs }) =>
      [variant, metric, String(value), source.replaceAll(/\s+/g, ' '), differs].map((line) => ({
        lines: [line],
        mark: null,
      })),
    ),
    right: [2],
  };
}
