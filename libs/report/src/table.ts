import {
  comparableCell,
  differenceText,
  isSignificant,
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
  readonly marked: boolean;
}

export interface TableFace {
  readonly head: readonly string[];
  readonly rows: readonly (readonly TableCell[])[];
}

/** The table that every face shows: a row per variant and one for the oracle, a column per metric. */
export function tableOf(report: ExperimentReport, columns: readonly string[], sign = '±'): TableFace {
  const cell = (...lines: string[]): TableCell => ({ lines: lines.filter((line) => line !== ''), marked: false });
  const rows = report.groups.map((group) => [
    cell(variantText(group)),
    ...columns.map((metric) => {
      const versus = versusOf(group, metric);
      const published = comparableCell(report, group.variant, metric);
      return {
        ...cell(
          summaryText(group.metrics[metric], sign),
          differenceText(versus, sign),
          published === undefined ? '' : `published ${numberText(published)}`,
        ),
        marked: isSignificant(versus),
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
  return { head: ['variant', ...columns, 'runs', 'parameters', 'time'], rows };
}
