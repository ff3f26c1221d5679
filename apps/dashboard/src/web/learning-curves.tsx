import type { ReactNode } from 'react';
import type { Curves } from '../contract/payloads.js';
import { ChartFrame } from './chart-frame.js';
import { type Curve, CurveChart, curvePlot, curveTable } from './curve-chart.js';
import { CurveControls } from './curve-controls.js';
import { CurveNotes } from './curve-notes.js';
import { type CurveSearch, short, viewOf, X_LABELS } from './curve-view.js';
import { paletteOfPage, plotSvg } from './plot-svg.js';

/** A chart of curves with everything that changes how it is looked at, and what it does not show. */
export function LearningCurves({
  id,
  answer,
  curves,
  search,
  onSearch,
  hasBand,
}: {
  /** Of the chart on its page. */
  readonly id: string;
  readonly answer: Curves;
  /** Those of its lines that are drawn. */
  readonly curves: readonly Curve[];
  readonly search: CurveSearch;
  readonly onSearch: (change: CurveSearch) => void;
  readonly hasBand: boolean;
}): ReactNode {
  const view = viewOf(search);
  const { series, lines, notOffered } = answer;
  const drawn = lines.filter(({ name }) => curves.some((curve) => curve.name === name));
  const isLog = view.log.includes('x');
  const placed = drawn.filter(({ isOffAxis }) => !isOffAxis);
  const ends = placed.flatMap(({ last, points }) => [...(last ? [last.x] : []), ...points.slice(-1).map(({ x }) => x)]);
  const starts = drawn.flatMap(({ points }) => points.slice(0, 1).map(({ x }) => x));
  const whole = { from: isLog ? Math.min(...starts, 1) : 0, to: Math.max(...ends, Number.MIN_VALUE) };
  return (
    <>
      <CurveControls search={search} onSearch={onSearch} notOffered={notOffered} whole={whole} hasBand={hasBand} />
      <ChartFrame
        id={id}
        title={`${series} by ${X_LABELS[view.x]}`}
        table={() => curveTable(curves, view)}
        svg={() => plotSvg(curvePlot(series, curves, view), paletteOfPage())}
      >
        <CurveChart
          series={series}
          curves={curves}
          view={view}
          onWindow={({ from, to }) => onSearch({ from: short(from), to: short(to) })}
        />
      </ChartFrame>
      <CurveNotes lines={drawn} search={search} />
    </>
  );
}
