import { csvText } from './csv.js';
import { headline, notes, type Mark } from './cells.js';
import type { ExperimentReport } from './contract.js';
import { ROW_COLUMNS, toRows, type ReportRow } from './rows.js';
import { APART, apartOf, tableOf, type TableCell, type TableFace } from './table.js';

/** The array that `report --format json` prints. */
export function toJson(reports: readonly ExperimentReport[]): string {
  return `${JSON.stringify(reports, null, 2)}\n`;
}

/** The rows of `toRows`. A text that a spreadsheet would take for a formula begins with an apostrophe. */
export function toCsv(reports: readonly ExperimentReport[]): string {
  const columns = Object.keys(ROW_COLUMNS) as (keyof ReportRow)[];
  return csvText(
    columns,
    toRows(reports).map((row) => columns.map((column) => row[column])),
  );
}

/** One Markdown table per experiment. */
export function toMarkdown(reports: readonly ExperimentReport[]): string {
  return reports
    .map((report) => {
      const apart = apartOf(report);
      return [
        `### ${markdownEscape(headline(report))}`,
        '',
        ...markdownTable(tableOf(report, report.columns)),
        '',
        ...(apart === null ? [] : [`${APART}:`, '', ...markdownTable(apart), '']),
        ...notes(report).map((note) => `${markdownEscape(note)}  `.trimEnd()),
        '',
      ].join('\n');
    })
    .join('\n');
}

function markdownTable({ head, rows, right }: TableFace): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(head.map(markdownEscape)),
    line(head.map((_, column) => (right.includes(column) ? '---:' : '---'))),
    ...rows.map((row) => line(row.map((cell) => inOneLine(cell, markdownEscape, (text) => `**${text}**`)))),
  ];
}

function markdownEscape(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*');
}

/** One booktabs table per experiment; needs `\usepackage{booktabs}`. */
export function toLatex(reports: readonly ExperimentReport[]): string {
  return reports
    .map((report) => {
      const apart = apartOf(report);
      const base = report.groups.find(({ versus }) => versus !== null)?.versus?.base ?? 'base';
      const marks = `† better, ‡ worse than ${base}, in bold`;
      const caption = `${headline(report)}. ${notes(report, marks).join(' ')}`;
      return [
        ...latexTable(tableOf(report, report.columns, '$\\pm$'), caption),
        ...(apart === null ? [] : latexTable(apart, `${report.experiment}: ${APART}.`)),
      ].join('\n');
    })
    .join('\n');
}

function latexTable({ head, rows, right }: TableFace, caption: string): string[] {
  const line = (cells: readonly string[]): string => `    ${cells.join(' & ')} \\\\`;
  return [
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${latexEscape(caption)}}`,
    `  \\begin{tabular}{${head.map((_, column) => (right.includes(column) ? 'r' : 'l')).join('')}}`,
    '    \\toprule',
    line(head.map(latexEscape)),
    '    \\midrule',
    ...rows.map((row) => line(row.map((cell) => inOneLine(cell, latexEscape, latexMarked, LATEX_MARKS)))),
    '    \\bottomrule',
    '  \\end{tabular}',
    '\\end{table}',
    '',
  ];
}

/** The first line as it is or in bold, the others behind it in brackets. */
function inOneLine(
  { lines: [first = '', ...rest], mark }: TableCell,
  escape: (text: string) => string,
  bold: (text: string, mark: Mark) => string,
  signs: Readonly<Partial<Record<string, string>>> = {},
): string {
  const escaped = escape(first);
  const main = mark === null ? escaped : bold(escaped, mark);
  const others = rest.filter((line) => line !== mark || signs[mark] === undefined);
  return others.length === 0 ? main : `${main} (${others.map(escape).join(', ')})`;
}

/** Signs of a marked cell in place of its word, as papers have them; the caption explains them. */
const LATEX_MARKS: Readonly<Record<Mark, string>> = { better: '†', worse: '‡' };

function latexMarked(text: string, mark: Mark): string {
  return `\\textbf{${text}}${latexEscape(LATEX_MARKS[mark])}`;
}

const LATEX: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}', '±': '$\\pm$', '−': '$-$',
  '†': '$^\\dagger$', '‡': '$^\\ddagger$', '[': '{[}', '*': '{*}', '&': '\\&', '%': '\\%', '#': '\\#', _: '\\_', '{': '\\{', '}': '\\}', $: '\\$', '<': '$<$', '>': '$>$',
}; // prettier-ignore

/** `[` and `*` in braces, because `\\\\` and `\\midrule` take what follows them in the next row for an option. */
function latexEscape(text: string): string {
  return text
    .split('$\\pm$')
    .map((part) => part.replace(/[\\~^±−†‡[*&%#_{}$<>]/g, (character) => LATEX[character] as string))
    .join('$\\pm$');
}
