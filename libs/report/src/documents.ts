import { headline, notes, versusOf } from './cells.js';
import type { ExperimentReport } from './contract.js';
import { tableOf, type TableCell } from './table.js';

/** The array that `report --format json` prints. */
export function toJson(reports: readonly ExperimentReport[]): string {
  return `${JSON.stringify(reports, null, 2)}\n`;
}

const CSV_HEAD = [
  'experiment', 'dataset', 'fingerprint', 'variant', 'trial', 'parameters', 'n', 'failed', 'metric', 'mean', 'std', 'ci95_low', 'ci95_high',
  'base', 'difference', 'difference_ci95_low', 'difference_ci95_high', 'p_seeds', 'p_users', 'p_holm', 'parameter_count', 'seconds',
]; // prettier-ignore

/** One row per variant and metric, numbers in full precision; the oracle is a variant of that name. */
export function toCsv(reports: readonly ExperimentReport[]): string {
  const rows: (readonly (string | number | null | undefined)[])[] = [CSV_HEAD];
  for (const report of reports) {
    const { experiment, dataset, fingerprint, oracle } = report;
    for (const group of report.groups) {
      const { variant, trial, parameters, n, failed, parameterCount, seconds } = group;
      for (const [metric, { mean, std, ci95 }] of Object.entries(group.metrics)) {
        const versus = versusOf(group, metric);
        rows.push([
          ...[experiment, dataset, fingerprint, variant, trial, JSON.stringify(parameters), n, failed],
          ...[metric, mean, std, ci95?.[0], ci95?.[1]],
          ...[versus === undefined ? '' : group.versus?.base, versus?.difference, versus?.ci95?.[0], versus?.ci95?.[1]],
          ...[versus?.pSeeds, versus?.pUsers, versus?.pHolm, parameterCount, seconds],
        ]);
      }
    }
    for (const metric of oracle === null ? [] : report.columns) {
      const value = oracle?.[metric];
      if (value !== undefined)
        rows.push([
          experiment,
          dataset,
          fingerprint,
          'oracle',
          '',
          '',
          '',
          '',
          metric,
          value,
          ...Array<string>(12).fill(''),
        ]);
    }
  }
  return rows.map((row) => `${row.map(csvField).join(',')}\n`).join('');
}

function csvField(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One Markdown table per experiment. */
export function toMarkdown(reports: readonly ExperimentReport[]): string {
  return reports
    .map((report) => {
      const { head, rows } = tableOf(report, report.columns);
      const escape = (text: string): string => text.replaceAll('|', '\\|').replaceAll('*', '\\*');
      const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
      const body = rows.map((row) => line(row.map((cell) => inOneLine(cell, escape, (text) => `**${text}**`))));
      return [
        `### ${escape(headline(report))}`,
        '',
        line(head.map(escape)),
        line(head.map((_, column) => (column === 0 ? '---' : '---:'))),
        ...body,
        '',
        ...notes(report).map((note) => `${escape(note)}  `.trimEnd()),
        '',
      ].join('\n');
    })
    .join('\n');
}

/** One booktabs table per experiment; needs `\usepackage{booktabs}`. */
export function toLatex(reports: readonly ExperimentReport[]): string {
  return reports
    .map((report) => {
      const { head, rows } = tableOf(report, report.columns, '$\\pm$');
      const line = (cells: readonly string[]): string => `    ${cells.join(' & ')} \\\\`;
      const body = rows.map((row) =>
        line(row.map((cell) => inOneLine(cell, latexEscape, (text) => `\\textbf{${text}}`))),
      );
      return [
        '\\begin{table}',
        '  \\centering',
        `  \\caption{${latexEscape(headline(report))}. ${notes(report).map(latexEscape).join(' ')}}`,
        `  \\begin{tabular}{l${'r'.repeat(head.length - 1)}}`,
        '    \\toprule',
        line(head.map(latexEscape)),
        '    \\midrule',
        ...body,
        '    \\bottomrule',
        '  \\end{tabular}',
        '\\end{table}',
        '',
      ].join('\n');
    })
    .join('\n');
}

/** The first line as it is or marked, the others in brackets. */
function inOneLine(
  { lines: [first = '', ...rest], marked }: TableCell,
  escape: (text: string) => string,
  mark: (text: string) => string,
): string {
  const escaped = escape(first);
  return [marked ? mark(escaped) : escaped, ...rest.map((line) => `(${escape(line)})`)].join(' ');
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}', '±': '$\\pm$', '−': '$-$',
  '&': '\\&', '%': '\\%', '#': '\\#', _: '\\_', '{': '\\{', '}': '\\}', $: '\\$', '<': '$<$', '>': '$>$',
}; // prettier-ignore

function latexEscape(text: string): string {
  return text
    .split('$\\pm$')
    .map((part) => part.replace(/[\\~^±−&%#_{}$<>]/g, (character) => LATEX[character] as string))
    .join('$\\pm$');
}
