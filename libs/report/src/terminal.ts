import colors from 'picocolors';
import { headline, notes } from './cells.js';
import type { ExperimentReport } from './contract.js';
import { APART, apartOf, tableOf, type TableFace } from './table.js';
import { columnWidths, tableWidth, textTable, wrapped, type TextTable } from './text-table.js';

/** A longer name of a variant is wrapped before a metric goes to a further table. */
const VARIANT_WIDTH = 24;

/**
 * The leaderboard for a terminal: one row per variant, best first; under each mean the paired difference to the base. Metrics that do
 * not fit beside each other go into further tables, and what is wider than the terminal is wrapped.
 */
export function toTerminal(
  report: ExperimentReport,
  { width, color }: { readonly width: number; readonly color: boolean },
): string {
  const style = colors.createColors(color);
  const paragraph = (text: string): string => wrapped(text, width).join('\n');
  const table = ({ head, rows, right }: TableFace): TextTable => ({
    head: head.map((text) => ({ lines: [text], paint: style.bold })),
    rows: rows.map((row) =>
      row.map(({ lines, mark }) => ({
        lines,
        paint(line: string, number: number) {
          const isMark = mark !== null && (number === 0 || lines[number] === mark);
          if (isMark) return style.bold(mark === 'better' ? style.green(line) : style.red(line));
          return number === 0 ? line : style.dim(line);
        },
      })),
    ),
    right,
    width,
  });

  const tables: string[] = [];
  for (let from = 0; from < report.columns.length;) {
    let count = report.columns.length - from;
    const some = (): TextTable => table(tableOf(report, report.columns.slice(from, from + count)));
    while (count > 1 && !fits(some())) count--;
    tables.push(textTable(some()));
    from += count;
  }
  const apart = apartOf(report);
  return [
    wrapped(headline(report), width).map(style.bold).join('\n'),
    ...tables,
    ...(apart === null ? [] : [`${paragraph(`${APART}:`)}\n${textTable(table(apart))}`]),
    notes(report).map(paragraph).join('\n'),
  ].join('\n\n');
}

/** Whether the table is within its width with the variant's name not wrapped to less than it deserves. */
function fits(table: TextTable): boolean {
  const [natural = 0] = columnWidths({ ...table, width: Infinity });
  const [variant = 0, ...others] = columnWidths(table);
  return tableWidth([variant, ...others]) <= table.width && variant >= Math.min(natural, VARIANT_WIDTH);
}
