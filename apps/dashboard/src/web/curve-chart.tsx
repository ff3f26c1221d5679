import {
  Chart,
  type ChartDataset,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
} from 'chart.js';
import { color as parseColor } from 'chart.js/helpers';
import { useEffect, useRef } from 'react';
import type { BandPoint } from '../contract/payloads.js';
import { hasMarker, lineStyle } from './colors.js';
import type { ChartTable } from './csv.js';
import { count, reading } from './format.js';
import type { Plot } from './plot-svg.js';

Chart.register(Filler, LinearScale, LineController, LineElement, PointElement, Tooltip);

/** A named line with its band; `color` is the number of its colour and kind of line, from 0. */
export interface Curve {
  readonly name: string;
  readonly color: number;
  readonly points: readonly BandPoint[];
}

/** A curve of so few points shows where they are; of a longer one only those with a marker are seen. */
const POINTS_WITH_DOTS = 40;

type Line = ChartDataset<'line', { x: number; y: number }[]> & {
  readonly band?: true;
  readonly points?: readonly BandPoint[];
};

/** Upper and lower edge of the band, filled between, under the line of the means. */
function datasets(curves: readonly Curve[], style: CSSStyleDeclaration): Line[] {
  return curves.flatMap(({ name, color, points }): Line[] => {
    const { property, marker, dash } = lineStyle(color);
    const dot = points.length <= POINTS_WITH_DOTS ? 1.5 : 0;
    const stroke = style.getPropertyValue(property).trim();
    const edge = { label: name, band: true, borderWidth: 0, pointRadius: 0, pointHitRadius: 0 } as const;
    const line: Line = {
      label: name,
      data: points.map(({ step, mean }) => ({ x: step, y: mean })),
      points,
      borderColor: stroke,
      backgroundColor: stroke,
      borderWidth: 1.75,
      borderDash: [...dash],
      pointStyle: marker.canvas,
      pointRotation: marker.rotation,
      pointRadius: points.map((_, index) => (hasMarker({ series: color, index, length: points.length }) ? 4 : dot)),
      pointBorderWidth: 1.75,
      pointHoverRadius: 5,
      // A point on the edge is seen whole.
      clip: 6,
    };
    if (points.every(({ n }) => n < 2)) return [line];
    return [
      {
        ...edge,
        data: points.map(({ step, max }) => ({ x: step, y: max })),
        fill: '+1',
        backgroundColor: parseColor(stroke).alpha(0.17).rgbString(),
      },
      { ...edge, data: points.map(({ step, min }) => ({ x: step, y: min })), fill: false },
      line,
    ];
  });
}

/** The numbers of the curves, a row per point. */
export function curveTable(curves: readonly Curve[]): ChartTable {
  return {
    columns: ['name', 'step', 'mean', 'least', 'greatest', 'n'],
    rows: curves.flatMap(({ name, points }) =>
      points.map(({ step, mean, min, max, n }) => [name, step, mean, min, max, n]),
    ),
  };
}

/** The curves as a picture to save. */
export function curvePlot(series: string, curves: readonly Curve[]): Plot {
  return {
    title: `${series} by step`,
    x: { label: 'step' },
    y: { label: series },
    lines: curves.map(({ name, color, points }) => ({
      name,
      color,
      points: points.map(({ step, mean, min, max, n }) => ({
        x: step,
        y: mean,
        ...(n > 1 && { low: min, high: max }),
      })),
    })),
  };
}

/** What the chart shows, in words: the last value of every line and its band. */
function describeCurves(series: string, curves: readonly Curve[]): string {
  const lines = curves.flatMap(({ name, points }) => {
    const last = points.at(-1);
    if (last === undefined) return [];
    const range = last.n < 2 ? '' : ` (${reading(last.min)} to ${reading(last.max)} over ${last.n} seeds)`;
    return [`${name} ends at ${reading(last.mean)}${range} at step ${count(last.step)}`];
  });
  return lines.length === 0 ? `${series}: no points yet` : `${series} by step: ${lines.join('; ')}`;
}

/** Lines by step with a band over the seeds; its accessible name says where each line ends. */
export function CurveChart({ series, curves }: { readonly series: string; readonly curves: readonly Curve[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<Chart<'line', { x: number; y: number }[]>>(null);

  useEffect(() => {
    if (canvas.current === null) return;
    const drawn = new Chart<'line', { x: number; y: number }[]>(canvas.current, {
      type: 'line',
      data: { datasets: [] },
      options: {
        animation: false,
        maintainAspectRatio: false,
        parsing: false,
        normalized: true,
        locale: 'en-US',
        interaction: { mode: 'nearest', axis: 'x', intersect: false },
        scales: {
          x: {
            type: 'linear',
            min: 0,
            title: { display: true, text: 'step' },
            ticks: { maxTicksLimit: 8, precision: 0 },
            grid: { display: false },
          },
          y: { type: 'linear', title: { display: true }, ticks: { maxTicksLimit: 7 } },
        },
        plugins: {
          tooltip: {
            filter: ({ dataset }) => !('band' in dataset),
            callbacks: {
              title: ([item]) => (item ? `step ${count(Number(item.parsed.x))}` : ''),
              label: ({ dataset, dataIndex, parsed }) => {
                const point = (dataset as Line).points?.[dataIndex];
                const range =
                  point && point.n > 1 ? `  [${reading(point.min)}, ${reading(point.max)}] n ${point.n}` : '';
                return ` ${dataset.label ?? ''}  ${reading(Number(parsed.y))}${range}`;
              },
            },
          },
        },
      },
    });
    chart.current = drawn;
    return () => {
      drawn.destroy();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    const draw = () => {
      const drawn = chart.current;
      if (drawn === null) return;
      const style = getComputedStyle(document.documentElement);
      const [text, grid] = [style.getPropertyValue('--muted').trim(), style.getPropertyValue('--line').trim()];
      drawn.data.datasets = datasets(curves, style);
      const { x, y } = drawn.options.scales ?? {};
      for (const scale of [x, y]) {
        if (!scale) continue;
        scale.ticks = { ...scale.ticks, color: text };
        scale.grid = { ...scale.grid, color: grid };
        scale.border = { ...scale.border, color: grid };
        if ('title' in scale) scale.title = { ...scale.title, color: text, ...(scale === y && { text: series }) };
      }
      drawn.update('none');
    };
    draw();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    return () => scheme.removeEventListener('change', draw);
  }, [curves, series]);

  return (
    <div className="chart">
      <canvas ref={canvas} role="img" aria-label={describeCurves(series, curves)} />
    </div>
  );
}
