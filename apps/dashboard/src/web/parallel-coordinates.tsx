import { useMemo, useRef, useState } from 'react';
import type { AnalysisTrial, ExperimentAnalysis } from '../contract/payloads.js';
import { ChartFrame } from './chart-frame.js';
import { count, NONE, reading } from './format.js';
import { type Scale, scaleOf, tickText } from './scale.js';
import { ScrollBox } from './parts.js';
import { svgFile } from './svg-file.js';

const HEIGHT = 360;
const TOP = 40;
const BOTTOM = 20;
/** Between two axes; more where they are few. */
const SPACE = 150;
const SIDE = 70;
const LEAST_WIDTH = 580;
/** So many lines are drawn paler. */
const MANY = 300;
/** Shades from the worst to the best trial. */
const NUM_SHADES = 5;

/** A vertical axis: a parameter, or the objective as the last. */
interface Axis {
  readonly name: string;
  readonly isLog: boolean;
  /** Place from 0 (bottom) to 1; null where a trial has no value. */
  place(trial: AnalysisTrial): number | null;
  readonly ticks: readonly { readonly text: string; readonly at: number }[];
}

/** Part of an axis that a trial must cross, as places. */
interface Brush {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

const brushText = ({ name, low, high }: Brush): string => `${low.toFixed(3)}~${high.toFixed(3)}~${name}`;

/** Brushes of the address; what cannot be read is left out. */
function readBrushes(texts: readonly string[]): readonly Brush[] {
  return texts.flatMap((text) => {
    const [, low, high, name] = /^([01]\.\d{3})~([01]\.\d{3})~(.+)$/.exec(text) ?? [];
    return name === undefined ? [] : [{ name, low: Number(low), high: Number(high) }];
  });
}

/** A line per trial through an axis per parameter, coloured by the objective; a part of an axis can be asked for by pointer or keyboard. */
export function ParallelCoordinates({
  analysis,
  brushes: texts,
  onBrushes,
}: {
  readonly analysis: ExperimentAnalysis;
  readonly brushes: readonly string[];
  readonly onBrushes: (brushes: readonly string[]) => void;
}) {
  const { metric, parameters, trials } = analysis;
  const drawing = useRef<SVGSVGElement>(null);
  const [drag, setDrag] = useState<{ readonly axis: Axis; readonly from: number } | null>(null);
  const axes = useMemo(() => axesOf(analysis), [analysis]);
  const brushes = readBrushes(texts).filter(({ name }) => axes.some((axis) => axis.name === name));
  const told = useMemo(() => trials.filter(({ objective }) => objective !== null), [trials]);
  const last = axes.at(-1);
  const isIn = (trial: AnalysisTrial): boolean =>
    brushes.every(({ name, low, high }) => {
      const place = axes.find((axis) => axis.name === name)?.place(trial) ?? null;
      return place !== null && place >= low - 1e-9 && place <= high + 1e-9;
    });
  const inside = told.filter(isIn);
  const width = Math.max(LEAST_WIDTH, 2 * SIDE + SPACE * (axes.length - 1));
  const left = (k: number): number => SIDE + ((width - 2 * SIDE) * k) / (axes.length - 1);
  const top = (place: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - place);
  const placeAt = (clientY: number): number => {
    const box = drawing.current?.getBoundingClientRect();
    if (box === undefined) return 0;
    const y = ((clientY - box.top) / box.height) * HEIGHT;
    return Math.min(1, Math.max(0, 1 - (y - TOP) / (HEIGHT - TOP - BOTTOM)));
  };
  const setBrush = (name: string, range: readonly [number, number] | null) => {
    const others = brushes.filter((brush) => brush.name !== name);
    const isWhole = range === null || (range[0] <= 0 && range[1] >= 1);
    onBrushes([...others, ...(isWhole ? [] : [{ name, low: Math.min(...range), high: Math.max(...range) }])].map(brushText)); // prettier-ignore
  };
  /** The best lie on top. */
  const lines = told
    .map((trial) => {
      const worth = last?.place(trial) ?? 0;
      return { trial, worth: metric.goal === 'maximize' ? worth : 1 - worth, isIn: isIn(trial) };
    })
    .sort((a, b) => Number(a.isIn) - Number(b.isIn) || a.worth - b.worth);
  const words = `${count(told.length)} trials over ${parameters.map(({ name }) => name).join(', ')}; ${count(inside.length)} fit what is asked for`;

  return (
    <>
      <ChartFrame
        id="parallel"
        title={`Trials by ${metric.name}`}
        table={() => ({
          columns: [
            'variant',
            ...parameters.map(({ name }) => (name === 'variant' ? 'variant (set)' : name)),
            metric.name,
            'n',
            'run',
          ],
          rows: inside.map(({ variant, values, objective, n, runId }) => [variant, ...values, objective, n, runId]),
        })}
        svg={() => (drawing.current === null ? '' : svgFile(drawing.current))}
      >
        <ScrollBox label="Parallel coordinates">
          <svg
            ref={drawing}
            className={told.length > MANY ? 'drawing dense' : 'drawing'}
            style={{ maxWidth: 1.2 * width }}
            viewBox={`0 0 ${width} ${HEIGHT}`}
            role="img"
            aria-label={words}
          >
            {lines.map(({ trial, worth, isIn: isDrawn }, index) => (
              <path
                key={index}
                className={
                  isDrawn ? `trial shade-${Math.min(NUM_SHADES - 1, Math.floor(worth * NUM_SHADES))}` : 'trial out'
                }
                d={pathOf(trial, axes, { left, top })}
              />
            ))}
            {axes.map((axis, k) => {
              const brush = brushes.find(({ name }) => name === axis.name);
              return (
                <g key={axis.name} transform={`translate(${left(k)} 0)`}>
                  <path className="axis" d={`M0 ${top(1)}V${top(0)}`} />
                  <text className="label" y={16} textAnchor="middle">
                    {axis.name.length > 21 ? `…${axis.name.slice(-20)}` : axis.name}
                  </text>
                  {axis.isLog && (
                    <text className="tick" y={30} textAnchor="middle">
                      log
                    </text>
                  )}
                  {axis.ticks.map(({ text, at }) => (
                    <text key={text} className="tick halo" x={6} y={top(at) + 4}>
                      {text.length > 14 ? `${text.slice(0, 13)}…` : text}
                    </text>
                  ))}
                  {brush && (
                    <rect
                      className="brush"
                      x={-7}
                      width={14}
                      y={top(brush.high)}
                      height={Math.max(2, top(brush.low) - top(brush.high))}
                    />
                  )}
                  <rect
                    className="grip"
                    x={-14}
                    width={28}
                    y={top(1) - 6}
                    height={top(0) - top(1) + 12}
                    onPointerDown={(event) => {
                      event.currentTarget.setPointerCapture(event.pointerId);
                      setDrag({ axis, from: placeAt(event.clientY) });
                    }}
                    onPointerUp={(event) => {
                      if (drag === null) return;
                      const to = placeAt(event.clientY);
                      setBrush(axis.name, Math.abs(to - drag.from) < 0.01 ? null : [drag.from, to]);
                      setDrag(null);
                    }}
                  />
                </g>
              );
            })}
          </svg>
        </ScrollBox>
      </ChartFrame>
      <p className="muted note" role="status">
        {`${count(inside.length)} of ${count(told.length)} trials. From pale to strong: from the worst to the best. Draw along an axis to keep only the trials that cross there, or set its ends below.`}
      </p>
      <details open={brushes.length > 0}>
        <summary>Ends of the axes</summary>
        <div className="choices">
          {axes.map((axis) => {
            const { low, high } = brushes.find(({ name }) => name === axis.name) ?? { low: 0, high: 1 };
            return (
              <fieldset key={axis.name}>
                <legend>{axis.name}</legend>
                <Slider
                  label="From"
                  value={low}
                  text={valueAt(axis, analysis, low)}
                  onChange={(next) => setBrush(axis.name, [Math.min(next, high), high])}
                />
                <Slider
                  label="To"
                  value={high}
                  text={valueAt(axis, analysis, high)}
                  onChange={(next) => setBrush(axis.name, [low, Math.max(next, low)])}
                />
              </fieldset>
            );
          })}
        </div>
      </details>
    </>
  );
}

function Slider({
  label,
  value,
  text,
  onChange,
}: {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  readonly onChange: (value: number) => void;
}) {
  return (
    <label className="field">
      {label}
      <input
        type="range"
        min={0}
        max={1}
        step={0.01}
        value={value}
        aria-valuetext={text}
        onChange={({ target }) => onChange(Number(target.value))}
      />
      <output>{text}</output>
    </label>
  );
}

function pathOf(
  trial: AnalysisTrial,
  axes: readonly Axis[],
  { left, top }: { readonly left: (k: number) => number; readonly top: (place: number) => number },
): string {
  let path = '';
  let isOn = false;
  for (const [k, axis] of axes.entries()) {
    const place = axis.place(trial);
    if (place !== null) path += `${isOn ? 'L' : 'M'}${left(k)} ${top(place).toFixed(1)}`;
    isOn = place !== null;
  }
  return path;
}

function scalesOf({ parameters, trials }: ExperimentAnalysis): readonly (Scale | readonly string[])[] {
  return [
    ...parameters.map(({ kind }, k) => {
      const values = trials.flatMap((trial) => trial.values[k] ?? []);
      if (kind === 'category') return [...new Set(values.map(String))].sort();
      return scaleOf(
        values.filter((value) => typeof value === 'number'),
        { isLog: kind === 'log' },
      );
    }),
    scaleOf(trials.flatMap(({ objective }) => objective ?? [])),
  ];
}

function axesOf(analysis: ExperimentAnalysis): readonly Axis[] {
  const { parameters, metric } = analysis;
  return scalesOf(analysis).map((scale, k): Axis => {
    const valueOf = (trial: AnalysisTrial) => (k < parameters.length ? trial.values[k] : trial.objective) ?? null;
    const name = parameters[k]?.name ?? metric.name;
    if (isCategories(scale)) {
      const at = new Map(scale.map((category, index) => [category, categoryPlace(index, scale.length)]));
      return {
        name,
        isLog: false,
        place: (trial) => {
          const value = valueOf(trial);
          return value === null ? null : (at.get(String(value)) ?? null);
        },
        ticks: [...at].map(([text, place]) => ({ text, at: place })),
      };
    }
    return {
      name,
      isLog: scale.isLog,
      place: (trial) => {
        const value = valueOf(trial);
        return typeof value === 'number' ? scale.at(value) : null;
      },
      ticks: scale.ticks.map((tick) => ({ text: tickText(tick), at: scale.at(tick) })),
    };
  });
}

const isCategories = (scale: Scale | readonly string[]): scale is readonly string[] => Array.isArray(scale);
const categoryPlace = (index: number, length: number): number => (length === 1 ? 0.5 : index / (length - 1));

/** What an axis has at a place, in words. */
function valueAt(axis: Axis, analysis: ExperimentAnalysis, place: number): string {
  const index = analysis.parameters.findIndex(({ name }) => name === axis.name);
  const scale = scalesOf(analysis)[index < 0 ? analysis.parameters.length : index];
  if (scale === undefined) return NONE;
  if (!isCategories(scale)) return reading(scale.valueAt(place));
  return scale[Math.round(place * (scale.length - 1))] ?? NONE;
}
