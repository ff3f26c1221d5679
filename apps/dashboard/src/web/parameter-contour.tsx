import { useMemo, useRef } from 'react';
import type { ExperimentAnalysis } from '../contract/payloads.js';
import { ChartFrame } from './chart-frame.js';
import {
  type Contour,
  type ContourCell,
  contourOf,
  NUM_SHADES,
  type ParameterAxis,
  type PlacedTrial,
} from './contour.js';
import { count, reading } from './format.js';
import { ScrollBox } from './parts.js';
import { tickText } from './scale.js';
import { svgFile } from './svg-file.js';

const [WIDTH, HEIGHT] = [760, 420];
const MARGIN = { top: 12, right: 150, bottom: 46, left: 110 };
const [ACROSS, UP] = [WIDTH - MARGIN.left - MARGIN.right, HEIGHT - MARGIN.top - MARGIN.bottom];
const LEGEND = { left: WIDTH - MARGIN.right + 20, row: 22 };

/** The first column of the table is the variant that each trial is of. */
const columnOf = (name: string): string => (name === 'variant' ? 'variant (set)' : name);
const left = (place: number): number => MARGIN.left + ACROSS * place;
const top = (place: number): number => MARGIN.top + UP * (1 - place);

/** Trials over two parameters, on a grid of cells that are shaded by the mean of their trials. */
export function ParameterContour({
  analysis,
  names,
  onNames,
}: {
  readonly analysis: ExperimentAnalysis;
  readonly names: { readonly across: string; readonly up: string };
  readonly onNames: (names: { readonly across: string; readonly up: string }) => void;
}) {
  const drawing = useRef<SVGSVGElement>(null);
  const { parameters, metric } = analysis;
  const { across, up } = names;
  const contour = useMemo(() => contourOf(analysis, { across, up }), [analysis, across, up]);
  const best = bestOf(contour, metric.goal);
  const choose = (axis: 'across' | 'up', name: string) => {
    const other = axis === 'across' ? 'up' : 'across';
    // the parameter of the other axis changes places with this one
    onNames(name === names[other] ? { across: up, up: across } : { ...names, [axis]: name });
  };
  return (
    <>
      <div className="fields">
        {(['across', 'up'] as const).map((axis) => (
          <label key={axis} className="field">
            {axis === 'across' ? 'Across' : 'Up'}
            <select value={names[axis]} onChange={({ target }) => choose(axis, target.value)}>
              {parameters.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        ))}
      </div>
      <ChartFrame
        id="contour"
        title={`${metric.name} by ${across} and ${up}`}
        table={() => ({
          columns: ['variant', columnOf(across), columnOf(up), metric.name, 'n', 'failed', 'mean of its cell', 'trials in its cell', 'run'], // prettier-ignore
          rows: contour.trials.map((placed) => {
            const { trial, x, y, objective } = placed;
            const cell = contour.cellOf(placed);
            return [trial.variant, x, y, objective, trial.n, trial.failed, cell?.mean ?? null, cell?.n ?? null, trial.runId]; // prettier-ignore
          }),
        })}
        svg={() => (drawing.current === null ? '' : svgFile(drawing.current))}
      >
        <ScrollBox label="Two parameters together">
          <svg
            ref={drawing}
            className="drawing"
            viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
            role="img"
            aria-label={inWords(contour, metric.name, best)}
          >
            {contour.cells.map((cell) => (
              <Cell key={`${cell.column} ${cell.row}`} of={cell} contour={contour} />
            ))}
            <path className="axis" d={`M${left(0)} ${top(1)}H${left(1)}V${top(0)}H${left(0)}z`} />
            <Axes across={contour.across} up={contour.up} />
            <Marks of={contour} best={best} />
            <Legend of={contour} />
          </svg>
        </ScrollBox>
        <p className="muted note">{`${KEY}${exceptions(contour)}`}</p>
      </ChartFrame>
    </>
  );
}

const KEY =
  'A circle is a trial with its mean over seeds, the one with a ring the best; a cross is a trial whose runs have failed. A cell has the mean of its trials: one without a shade holds none with a result, and nothing is interpolated.';

/** Trials that are not seen, and why. */
function exceptions({ trials, numWithout }: Contour): string {
  const numHidden = trials.length - new Set(trials.map(({ x, y }) => `${x}\n${y}`)).size;
  const hidden = numHidden === 0 ? '' : ` ${numText(numHidden)} under another with the same two values.`;
  const without = numWithout === 0 ? '' : ` ${numText(numWithout)} left out for lack of one of the two.`;
  return hidden + without;
}

const numText = (trials: number): string => (trials === 1 ? '1 trial is' : `${count(trials)} trials are`);

function bestOf({ trials }: Contour, goal: ExperimentAnalysis['metric']['goal']): PlacedTrial | undefined {
  const sign = goal === 'maximize' ? 1 : -1;
  const worth = ({ objective }: PlacedTrial) => (objective === null ? -Infinity : sign * objective);
  const best = trials.toSorted((a, b) => worth(b) - worth(a))[0];
  return best?.objective === null ? undefined : best;
}

function inWords({ across, up, trials, cells }: Contour, metric: string, best: PlacedTrial | undefined) {
  const failed = trials.filter(({ objective }) => objective === null).length;
  const counts = `${count(trials.length - failed)} trials in ${count(cells.length)} cells${failed === 0 ? '' : `, and ${count(failed)} that failed`}`; // prettier-ignore
  const parts = [`${metric} by ${across.name} and ${up.name}: ${counts}`];
  if (best !== undefined)
    parts.push(`the best trial ${reading(best.objective)} at ${valueText(best.x)} and ${valueText(best.y)}`);
  const top = cells.at(-1);
  if (top !== undefined) parts.push(`the best cell ${cellText(top, { across, up })}`);
  return parts.join('; ');
}

const valueText = (value: number | string): string =>
  typeof value === 'number' ? tickText(Number(value.toPrecision(3))) : value;

const cellText = ({ column, row, n, mean }: ContourCell, { across, up }: Pick<Contour, 'across' | 'up'>): string =>
  `${reading(mean)}, the mean of ${count(n)}, at ${across.cells[column]?.text ?? ''} and ${up.cells[row]?.text ?? ''}`;

/** The class of a shade, also of few: the best is always the strongest. */
const heat = (shade: number, { shades }: Pick<Contour, 'shades'>): string =>
  `heat-${shades.length < 2 ? NUM_SHADES - 1 : Math.round((shade * (NUM_SHADES - 1)) / (shades.length - 1))}`;

function Cell({ of, contour }: { readonly of: ContourCell; readonly contour: Contour }) {
  const [column, row] = [contour.across.cells[of.column], contour.up.cells[of.row]];
  if (column === undefined || row === undefined) return null;
  return (
    <rect
      className={heat(of.shade, contour)}
      x={left(column.from)}
      y={top(row.to)}
      width={ACROSS * (column.to - column.from)}
      height={UP * (row.to - row.from)}
    >
      <title>{cellText(of, contour)}</title>
    </rect>
  );
}

function Axes({ across, up }: { readonly across: ParameterAxis; readonly up: ParameterAxis }) {
  const label = ({ name, isLog }: ParameterAxis) => (isLog ? `${name} (log)` : name);
  return (
    <>
      {across.ticks.map(({ text, at }) => (
        <text key={text} className="tick" x={left(at)} y={HEIGHT - MARGIN.bottom + 18} textAnchor="middle">
          {shortened(text)}
        </text>
      ))}
      <text className="tick" x={left(0.5)} y={HEIGHT - 8} textAnchor="middle">
        {label(across)}
      </text>
      {up.ticks.map(({ text, at }) => (
        <text key={text} className="tick" x={MARGIN.left - 8} y={top(at) + 4} textAnchor="end">
          {shortened(text)}
        </text>
      ))}
      <text className="tick" transform={`translate(14 ${top(0.5)}) rotate(-90)`} textAnchor="middle">
        {label(up)}
      </text>
    </>
  );
}

const shortened = (text: string): string => (text.length > 12 ? `${text.slice(0, 11)}…` : text);

/** One path for each kind of mark: thousands of elements would make the page slow. */
function Marks({ of: { across, up, trials }, best }: { readonly of: Contour; readonly best: PlacedTrial | undefined }) {
  const placeOf = ({ x, y }: PlacedTrial) => [round(left(across.at(x))), round(top(up.at(y)))] as const;
  const pathOf = (isFailed: boolean, mark: string) =>
    trials
      .filter(({ objective }) => (objective === null) === isFailed)
      .map((trial) => `M${placeOf(trial).join(' ')}${mark}`)
      .join('');
  const ring = best && placeOf(best);
  return (
    <>
      <path className="spot" d={pathOf(false, 'm-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0z')} />
      <path className="failed" d={pathOf(true, 'm-4-4l8 8m0-8l-8 8')} />
      {ring && <circle className="ring" cx={ring[0]} cy={ring[1]} r={7} />}
    </>
  );
}

const round = (pixels: number): number => Math.round(10 * pixels) / 10;

function Legend({ of: { shades } }: { readonly of: Contour }) {
  return (
    <g transform={`translate(${LEGEND.left} ${MARGIN.top + 10})`}>
      <text className="label">mean of a cell</text>
      {shades.toReversed().map(({ low, high }, k) => (
        <g key={k} transform={`translate(0 ${10 + k * LEGEND.row})`}>
          <rect className={heat(shades.length - 1 - k, { shades })} width={18} height={LEGEND.row - 4} />
          <text className="tick" x={26} y={13}>
            {low === high ? reading(low) : `${reading(low)}–${reading(high)}`}
          </text>
        </g>
      ))}
    </g>
  );
}
