import type { Json } from '@towerbench/tracking';
import { differenceText, headline, notes, numberText, versusOf } from './cells.js';
import type { ExperimentReport } from './contract.js';
import { curvesFigure, FIGURE_STYLE, forestFigure, meansFigure, xmlEscape, type VariantCurve } from './figures.js';
import { leavesOf } from './run-diff.js';
import { APART, apartOf, tableOf, type TableCell, type TableFace } from './table.js';

/** A report with what its page shows beside the table. */
export interface ReportPage {
  readonly report: ExperimentReport;
  readonly file: string;
  /** The experiment as it was planned, in the spelling of the file. */
  readonly config: Json;
  /** Environments of the runs that have finished, each once. */
  readonly environments: readonly { readonly runs: number; readonly environment: Json }[];
  /** Of the objective metric. */
  readonly curves: readonly VariantCurve[];
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1b1b1b; background: #fff; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .875rem; }
caption { text-align: left; padding: .25rem 0; }
th, td { padding: .3rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid #c8c8c8; }
th[scope=row] { min-width: 9rem; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
.marked { font-weight: 700; }
.under { display: block; font-weight: 400; color: #565656; }
.scroll { overflow-x: auto; margin: 1rem 0; }
.scroll:focus-visible, summary:focus-visible { outline: 2px solid #0072b2; outline-offset: 2px; }
figure { margin: 1rem 0; }
figure svg { max-width: 100%; height: auto; min-width: 34rem; }
code { overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  body { color: #ececec; background: #161616; }
  th, td { border-color: #4a4a4a; }
  .under { color: #b4b4b4; }
}
@media print {
  body { max-width: none; color: #000; background: #fff; }
  .scroll { overflow: visible; }
  figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  figure svg { min-width: 0; }
}
${FIGURE_STYLE}`;

/**
 * One page that holds all it shows: it asks for nothing from elsewhere, runs no script, and reads in light, dark and on paper. Tables,
 * figures, the statistics in full, notes, config and environment.
 */
export function toHtml(pages: readonly ReportPage[]): string {
  const [only] = pages.length === 1 ? pages : [];
  const title = only === undefined ? `${pages.length} experiments` : headline(only.report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${xmlEscape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${xmlEscape(title)}</h1>
${pages.map((page) => section(page, pages.length > 1)).join('\n')}
</main>
</body>
</html>
`;
}

function section({ report, file, config, environments, curves }: ReportPage, hasHead: boolean): string {
  const { experiment, columns, groups, metric } = report;
  const name = (what: string): string => (hasHead ? `${experiment}: ${what}` : what);
  const apart = apartOf(report);
  const figures = [
    ...columns.flatMap((column) => [forestFigure(report, column), meansFigure(report, column)]),
    curvesFigure(metric.name, curves),
  ].filter((figure) => figure !== null);
  return [
    '<section>',
    ...(hasHead ? [`<h2>${xmlEscape(headline(report))}</h2>`] : []),
    table(tableOf(report, columns), name('results')),
    ...notes(report).map((note) => `<p>${xmlEscape(note)}</p>`),
    ...(apart === null ? [] : [table(apart, name(APART))]),
    table(statisticsOf(report), name('comparisons with the base in full')),
    '<p>d_z: mean difference over its standard deviation over seeds, with Hedges’ correction. Rank-biserial: from −1 to 1, how far users who gain outweigh users who lose. ' +
      'Over users: 95 % BCa bootstrap interval of the mean difference, for these trained models and other users. p (Holm): paired t over seeds, corrected over the variants of a metric; p over users: Wilcoxon signed-rank (Pratt).</p>',
    ...figures.map((figure, k) => `<figure>${scrolled(figure, name(`figure ${k + 1}`))}</figure>`),
    details(name('budget and parameters'), [
      table(
        {
          head: ['variant', 'trials tried', 'seeds', 'parameters of the best', 'trial'],
          rows: groups.map(({ variant, budget, seeds, parameters, trial }) =>
            [variant, String(budget), seeds.join(', '), JSON.stringify(parameters), trial.slice(0, 12)].map(plain),
          ),
          right: [1],
        },
        name('what each variant was given'),
      ),
    ]),
    details(name('config'), [
      `<p>File <code>${xmlEscape(file)}</code>, data <code>${xmlEscape(report.fingerprint)}</code>.</p>`,
      leaves(config, name('config by path')),
      leaves(report.protocol, name('protocol')),
    ]),
    details(
      name('environment'),
      environments.length === 0
        ? ['<p>No run has finished.</p>']
        : environments.map(
            ({ runs, environment }, k) =>
            leaves(environment, name(environments.length === 1 ? `environment of ${runs} runs` : `environment ${k + 1} of ${environments.length}, of ${runs} runs`)), // prettier-ignore
          ),
    ),
    '</section>',
  ].join('\n');
}

/** Every comparison with the base, a row per variant and metric. */
function statisticsOf(report: ExperimentReport): TableFace {
  const p = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : value < 0.001 ? value.toExponential(1) : value.toFixed(3);
  const signed = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
  const rows = report.columns.flatMap((metric) =>
    report.groups.flatMap((group) => {
      const versus = versusOf(group, metric);
      if (versus === undefined) return [];
      const { n, effectSize, pHolm, pUsers, users } = versus;
      const ends = users?.ci95?.map((end) => `${end < 0 ? '−' : '+'}${numberText(Math.abs(end))}`).join(' to ') ?? '';
      const counts = users === null ? '' : `${users.wins} / ${users.ties} / ${users.losses}`;
      return [[metric, group.variant, differenceText(versus), String(n), signed(effectSize), p(pHolm), ends, counts, signed(users?.rankBiserial), p(pUsers)].map(plain)]; // prettier-ignore
    }),
  );
  const head = ['metric', 'variant', 'difference', 'seeds', 'd_z', 'p (Holm)', 'over users', 'win / tie / loss', 'rank-biserial', 'p over users']; // prettier-ignore
  return { head, rows, right: [2, 3, 4, 5, 6, 7, 8, 9] };
}

function plain(text: string): TableCell {
  return { lines: [text], mark: null };
}

function leaves(value: Json, caption: string): string {
  const rows = [...leavesOf(value)].map(([path, leaf]) => [path, typeof leaf === 'string' ? leaf : JSON.stringify(leaf)].map(plain)); // prettier-ignore
  return table({ head: ['path', 'value'], rows, right: [] }, caption);
}

function table({ head, rows, right }: TableFace, caption: string): string {
  const attribute = (column: number): string => (right.includes(column) ? ' class="number"' : '');
  const cell = ({ lines: [first = '', ...rest], mark }: TableCell, column: number): string => {
    const main = mark === null ? xmlEscape(first) : `<span class="marked">${xmlEscape(first)}</span>`;
    const under = rest.map((line) => `<span class="under">${xmlEscape(line)}</span>`).join('');
    return column === 0 ? `<th scope="row">${main}${under}</th>` : `<td${attribute(column)}>${main}${under}</td>`;
  };
  return scrolled(
    [
      '<table>',
      `<caption>${xmlEscape(caption)}</caption>`,
      `<thead><tr>${head.map((text, column) => `<th scope="col"${attribute(column)}>${xmlEscape(text)}</th>`).join('')}</tr></thead>`,
      '<tbody>',
      ...rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`),
      '</tbody>',
      '</table>',
    ].join('\n'),
    caption,
  );
}

/** What is wider than the page scrolls by itself, with the keyboard as well. */
function scrolled(content: string, label: string): string {
  return `<div class="scroll" role="group" tabindex="0" aria-label="${xmlEscape(label)}">${content}</div>`;
}

function details(summary: string, content: readonly string[]): string {
  return `<details><summary>${xmlEscape(summary)}</summary>\n${content.join('\n')}\n</details>`;
}
