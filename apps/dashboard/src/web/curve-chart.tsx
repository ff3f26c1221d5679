import {
  Chart,
  type ChartDataset,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
} from 'chart.js';
import { color as parseColor } from 'chart.js/helpers';
import { type PointerEvent, useEffect, useRef, useState } from 'react';
import type { BandPoint, CurveLine, CurveView } from '../contract/payloads.js';
import { hasMarker, lineStyle } from './colors.js';
import type { ChartTable } from './csv.js';
import { type Window, X_LABELS } from './curve-view.js';
import { count, reading } from './format.js';
import type { Plot } from './plot-svg.js';
import { tickText } from './scale.js';

Chart.register(Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Tooltip);

/** A named line with its band; `color` is the number of its colour and kind of line, from 0. */
export interface Curve extends Pick<CurveLine, 'name' | 'points' | 'smooth'> {
  readonly color: number;
}

/** A curve of so few points shows where they are; of a longer one only those with a marker are seen. */
const POINTS_WITH_DOTS = 40;
/** A shorter drag is a click. */
const MIN_DRAG_PIXELS = 6;

type Line = ChartDataset<'line', { x: number; y: number }[]> & {
  readonly band?: true;
  readonly points?: readonly Pick<BandPoint, 'step'>[] | readonly BandPoint[];
};

/** Upper and lower edge of the band, filled between, under the line of the means; under a smoothed line the one that was measured. */
function datasets(curves: readonly Curve[], style: CSSStyleDeclaration): Line[] {
  return curves.flatMap(({ name, color, points, smooth }): Line[] => {
    const { property, marker, dash } = lineStyle(color);
    const shown = smooth ?? points;
    const dot = shown.length <= POINTS_WITH_DOTS ? 1.5 : 0;
    const stroke = style.getPropertyValue(property).trim();
    const edge = { label: name, band: true, borderWidth: 0, pointRadius: 0, pointHitRadius: 0 } as const;
    const line: Line = {
      label: name,
      data: shown.map(({ x, mean }) => ({ x, y: mean })),
      points: shown,
      borderColor: stroke,
      backgroundColor: stroke,
      borderWidth: 1.75,
      borderDash: [...dash],
      pointStyle: marker.canvas,
      pointRotation: marker.rotation,
      pointRadius: shown.map((_, index) => (hasMarker({ series: color, index, length: shown.length }) ? 4 : dot)),
      pointBorderWidth: 1.75,
      pointHoverRadius: 5,
      // A point on the edge is seen whole.
      clip: 6,
    };
    const measured: Line[] =
      smooth === null
        ? []
        : [{ ...edge, data: points.map(({ x, mean }) => ({ x, y: mean })), borderWidth: 1, borderColor: parseColor(stroke).alpha(0.35).rgbString(), fill: false }]; // prettier-ignore
    if (points.every(({ n }) => n < 2)) return [...measured, line];
    return [
      {
        ...edge,
        data: points.map(({ x, high }) => ({ x, y: high })),
        fill: '+1',
        backgroundColor: parseColor(stroke).alpha(0.17).rgbString(),
      },
      { ...edge, data: points.map(({ x, low }) => ({ x, y: low })), fill: false },
      ...measured,
      line,
    ];
  });
}

/** The numbers of the curves, a row per point. */
export function curveTable(curves: readonly Curve[], view: CurveView): ChartTable {
  const x = view.x === 'step' ? [] : [X_LABELS[view.x]];
  const smooth = view.smoothing === 0 ? [] : ['smoothed'];
  return {
    columns: ['name', 'step', ...x, 'mean', 'low', 'high', 'n', ...smooth],
    rows: curves.flatMap(({ name, points, smooth: averages }) => {
      const byStep = new Map(averages?.map((at) => [at.step, at.mean]));
      return points.map((at) => [
        name,
        at.step,
        ...x.map(() => at.x),
        at.mean,
        at.low,
        at.high,
        at.n,
        ...smooth.map(() => byStep.get(at.step) ?? null),
      ]);
    }),
  };
}

/** The curves as a picture to save. */
export function curvePlot(series: string, curves: readonly Curve[], view: CurveView): Plot {
  return {
    title: `${series} by ${X_LABELS[view.x]}`,
    x: { label: X_LABELS[view.x], isLog: view.log.includes('x') },
    y: { label: series, isLog: view.log.includes('y') },
    lines: curves.flatMap(({ name, color, points, smooth }) => {
      const measured = points.map(({ x, mean, low, high, n }) => ({ x, y: mean, ...(n > 1 && { low, high }) }));
      if (smooth === null) return [{ name, color, points: measured }];
      return [
        { name, color, isFaint: true, points: measured },
        { name, color, points: smooth.map(({ x, mean }) => ({ x, y: mean })) },
      ];
    }),
  };
}

/** What the chart shows, in words: the last value of every line and its band. */
function describeCurves(series: string, curves: readonly Curve[], view: CurveView): string {
  const lines = curves.flatMap(({ name, points }) => {
    const last = points.at(-1);
    if (last === undefined) return [];
    const range = last.n < 2 ? '' : ` (${reading(last.low)} to ${reading(last.high)} over ${last.n} seeds)`;
    return [`${name} ends at ${reading(last.mean)}${range} at step ${count(last.step)}`];
  });
  const title = `${series} by ${X_LABELS[view.x]}`;
  return lines.length === 0 ? `${series}: no points here` : `${title}: ${lines.join('; ')}`;
}

/** Lines with a band over the seeds; its accessible name says where each line ends. A drag across it chooses a window. */
export function CurveChart({
  series,
  curves,
  view,
  onWindow,
}: {
  readonly series: string;
  readonly curves: readonly Curve[];
  readonly view: CurveView;
  readonly onWindow: (window: Window) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<Chart<'line', { x: number; y: number }[]>>(null);
  const [drag, setDrag] = useState<Window | null>(null);

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
        plugins: {
          tooltip: {
            filter: ({ dataset }) => !('band' in dataset),
            callbacks: {
              title: ([item]) => {
                const point = item && (item.dataset as Line).points?.[item.dataIndex];
                return point ? `step ${count(point.step)}` : '';
              },
              label: ({ dataset, dataIndex, parsed }) => {
                const point = (dataset as Line).points?.[dataIndex];
                const range =
                  point && 'n' in point && point.n > 1
                    ? `  [${reading(point.low)}, ${reading(point.high)}] n ${point.n}`
                    : '';
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

  const { x, log, from, to } = view;
  const [isLogX, isLogY] = [log.includes('x'), log.includes('y')];
  useEffect(() => {
    const draw = () => {
      const drawn = chart.current;
      if (drawn === null) return;
      const style = getComputedStyle(document.documentElement);
      const [text, grid] = [style.getPropertyValue('--muted').trim(), style.getPropertyValue('--line').trim()];
      drawn.data.datasets = datasets(curves, style);
      const left = from ?? (isLogX ? null : 0);
      drawn.options.scales = {
        x: {
          type: isLogX ? 'logarithmic' : 'linear',
          ...(left !== null && { min: left }),
          ...(to !== null && { max: to }),
          title: { display: true, text: X_LABELS[x], color: text },
          ticks: { maxTicksLimit: 8, color: text, callback: (value) => tickText(Number(value)) },
          grid: { display: false },
          border: { color: grid },
        },
        y: {
          type: isLogY ? 'logarithmic' : 'linear',
          title: { display: true, text: series, color: text },
          ticks: { maxTicksLimit: 7, color: text, ...(isLogY && { callback: (value) => tickText(Number(value)) }) },
          grid: { color: grid },
          border: { color: grid },
        },
      };
      drawn.update('none');
    };
    draw();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    return () => scheme.removeEventListener('change', draw);
  }, [curves, series, x, from, to, isLogX, isLogY]);

  const pixelOf = (event: PointerEvent<HTMLElement>): number => {
    const area = chart.current?.chartArea;
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
    return area ? Math.min(Math.max(at, area.left), area.right) : at;
  };
  const choose = () => {
    const scale = chart.current?.scales['x'];
    setDrag(null);
    if (drag === null || scale === undefined) return;
    const [left, right] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    if (right - left < MIN_DRAG_PIXELS) return;
    const window = { from: scale.getValueForPixel(left), to: scale.getValueForPixel(right) };
    if (window.from !== undefined && window.to !== undefined) onWindow({ from: window.from, to: window.to });
  };
  return (
    <div
      className="chart zoomable"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: pixelOf(event), to: pixelOf(event) });
      }}
      onPointerMove={(event) => drag !== null && setDrag({ from: drag.from, to: pixelOf(event) })}
      onPointerUp={choose}
      onPointerCancel={() => setDrag(null)}
    >
      <canvas ref={canvas} role="img" aria-label={describeCurves(series, curves, view)} />
      {drag !== null && (
        <div
          className="drag"
          aria-hidden="true"
          style={{ left: Math.min(drag.from, drag.to), width: Math.abs(drag.to - drag.from) }}
        />
      )}
    </div>
  );
}
