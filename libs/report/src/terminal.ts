import Table from 'cli-table3';
import colors from 'picocolors';
import { headline, notes } from './cells.js';
import type { ExperimentReport } from './contract.js';
import { tableOf } from './table.js';

/** What is not a metric: variant, runs, parameters and time, with the gaps between. */
const OTHER_COLUMNS_WIDTH = 44;
const METRIC_WIDTH = 18;

/**
 * The leaderboard for a terminal: one row per variant, best first; under each mean the paired difference to the base. Metrics that do
 * not fit beside each other go into further tables.
 */
export function toTerminal(
  report: ExperimentReport,
  { width, color }: { readonly width: number; readonly color: boolean },
): string {
  const style = colors.createColors(color);
  const perTable = Math.max(1, Math.floor((width - OTHER_COLUMNS_WIDTH) / METRIC_WIDTH));
  const tables: string[] = [];
  for (let from = 0; from < report.columns.length; from += perTable) {
    const { head, rows } = tableOf(report, report.columns.slice(from, from + perTable));
    const table = new Table({
      head: head.map((text) => style.bold(text)),
      colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
      chars: PLAIN,
    });
    for (const row of rows) {
      table.push(
        row.map(({ lines: [first = '', ...rest], marked }) =>
          [marked ? style.bold(style.green(first)) : first, ...rest.map((line) => style.dim(line))].join('\n'),
        ),
      );
    }
    tables.push(withoutTrailingSpace(table.toString()));
  }
  const apart = otherPublished(report);
  return [style.bold(headline(report)), ...tables, ...apart, notes(report).join('\n')].join('\n\n');
}

const PLAIN = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '' },
};

function withoutTrailingSpace(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Published cells on other data or protocols never share a table with ours. */
function otherPublished({ published }: ExperimentReport): string[] {
  const others = published.filter(({ comparable }) => !comparable);
  if (others.length === 0) return [];
  const lines = others.map(({ variant, metric, value, source }) => `  ${variant}  ${metric}  ${value}  (${source})`);
  return [`published on other data or another protocol, not comparable:\n${lines.join('\n')}`];
}
