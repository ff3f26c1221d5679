import { lineStyle } from './colors.js';
import { scaleOf, tickText } from './scale.js';

/** Lines over one x axis, as a picture shows them. */
export interface Plot {
  readonly title: string;
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  readonly lines: readonly PlotLine[];
}

export interface PlotAxis {
  readonly label: string;
  readonly isLog?: boolean;
}

/** `color` is the number of its colour and kind of line, from 0. `low` and `high` are the edges of a band around the line. */
export interface PlotLine {
  readonly name: string;
  readonly color: number;
  /** Thin and pale, without a name in the legend: the raw line behind a smoothed one. */
  readonly isFaint?: boolean;
  readonly points: readonly { readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }[];
}

/** Colours of a picture. `color` gives the value of a custom property of the style sheet. */
export interface Palette {
  readonly color: (property: string) => string;
}

const WIDTH = 800;
const HEIGHT = 450;
const MARGIN = { top: 44, right: 20, bottom: 52, left: 76 } as const;
const LEGEND_LINE = 20;

/**
 * The plot as an SVG file that stands alone. The charts on the pages are drawn on a canvas, which stays fast with many points but has no
 * shapes to save; this draws the same numbers once more for a paper or a slide.
 */
export function plotSvg({ title, x, y, lines }: Plot, { color }: Palette): string {
  const named = lines.filter(({ isFaint }) => isFaint !== true);
  const bottom = MARGIN.bottom + LEGEND_LINE * named.length;
  const height = HEIGHT + LEGEND_LINE * named.length;
  const [plotWidth, plotHeight] = [WIDTH - MARGIN.left - MARGIN.right, height - MARGIN.top - bottom];
  const points = lines.flatMap((line) => line.points);
  const across = scaleOf(points.map((point) => point.x), { isLog: x.isLog === true, numTicks: 8 }); // prettier-ignore
  const up = scaleOf(points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y]), { isLog: y.isLog === true }); // prettier-ignore
  const left = (value: number): number => round(MARGIN.left + across.at(value) * plotWidth);
  const top = (value: number): number => round(MARGIN.top + (1 - up.at(value)) * plotHeight);
  const [text, grid] = [color('--muted'), color('--line')];
  const floor = MARGIN.top + plotHeight;

  const body = [
    `<rect width="${WIDTH}" height="${height}" fill="${color('--panel')}"/>`,
    `<text x="${MARGIN.left}" y="26" font-size="16" fill="${color('--text')}">${xml(title)}</text>`,
    ...up.ticks.flatMap((tick) => [
      `<path d="M${MARGIN.left} ${top(tick)}h${plotWidth}" stroke="${grid}"/>`,
      `<text x="${MARGIN.left - 8}" y="${top(tick) + 4}" text-anchor="end" fill="${text}">${tickText(tick)}</text>`,
    ]),
    ...across.ticks.flatMap((tick) => [
      `<path d="M${left(tick)} ${floor}v5" stroke="${text}"/>`,
      `<text x="${left(tick)}" y="${floor + 20}" text-anchor="middle" fill="${text}">${tickText(tick)}</text>`,
    ]),
    `<path d="M${MARGIN.left} ${floor}h${plotWidth}" stroke="${text}"/>`,
    `<text x="${MARGIN.left + plotWidth / 2}" y="${floor + 42}" text-anchor="middle" fill="${text}">${xml(axisText(x))}</text>`,
    `<text transform="translate(18 ${MARGIN.top + plotHeight / 2}) rotate(-90)" text-anchor="middle" fill="${text}">${xml(axisText(y))}</text>`,
  ];
  for (const { color: number, isFaint = false, points: own } of lines) {
    const { property, dash } = lineStyle(number);
    const drawn = own.filter((point) => isDrawn(point.x, across.isLog) && isDrawn(point.y, up.isLog));
    const band = drawn.filter(({ low, high }) => isDrawn(low ?? NaN, up.isLog) && isDrawn(high ?? NaN, up.isLog));
    if (band.length > 1) {
      const upper = band.map((point) => `${left(point.x)} ${top(point.high as number)}`);
      const lower = band.map((point) => `${left(point.x)} ${top(point.low as number)}`).reverse();
      body.push(`<path d="M${[...upper, ...lower].join('L')}z" fill="${color(property)}" fill-opacity="0.17"/>`);
    }
    if (drawn.length === 0) continue;
    const dashes = dash.length === 0 ? '' : ` stroke-dasharray="${dash.join(' ')}"`;
    const path = drawn.map((point) => `${left(point.x)} ${top(point.y)}`).join('L');
    body.push(
      `<path d="M${path}" fill="none" stroke="${color(property)}" stroke-width="${isFaint ? 1 : 1.75}"${isFaint ? ' stroke-opacity="0.3"' : ''}${dashes}/>`,
    );
  }
  for (const [k, { name, color: number }] of named.entries()) {
    const { property, marker, dash } = lineStyle(number);
    const at = floor + 62 + k * LEGEND_LINE;
    body.push(
      `<g transform="translate(${MARGIN.left + 14} ${at})" stroke="${color(property)}" fill="${color(property)}" stroke-width="1.75"><path d="M-14 0H14" stroke-dasharray="${dash.join(' ')}"/><path d="${marker.path}"/></g>`,
      `<text x="${MARGIN.left + 38}" y="${at + 4}" fill="${color('--text')}">${xml(name)}</text>`,
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" font-size="12">\n${body.join('\n')}\n</svg>\n`;
}

const axisText = ({ label, isLog = false }: PlotAxis): string => (isLog ? `${label} (log)` : label);
const isDrawn = (value: number, isLog: boolean): boolean => Number.isFinite(value) && (!isLog || value > 0);
const round = (pixels: number): number => Math.round(pixels * 100) / 100;
const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Colours as the page has them now, in its light or dark scheme. */
export function paletteOfPage(): Palette {
  const style = getComputedStyle(document.documentElement);
  return { color: (property) => style.getPropertyValue(property).trim() };
}
