import type { AnalysisTrial, ExperimentAnalysis } from '../contract/payloads.js';
import { scaleOf, tickText } from './scale.js';

/** A parameter along one side of a chart, cut into cells. Places are from 0 to 1. */
export interface ParameterAxis {
  readonly name: string;
  readonly isLog: boolean;
  at(value: number | string): number;
  readonly ticks: readonly { readonly text: string; readonly at: number }[];
  /** In order of their places, without gaps; `text` is what a trial has that lies in it. */
  readonly cells: readonly { readonly from: number; readonly to: number; readonly text: string }[];
}

/** A trial with a place on both axes; `objective` is null where its runs have failed. */
export interface PlacedTrial {
  readonly trial: AnalysisTrial;
  readonly x: number | string;
  readonly y: number | string;
  readonly objective: number | null;
}

/** The trials in one cell: how many have a result, and the mean of these. */
export interface ContourCell {
  readonly column: number;
  readonly row: number;
  readonly n: number;
  readonly mean: number;
  /** Shade from 0 (the worst) on. */
  readonly shade: number;
}

export interface Contour {
  readonly across: ParameterAxis;
  readonly up: ParameterAxis;
  readonly trials: readonly PlacedTrial[];
  /** Those that hold a trial with a result; nothing is said of the others. */
  readonly cells: readonly ContourCell[];
  /** The shades by the means that they hold, from the worst to the best. */
  readonly shades: readonly { readonly low: number; readonly high: number }[];
  /** Trials that have a result or have failed, and lack one of the two parameters. */
  readonly numWithout: number;
  cellOf(trial: PlacedTrial): ContourCell | undefined;
}

/** A parameter of no more values has a cell for each. */
const MAX_CELLS = 10;
/** Trials that a cell would hold if they were spread evenly. */
const TRIALS_PER_CELL = 4;
/** Shades from the worst to the best cell, as the style sheet has them. */
export const NUM_SHADES = 6;
/** Between two ticks. */
const LEAST_GAP = 0.06;
/** Room beside the outermost trials. */
const ROOM = 0.04;

/** Trials over two parameters, and the mean objective in each cell of a grid over them. Each shade holds as many cells as the others. */
export function contourOf(
  analysis: ExperimentAnalysis,
  names: { readonly across: string; readonly up: string },
): Contour {
  // prettier-ignore
  const { metric, parameters } = analysis;
  const [i, j] = [names.across, names.up].map((name) => parameters.findIndex((each) => each.name === name)) as [number, number]; // prettier-ignore
  const told = analysis.trials.filter(({ objective, failed }) => objective !== null || failed > 0);
  const trials = told.flatMap((trial): PlacedTrial[] => {
    const [x, y] = [trial.values[i] ?? null, trial.values[j] ?? null];
    return x === null || y === null ? [] : [{ trial, x, y, objective: trial.objective }];
  });
  const [across, up] = [
    axisOf(parameters[i], trials.map(({ x }) => x)), // prettier-ignore
    axisOf(parameters[j], trials.map(({ y }) => y)), // prettier-ignore
  ];
  const keyOf = ({ x, y }: PlacedTrial): string => `${cellAt(across, x)} ${cellAt(up, y)}`;
  const held = new Map<string, number[]>();
  for (const trial of trials) {
    if (trial.objective !== null) held.set(keyOf(trial), [...(held.get(keyOf(trial)) ?? []), trial.objective]);
  }
  const sign = metric.goal === 'maximize' ? 1 : -1;
  const ordered = [...held]
    .map(([key, values]) => ({
      key,
      n: values.length,
      mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    })) // prettier-ignore
    .sort((a, b) => sign * (a.mean - b.mean));
  const numShades = Math.min(NUM_SHADES, ordered.length);
  const cells = new Map(
    ordered.map(({ key, n, mean }, rank): [string, ContourCell] => {
      const [column, row] = key.split(' ').map(Number) as [number, number];
      return [key, { column, row, n, mean, shade: Math.floor((rank * numShades) / ordered.length) }];
    }),
  );
  const shades = Array.from({ length: numShades }, (_, shade) => {
    const means = [...cells.values()].filter((cell) => cell.shade === shade).map(({ mean }) => mean);
    return { low: Math.min(...means), high: Math.max(...means) };
  });
  return {
    ...{ across, up, trials, shades },
    cells: [...cells.values()],
    numWithout: told.length - trials.length,
    cellOf: (trial) => cells.get(keyOf(trial)),
  };
}

function cellAt({ at, cells }: ParameterAxis, value: number | string): number {
  const place = at(value);
  const found = cells.findIndex(({ to }) => place < to);
  return found < 0 ? cells.length - 1 : found;
}

/** A cell per value of a parameter of few; else cells of equal width on the parameter's scale. */
function axisOf(
  parameter: ExperimentAnalysis['parameters'][number] | undefined,
  values: readonly (number | string)[],
): ParameterAxis {
  // prettier-ignore
  const { name, kind } = parameter ?? { name: '', kind: 'category' };
  if (kind === 'category') {
    const categories = [...new Set(values.map(String))].sort();
    const width = 1 / Math.max(1, categories.length);
    const at = new Map(categories.map((text, k) => [text, (k + 0.5) * width]));
    return {
      name,
      isLog: false,
      at: (value) => at.get(String(value)) ?? 0,
      ticks: [...at].map(([text, place]) => ({ text, at: place })),
      cells: categories.map((text, k) => ({ from: k * width, to: (k + 1) * width, text })),
    };
  }
  const numbers = [...new Set(values.map(Number))].sort((a, b) => a - b);
  const scale = scaleOf(numbers, { isLog: kind === 'log', numTicks: 7 });
  const at = (value: number | string): number => ROOM + (1 - 2 * ROOM) * scale.at(Number(value));
  const valueAt = (place: number): number => scale.valueAt((place - ROOM) / (1 - 2 * ROOM));
  const isFew = numbers.length <= MAX_CELLS;
  const count = Math.min(MAX_CELLS, Math.max(3, Math.ceil(Math.sqrt(values.length / TRIALS_PER_CELL))));
  const inner = isFew
    ? numbers.slice(1).map((value, k) => (at(value) + at(numbers[k] as number)) / 2)
    : Array.from({ length: count - 1 }, (_, k) => (k + 1) / count);
  const edges = [0, ...inner, 1];
  return {
    name,
    isLog: scale.isLog,
    at,
    ticks: (isFew ? apart(numbers, at) : scale.ticks).map((tick) => ({ text: tickText(tick), at: at(tick) })),
    cells: edges.slice(1).map((to, k) => {
      const from = edges[k] as number;
      const value = isFew ? numbers[k] : undefined;
      const text = value === undefined ? `${short(valueAt(from))} to ${short(valueAt(to))}` : tickText(value);
      return { from, to, text };
    }),
  };
}

/** Values whose places are far enough from the one before that their texts do not meet. */
function apart(values: readonly number[], at: (value: number) => number): readonly number[] {
  let last = -Infinity;
  return values.filter((value) => {
    const isFree = at(value) - last > LEAST_GAP;
    if (isFree) last = at(value);
    return isFree;
  });
}

const short = (value: number): string => tickText(Number(value.toPrecision(2)));
