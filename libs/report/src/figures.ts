import { differenceText, markOf, summaryText, versusOf } from './cells.js';
import type { ExperimentReport } from './contract.js';

/** What can be drawn of a report. */

export type FigureName = 'forest' | 'means' | 'curves';

/** A learning curve of a variant: mean, least and greatest value over the `n` seeds that have one at the step. */
export interface VariantCurve {
  readonly variant: string;
  readonly points: readonly {
    readonly step: number;
    readonly mean: number;
    readonly min: number;
    readonly max: number;
  }[];
}

/** Okabe and Ito's colours, which stay apart for colour-blind readers; lines also differ in their dashes and carry their names. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const DASHES = ['', '6 3', '2 3', '8 3 2 3'];

const WIDTH = 720;
const ROW = 26;
const LABEL_HEIGHT = 15;
const CHARACTER = 7; // of text of 12 px, on average
const STYLE =
  '.axis{stroke:currentColor;stroke-opacity:.45}.zero{stroke:currentColor;stroke-dasharray:3 3}text{font:12px system-ui,sans-serif;fill:currentColor}' +
  '.seeds{stroke-width:2.5}.users{stroke-width:1;stroke:currentColor}.hollow{fill:Canvas;fill:#fff}.head{font-weight:600}';

const FOREST_KEY =
  'Thick: 95 % t interval over seeds. Thin: 95 % bootstrap interval over users. Filled: marked as better or worse.';
const MEANS_KEY = 'Line: 95 % t interval over seeds.';

/** A drawing and what it says in words. */
interface Drawing {
  readonly title: string;
  readonly description: string;
  readonly height: number;
  readonly body: readonly string[];
}

/**
 * Differences to the base in one metric: a row per variant, its 95 % t interval over seeds thick, the bootstrap interval over users thin
 * below it. The dot is filled where the comparison is marked. null where nothing is compared.
 */
export function forestFigure(report: ExperimentReport, metric: string): string | null {
  const rows = report.groups.flatMap((group) => {
    const versus = versusOf(group, metric);
    if (versus === undefined || !Number.isFinite(versus.difference)) return [];
    const mark = markOf(report, metric, versus);
    return [{ name: group.variant, versus, mark, text: `${differenceText(versus)}${mark === null ? '' : ` ${mark}`}` }];
  });
  if (rows.length === 0) return null;
  const base = report.groups.find(({ versus }) => versus !== null)?.versus?.base ?? 'base';
  const values = rows.flatMap(({ versus }) => [
    versus.difference,
    ...(versus.ci95 ?? []),
    ...(versus.users?.ci95 ?? []),
  ]);
  return drawn(
    intervalRows({
      title: `${metric}: difference to ${base}`,
      description: `${rows.map(({ name, text }) => `${name} ${text}`).join('; ')}. ${FOREST_KEY}`,
      key: FOREST_KEY,
      extent: extentOf([0, ...values]),
      zero: true,
      rows: rows.map(({ name, versus, mark, text }) => ({
        name,
        text,
        at: versus.difference,
        thick: versus.ci95,
        thin: versus.users?.ci95 ?? null,
        isFilled: mark !== null,
      })),
    }),
  );
}

/** Means of one metric with their 95 % t intervals over seeds, a row per variant; the oracle is a row of its own. null without a result. */
export function meansFigure(report: ExperimentReport, metric: string): string | null {
  const oracle = report.oracle?.[metric];
  const rows = [
    ...report.groups.flatMap(({ variant, metrics }) => {
      const summary = metrics[metric];
      if (summary === undefined || !Number.isFinite(summary.mean)) return [];
      return [{ name: variant, text: summaryText(summary), at: summary.mean, thick: summary.ci95 }];
    }),
    ...(oracle === undefined ? [] : [{ name: 'oracle', text: oracle.toFixed(4), at: oracle, thick: null }]),
  ].map((row) => ({ ...row, thin: null, isFilled: true }));
  if (rows.length === 0) return null;
  return drawn(
    intervalRows({
      title: `${metric}: mean over seeds`,
      description: `${rows.map(({ name, text }) => `${name} ${text}`).join('; ')}. ${MEANS_KEY}`,
      key: MEANS_KEY,
      extent: extentOf(rows.flatMap(({ at, thick }) => [at, ...(thick ?? [])])),
      zero: false,
      rows,
    }),
  );
}

/** Learning curves with their names at their ends: line is the mean over seeds, band from the least to the greatest. null without points. */
export function curvesFigure(series: string, curves: readonly VariantCurve[]): string | null {
  const shown = curves.filter(({ points }) => points.length > 0);
  if (shown.length === 0) return null;
  const labels = Math.max(...shown.map(({ variant }) => variant.length)) * CHARACTER + 14;
  const [left, right, top] = [64, WIDTH - labels, 34];
  const bottom = top + Math.max(266, shown.length * LABEL_HEIGHT);
  const all = shown.flatMap(({ points }) => points);
  const steps = [Math.min(...all.map(({ step }) => step)), Math.max(...all.map(({ step }) => step))] as const;
  const range = extentOf(all.flatMap(({ min, max }) => [min, max]));
  const x = scale(steps[0] === steps[1] ? [steps[0] - 1, steps[1] + 1] : steps, [left, right]);
  const y = scale(range, [bottom, top]);
  const ends = apart(
    shown.map(({ points }) => y((points.at(-1) as VariantCurve['points'][number]).mean)),
    bottom,
  );
  return drawn({
    title: `${series} by step`,
    description: `${shown.map(({ variant, points }) => `${variant} ends at ${points.at(-1)?.mean.toFixed(4)}`).join('; ')}. Line: mean over seeds. Band: least to greatest.`,
    height: bottom + 44,
    body: [
      ...ticks(range).map((value) => `<line class="axis" x1="${left}" x2="${right}" y1="${px(y(value))}" y2="${px(y(value))}" stroke-width=".5"/>${text(left - 8, y(value) + 4, tickText(value, range), 'end')}`), // prettier-ignore
      ...ticks(steps).map((value) => text(x(value), bottom + 18, value.toLocaleString('en'), 'middle')),
      text((left + right) / 2, bottom + 36, 'step (line: mean over seeds, band: least to greatest)', 'middle'),
      ...shown.flatMap(({ variant, points }, k) => {
        const color = COLORS[k % COLORS.length] as string;
        const line = (of: (point: VariantCurve['points'][number]) => number, reversed = false): string =>
          (reversed ? [...points].reverse() : points).map((point) => `${px(x(point.step))},${px(y(of(point)))}`).join(' '); // prettier-ignore
        const end = points.at(-1) as VariantCurve['points'][number];
        return [
          `<polygon points="${line(({ max }) => max)} ${line(({ min }) => min, true)}" fill="${color}" fill-opacity=".15"/>`,
          `<polyline points="${line(({ mean }) => mean)}" fill="none" stroke="${color}" stroke-width="2" stroke-dasharray="${DASHES[Math.floor(k / COLORS.length) % DASHES.length]}"/>`,
          `<line x1="${px(x(end.step))}" y1="${px(y(end.mean))}" x2="${right + 8}" y2="${px(ends[k] as number)}" stroke="${color}" stroke-opacity=".5"/>`,
          text(right + 11, (ends[k] as number) + 4, variant, 'start'),
        ];
      }),
    ],
  });
}

/** Figures under each other in one file that stands alone; ids and sizes are those of the first. */
export function stacked(figures: readonly string[]): string {
  let top = 0;
  const placed = figures.map((figure) => {
    const height = Number(/ height="(\d+)"/.exec(figure)?.[1]);
    const here = figure.replace('<svg ', `<svg y="${top}" `);
    top += height + 12;
    return here;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}" color="#111" style="background:#fff"><style>${STYLE}</style>\n${placed.join('\n')}\n</svg>\n`;
}

/** The style that figures in a page need. */
export const FIGURE_STYLE = STYLE.replaceAll('text{', 'svg text{').replace('.hollow{fill:Canvas;fill:#fff}', '.hollow{fill:Canvas}'); // prettier-ignore

interface IntervalRows {
  readonly title: string;
  readonly description: string;
  /** What the lines are, written under the axis. */
  readonly key: string;
  readonly extent: readonly [number, number];
  readonly zero: boolean;
  readonly rows: readonly {
    readonly name: string;
    readonly text: string;
    readonly at: number;
    readonly thick: readonly [number, number] | null;
    readonly thin: readonly [number, number] | null;
    readonly isFilled: boolean;
  }[];
}

function intervalRows({ title, description, key, extent, zero, rows }: IntervalRows): Drawing {
  const longest = (key: 'name' | 'text'): number => Math.max(...rows.map((row) => row[key].length));
  const left = Math.min(260, longest('name') * CHARACTER + 16);
  const right = WIDTH - longest('text') * CHARACTER - 16;
  const [top, bottom] = [38, 38 + rows.length * ROW];
  const x = scale(extent, [left + 8, right - 8]);
  const color = COLORS[0] as string;
  return {
    title,
    description,
    height: bottom + 54,
    body: [
      `<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`,
      ...ticks(extent).map((value) => `<line class="axis" x1="${px(x(value))}" x2="${px(x(value))}" y1="${bottom}" y2="${bottom + 5}"/>${text(x(value), bottom + 20, tickText(value, extent), 'middle')}`), // prettier-ignore
      text(0, bottom + 44, key, 'start'),
      ...(zero ? [`<line class="zero" x1="${px(x(0))}" x2="${px(x(0))}" y1="${top - 6}" y2="${bottom}"/>`] : []),
      ...rows.flatMap((row, k) => {
        const y = top + k * ROW + ROW / 2;
        const line = (kind: string, ends: readonly [number, number] | null, at: number, stroke: string): string[] =>
          ends === null || !ends.every(Number.isFinite) ? [] : [`<line class="${kind}" x1="${px(x(ends[0]))}" x2="${px(x(ends[1]))}" y1="${at}" y2="${at}"${stroke}/>`]; // prettier-ignore
        return [
          text(left - 8, y + 4, shortened(row.name, left), 'end'),
          ...line('seeds', row.thick, y, ` stroke="${color}"`),
          ...line('users', row.thin, y + 7, ''),
          `<circle cx="${px(x(row.at))}" cy="${y}" r="4.5" stroke="${color}" stroke-width="2" ${row.isFilled ? `fill="${color}"` : 'class="hollow"'}/>`,
          text(right + 8, y + 4, row.text, 'start'),
        ];
      }),
    ],
  };
}

function drawn({ title, description, height, body }: Drawing): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${Math.ceil(height)}" viewBox="0 0 ${WIDTH} ${Math.ceil(height)}" role="img" aria-label="${xmlEscape(`${title}. ${description}`)}">`,
    `<text class="head" x="0" y="16">${xmlEscape(title)}</text>`,
    ...body,
    '</svg>',
  ].join('\n');
}

function shortened(name: string, width: number): string {
  const most = Math.floor((width - 16) / CHARACTER);
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
}

/** Labels that would lie on each other are moved down, and up again where they would leave the chart. */
function apart(places: readonly number[], lowest: number): readonly number[] {
  const order = [...places.keys()].sort((a, b) => (places[a] as number) - (places[b] as number));
  const moved = order.map((k) => places[k] as number);
  for (let k = 1; k < moved.length; k++)
    moved[k] = Math.max(moved[k] as number, (moved[k - 1] as number) + LABEL_HEIGHT);
  for (let k = moved.length - 1, most = lowest; k >= 0; k--, most -= LABEL_HEIGHT) moved[k] = Math.min(moved[k] as number, most); // prettier-ignore
  return places.map((_, k) => moved[order.indexOf(k)] as number);
}

function extentOf(values: readonly number[]): readonly [number, number] {
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const margin = high > low ? (high - low) * 0.04 : Math.max(Math.abs(high) * 0.1, 1e-6);
  return [low - margin, high + margin];
}

function scale([low, high]: readonly [number, number], [from, to]: readonly [number, number]) {
  return (value: number): number => from + ((value - low) / (high - low)) * (to - from);
}

/** Round numbers within, about five of them: multiples of 1, 2 or 5 times a power of ten. */
function ticks(extent: readonly [number, number]): readonly number[] {
  const step = tickStep(extent);
  const first = Math.ceil(extent[0] / step);
  const count = Math.floor(extent[1] / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, k) => (first + k) * step);
}

function tickStep([low, high]: readonly [number, number]): number {
  const raw = (high - low) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
}

function tickText(value: number, extent: readonly [number, number]): string {
  const digits = Math.max(0, -Math.floor(Math.log10(tickStep(extent)) + 1e-9));
  return value
    .toFixed(Math.min(digits, 10))
    .replace(/^-(?=.*[1-9])/, '−')
    .replace(/^-/, '');
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${xmlEscape(content)}</text>`;
}

function px(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** A text in XML or HTML, also between quotes; control characters, which XML cannot hold, become U+FFFD. */
export function xmlEscape(content: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return content
    .replace(/[&<>"']/g, (character) => entities[character] as string)
    .replace(/(?![\t\n\r])\p{Cc}/gu, '\ufffd');
}
