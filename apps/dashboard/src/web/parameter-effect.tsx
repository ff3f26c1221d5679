import { useRef } from 'react';
import type { ExperimentAnalysis } from '../contract/payloads.js';
import { ChartFrame } from './chart-frame.js';
import { metric as metricText, reading } from './format.js';
import { scaleOf, tickText } from './scale.js';
import { ScrollBox } from './parts.js';
import { svgFile } from './svg-file.js';

const [WIDTH, HEIGHT] = [760, 340];
const MARGIN = { top: 12, right: 16, bottom: 46, left: 66 };
const [ACROSS, UP] = [WIDTH - MARGIN.left - MARGIN.right, HEIGHT - MARGIN.top - MARGIN.bottom];

/** Trials along one parameter, and what the forest makes of it with the others averaged. */
export function ParameterEffect({
  analysis: { parameters, trials, metric, importance },
  name,
  onName,
}: {
  readonly analysis: ExperimentAnalysis;
  readonly name: string;
  readonly onName: (name: string) => void;
}) {
  const drawing = useRef<SVGSVGElement>(null);
  const index = parameters.findIndex((parameter) => parameter.name === name);
  const kind = parameters[index]?.kind ?? 'linear';
  const curve =
    importance.kind === 'told' ? importance.parameters.find((each) => each.name === name)?.curve : undefined;
  const points = trials.flatMap(({ values, objective, variant, runId }) => {
    const value = values[index];
    return value === null || value === undefined || objective === null ? [] : [{ value, objective, variant, runId }];
  });
  const categories = curve !== undefined && kind === 'category' ? curve.map(({ at }) => String(at)) : [...new Set(points.map(({ value }) => String(value)))].sort(); // prettier-ignore
  const across = scaleOf(points.flatMap(({ value }) => (typeof value === 'number' ? [value] : [])), { isLog: kind === 'log', numTicks: 7 }); // prettier-ignore
  const up = scaleOf([...points.map(({ objective }) => objective), ...(curve ?? []).flatMap(({ low, high }) => [low, high])]); // prettier-ignore
  const left = (value: number | string): number =>
    MARGIN.left + ACROSS * (kind === 'category' ? (categories.indexOf(String(value)) + 0.5) / categories.length : across.at(Number(value))); // prettier-ignore
  const top = (value: number): number => MARGIN.top + UP * (1 - up.at(value));
  const ticks = kind === 'category' ? categories.map((text) => ({ text, at: left(text) })) : across.ticks.map((tick) => ({ text: tickText(tick), at: left(tick) })); // prettier-ignore
  const edge = (side: 'low' | 'high') => (curve ?? []).map((point) => `${left(point.at)} ${top(point[side])}`);
  const best = points.toSorted((a, b) => (metric.goal === 'maximize' ? b.objective - a.objective : a.objective - b.objective))[0]; // prettier-ignore
  const words =
    best === undefined
      ? 'no trial'
      : `${points.length} trials, the best ${metricText(best.objective)} at ${String(best.value)}`;
  return (
    <>
      <label className="field">
        Parameter
        <select value={name} onChange={({ target }) => onName(target.value)}>
          {parameters.map((parameter) => (
            <option key={parameter.name}>{parameter.name}</option>
          ))}
        </select>
      </label>
      <ChartFrame
        id="effect"
        title={`${metric.name} by ${name}`}
        table={() => ({
          columns: ['variant', name, metric.name, 'run'],
          rows: points.map(({ variant, value, objective, runId }) => [variant, value, objective, runId]),
        })}
        svg={() => (drawing.current === null ? '' : svgFile(drawing.current))}
      >
        <ScrollBox label="Effect of one parameter">
          <svg
            ref={drawing}
            className="drawing"
            viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
            role="img"
            aria-label={`${metric.name} by ${name}: ${words}`}
          >
            {up.ticks.map((tick) => (
              <g key={tick}>
                <path className="grid" d={`M${MARGIN.left} ${top(tick)}h${ACROSS}`} />
                <text className="tick" x={MARGIN.left - 8} y={top(tick) + 4} textAnchor="end">
                  {tickText(tick)}
                </text>
              </g>
            ))}
            {ticks.map(({ text, at }) => (
              <text key={text} className="tick" x={at} y={HEIGHT - MARGIN.bottom + 18} textAnchor="middle">
                {text}
              </text>
            ))}
            <text className="tick" x={MARGIN.left + ACROSS / 2} y={HEIGHT - 8} textAnchor="middle">
              {kind === 'log' ? `${name} (log)` : name}
            </text>
            {points.map(({ value, objective, runId }, k) => (
              <circle key={runId ?? k} className="point" cx={left(value)} cy={top(objective)} r={2.5} />
            ))}
            {curve !== undefined && kind !== 'category' && (
              <>
                <path className="band" d={`M${[...edge('high'), ...edge('low').reverse()].join('L')}z`} />
                <path className="line" d={`M${curve.map(({ at, mean }) => `${left(at)} ${top(mean)}`).join('L')}`} />
              </>
            )}
            {curve !== undefined &&
              kind === 'category' &&
              curve.map(({ at, mean, low, high }) => (
                <path
                  key={at}
                  className="line"
                  d={`M${left(at)} ${top(low)}V${top(high)}M${left(at) - 14} ${top(mean)}h28`}
                />
              ))}
          </svg>
        </ScrollBox>
        <p className="muted note">
          {curve === undefined
            ? 'A point is a trial.'
            : `A point is a trial; the line is the mean of the forest with the other parameters averaged over their ranges, its band 90 % of the trees: ${reading(curve[0]?.mean)} to ${reading(curve.at(-1)?.mean)} from end to end.`}
        </p>
      </ChartFrame>
    </>
  );
}
