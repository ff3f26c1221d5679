/** Curves of a study as SVG: a panel per measure, a line per setting, over one number of the configs on a logarithmic scale. */
import { slicedMeans } from './slices.mjs';

/**
 * What `figure.json` in the folder of a study asks for. Keys lead into the configs of its trials.
 *
 * @typedef {object} FigureFile
 * @property {string} title
 * @property {string} file what is written
 * @property {{ key: string, label: string, ticks: number[] }} x
 * @property {{ name: string, where: Record<string, unknown> }[]} lines the trials of each
 * @property {{ title: string, metric: string, slice?: string }[]} panels
 *
 * @typedef {{ variant: string, seed: number, trial: string, metrics: Record<string, number | null> }} Row
 */

/**
 * @param {FigureFile} figure
 * @param {{ folder: string, rows: readonly Row[], trials: readonly { variant: string, config: unknown }[] }} study
 * @returns {string} SVG
 */
export function figureOf({ title, x, lines, panels }, { folder, rows, trials }) {
  const valuesOf = (/** @type {FigureFile['panels'][number]} */ { metric, slice }) => {
    if (slice === undefined)
      return (/** @type {string} */ variant) =>
        rows.filter((row) => row.variant === variant).map(({ metrics }) => metrics[metric] ?? NaN);
    const { names, means } = slicedMeans(folder, rows, metric);
    if (!names.includes(slice)) throw new Error(`there is no slice ${slice}; there are ${names.join(', ')}`);
    return (/** @type {string} */ variant) => means.get(variant)?.[names.indexOf(slice)] ?? [];
  };
  return curvesFigure({
    title,
    xLabel: x.label,
    ticks: x.ticks,
    panels: panels.map((panel) => {
      const values = valuesOf(panel);
      const linesOf = lines.map(({ name, where }) => {
        const own = trials.filter(({ config }) => Object.entries(where).every(([key, value]) => at(config, key) === value)); // prettier-ignore
        const points = own.map(({ variant, config }) => ({ x: Number(at(config, x.key)), values: values(variant) }));
        return { name, points: points.filter(({ values }) => values.length > 0).sort((a, b) => a.x - b.x) };
      });
      return { title: panel.title, lines: linesOf };
    }),
  });
}

/** @param {unknown} config @param {string} key `a.b` */
function at(config, key) {
  return key.split('.').reduce((part, name) => /** @type {any} */ (part)?.[name], config);
}

/**
 * @typedef {{ x: number, values: readonly number[] }} Point `values` are those of the seeds
 * @typedef {{ title: string, lines: readonly { name: string, points: readonly Point[] }[] }} Panel
 */

/** Okabe and Ito's colours; lines also differ in their dashes, and their names stand at their ends. */
const STYLES = [
  { color: '#0072b2', dash: '' },
  { color: '#56b4e9', dash: '6 3' },
  { color: '#d55e00', dash: '' },
  { color: '#e69f00', dash: '6 3' },
];
const PANEL = { width: 300, height: 220, left: 44, right: 10, top: 26, bottom: 40 };

/**
 * @param {{ title: string, xLabel: string, ticks: readonly number[], panels: readonly Panel[] }} figure `ticks` of the x axis
 * @returns {string} a document that stands on its own
 */
function curvesFigure({ title, xLabel, ticks, panels }) {
  const names = panels[0]?.lines.map(({ name }) => name) ?? [];
  const [width, height] = [panels.length * PANEL.width, PANEL.height + 26];
  const legend = names.map((name, at) => {
    const x = 44 + at * 190;
    return `<path d="M${x} ${PANEL.height + 8}h28" ${strokeOf(at)}/><text x="${x + 34}" y="${PANEL.height + 12}">${escaped(name)}</text>`;
  });
  const body = panels.map((panel, at) => `<g transform="translate(${at * PANEL.width} 0)">${panelOf(panel, xLabel, ticks)}</g>`); // prettier-ignore
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#333}.axis{stroke:#999}.grid{stroke:#ddd}@media(prefers-color-scheme:dark){text{fill:#ccc}.grid{stroke:#444}}</style>',
    `<title>${escaped(title)}</title>`,
    ...body,
    ...legend,
    '</svg>\n',
  ].join('\n');
}

/** @param {Panel} panel @param {string} xLabel @param {readonly number[]} ticks */
function panelOf({ title, lines }, xLabel, ticks) {
  const { width, height, left, right, top, bottom } = PANEL;
  const most = Math.max(...lines.flatMap(({ points }) => points.flatMap(({ values }) => values)));
  const step = niceStep(most / 4);
  const rows = Array.from({ length: Math.ceil(most / step) + 1 }, (_, k) => k * step);
  const [low, high] = [Math.log(Math.min(...ticks)), Math.log(Math.max(...ticks))];
  const x = (/** @type {number} */ value) => left + ((Math.log(value) - low) / (high - low)) * (width - left - right);
  const y = (/** @type {number} */ value) => height - bottom - (value / (rows.at(-1) ?? 1)) * (height - top - bottom);
  const at = (/** @type {number} */ value) => value.toFixed(1);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return [
    `<text x="${left}" y="16" font-weight="600">${escaped(title)}</text>`,
    ...rows.map((value) => `<path class="grid" d="M${left} ${at(y(value))}H${width - right}"/><text x="${left - 6}" y="${at(y(value) + 4)}" text-anchor="end">${value.toFixed(digits)}</text>`), // prettier-ignore
    ...ticks.map((value) => `<path class="axis" d="M${at(x(value))} ${height - bottom}v4"/><text x="${at(x(value))}" y="${height - bottom + 17}" text-anchor="middle">${value}</text>`), // prettier-ignore
    `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${escaped(xLabel)}</text>`,
    ...lines.map(({ points }, line) => {
      const means = points.map(({ x: value, values }) => [
        x(value),
        y(values.reduce((sum, each) => sum + each, 0) / values.length),
      ]);
      const bars = points.map(({ x: value, values }) => `M${at(x(value))} ${at(y(Math.min(...values)))}V${at(y(Math.max(...values)))}`); // prettier-ignore
      const path = means.map(([px, py], k) => `${k === 0 ? 'M' : 'L'}${at(px ?? 0)} ${at(py ?? 0)}`).join('');
      return `<path d="${path}" fill="none" ${strokeOf(line)}/><path d="${bars.join('')}" stroke="${STYLES[line % STYLES.length]?.color}"/>`;
    }),
  ].join('\n');
}

/** The first of 1, 2 and 5 times a power of ten that is not smaller. @param {number} size */
function niceStep(size) {
  const power = 10 ** Math.floor(Math.log10(size));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= size) ?? 10 * power;
}

/** @param {number} line */
function strokeOf(line) {
  const { color, dash } = STYLES[line % STYLES.length] ?? { color: '#000', dash: '' };
  return `stroke="${color}" stroke-width="2"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}`;
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
