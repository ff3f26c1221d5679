import { xoshiro128 } from '../random.js';
import { growForest, predict, type Leaf, type Tree } from './forest.js';

/** A parameter of a search: its values trial by trial. Texts are categories. */
export interface ParameterColumn {
  readonly name: string;
  readonly values: readonly (number | string)[];
}

/** What a parameter does to the objective, the others averaged over their ranges. */
export interface ParameterImportance {
  readonly name: string;
  /** Share of the forest's variance that the parameter alone explains, 0 to 1: mean over the trees, and its 5 % and 95 % quantiles. */
  readonly share: number;
  readonly range: readonly [number, number];
  /** Whether it is a set of categories, ordered by their mean objective, or a number, on a logarithmic axis or not. */
  readonly kind: 'category' | 'linear' | 'log';
  /** The objective along the parameter: mean over the trees, 5 % and 95 % quantiles. */
  readonly curve: readonly {
    readonly at: number | string;
    readonly mean: number;
    readonly low: number;
    readonly high: number;
  }[];
}

/** Importances, or why there are none. */
export type Importance =
  | {
      readonly kind: 'told';
      /** The greatest share first. */
      readonly parameters: readonly ParameterImportance[];
      /** What parameters explain together and none alone. */
      readonly interactions: number;
      /** R² of each trial as the trees say that were not grown on it. */
      readonly fit: number;
      readonly trials: number;
    }
  | { readonly kind: 'too-few'; readonly trials: number; readonly needed: number }
  | { readonly kind: 'noise'; readonly fit: number; readonly trials: number };

const NUM_TREES = 48;
/** Trials beyond so many say little more and cost as much; these are drawn. */
const MAX_TRIALS = 400;
/** Under so many trials, and so many for each parameter, nothing is said. */
const MIN_TRIALS = 20;
const TRIALS_PER_PARAMETER = 5;
/** The objective is shuffled so often; 19 times, the fit is better than every one of them by chance in 5 of 100 cases. */
const NUM_SHUFFLES = 19;
const SHUFFLED_TREES = 16;
const SHUFFLED_TRIALS = 150;
/** Places along a parameter that is a number. */
const CURVE_POINTS = 25;

/**
 * Functional ANOVA of a random forest: how much of the variance of the objective over the searched space each parameter explains alone.
 *   f_j(x_j) = ∫ f(x) dx_{−j},  V_j = Var f_j,  share_j = V_j / Var f
 *
 * Exact for each tree, from the boxes of its leaves. A parameter's range counts evenly, in the logarithm where `isLogScaled`; categories count
 * alike. The search need not have sampled evenly, and where it hardly looked the forest guesses.
 *
 * Nothing is said of fewer than 20 trials, or 5 for each parameter; nor when the forest predicts left-out trials no better than forests of
 * the same trials with the objective shuffled (19 permutations, p ≤ .05), or not at all (R² ≤ 0).
 *
 * @param objective mean over seeds, trial by trial; trials whose value is not finite are left out
 * @source Hutter, Hoos and Leyton-Brown 2014, "An Efficient Approach for Assessing Hyperparameter Importance", ICML
 * @deviation At least 3 trials in a leaf; two thirds of the parameters tried at a node; pairs are not told apart, but summed in `interactions`.
 */
export function parameterImportance(
  parameters: readonly ParameterColumn[],
  objective: readonly number[],
  { seed = 0 }: { readonly seed?: number } = {},
): Importance {
  for (const { name, values } of parameters) {
    if (values.length !== objective.length) {
      throw new RangeError(`parameterImportance: ${name} has ${values.length} values, the objective ${objective.length}; there must be one a trial`); // prettier-ignore
    }
  }
  const next = xoshiro128(seed);
  const finite = [...objective.keys()].filter((row) => Number.isFinite(objective[row]));
  const rows = shuffled(finite, next).slice(0, MAX_TRIALS);
  const target = Float64Array.from(rows, (row) => objective[row] as number);
  const axes = parameters.map(({ name, values }) => axisOf(name, { values: rows.map((row) => values[row] as number | string), target })); // prettier-ignore
  const varied = axes.filter(({ places }) => new Set(places).size > 1);
  const needed = Math.max(MIN_TRIALS, TRIALS_PER_PARAMETER * varied.length);
  if (rows.length < needed || varied.length === 0) return { kind: 'too-few', trials: rows.length, needed };

  const columns = varied.map(({ places }) => places);
  const few = { columns: columns.map((column) => column.slice(0, SHUFFLED_TRIALS)), target: target.slice(0, SHUFFLED_TRIALS) }; // prettier-ignore
  const reference = outOfBagFit(growForest(few.columns, few.target, { numTrees: SHUFFLED_TREES, next }), few);
  let isBeaten = !(reference > 0);
  for (let k = 0; k < NUM_SHUFFLES && !isBeaten; k++) {
    // categories are ordered by the objective, so they are ordered anew
    const mixed = Float64Array.from(shuffled([...few.target], next));
    const own = varied.map((axis, index) => axis.reordered(few.columns[index] as Float64Array, mixed));
    const forest = growForest(own, mixed, { numTrees: SHUFFLED_TREES, next });
    isBeaten = outOfBagFit(forest, { columns: own, target: mixed }) >= reference;
  }
  const forest = growForest(columns, target, { numTrees: NUM_TREES, next });
  const fit = outOfBagFit(forest, { columns, target });
  if (isBeaten || !(fit > 0)) return { kind: 'noise', fit, trials: rows.length };

  const trees = forest.filter(({ leaves }) => varianceOf(leaves) > 0);
  const shares = varied.map((_, axis) =>
    trees.map(({ leaves }) => marginalVariance(leaves, axis) / varianceOf(leaves)),
  );
  const told = varied.map(({ name, kind, curveAt }, axis): ParameterImportance => {
    const own = (shares[axis] as number[]).toSorted((a, b) => a - b);
    return {
      name,
      kind,
      share: meanOf(own),
      range: [quantileOf(own, 0.05), quantileOf(own, 0.95)],
      curve: curveAt.map(({ at, place }) => {
        const values = trees.map(({ leaves }) => marginalAt(leaves, axis, place)).sort((a, b) => a - b);
        return { at, mean: meanOf(values), low: quantileOf(values, 0.05), high: quantileOf(values, 0.95) };
      }),
    };
  });
  return {
    kind: 'told',
    parameters: told.sort((a, b) => b.share - a.share),
    interactions: Math.max(0, 1 - told.reduce((sum, { share }) => sum + share, 0)),
    fit,
    trials: rows.length,
  };
}

/**
 * Whether numbers were spread over their logarithm: all are above 0, the greatest is more than 20 times the least, and their median is nearer
 * the middle of the range in the logarithm than as it is.
 */
export function isLogScaled(values: readonly number[]): boolean {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = 0, high = 0] = [sorted[0], sorted.at(-1)];
  if (!(low > 0) || !(high > 20 * low)) return false;
  const median = quantileOf(sorted, 0.5);
  const inLog = Math.log(median / low) / Math.log(high / low);
  const asIs = (median - low) / (high - low);
  return Math.abs(inLog - 0.5) < Math.abs(asIs - 0.5);
}

/** A parameter as a side of the unit cube. */
interface Axis {
  readonly name: string;
  readonly kind: ParameterImportance['kind'];
  readonly places: Float64Array;
  readonly curveAt: readonly { readonly at: number | string; readonly place: number }[];
  /** The same values as places with the categories in the order of another objective; numbers stay where they are. */
  reordered(places: Float64Array, target: Float64Array): Float64Array;
}

function axisOf(
  name: string,
  { values, target }: { readonly values: readonly (number | string)[]; readonly target: Float64Array },
): Axis {
  if (values.every((value) => typeof value === 'number')) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const isLog = isLogScaled(values);
    const [from, to] = isLog ? [Math.log(low), Math.log(high)] : [low, high];
    const width = to - from || 1;
    const places = Float64Array.from(values, (value) => ((isLog ? Math.log(value) : value) - from) / width);
    return {
      name,
      kind: isLog ? 'log' : 'linear',
      places,
      curveAt: Array.from({ length: CURVE_POINTS }, (_, k) => {
        const place = k / (CURVE_POINTS - 1);
        const at = from + place * width;
        return { at: isLog ? Math.exp(at) : at, place };
      }),
      reordered: (own) => own,
    };
  }
  const texts = values.map(String);
  const order = byMean(texts, target);
  const placeOf = new Map(order.map((category, k) => [category, (k + 0.5) / order.length]));
  return {
    name,
    kind: 'category',
    places: Float64Array.from(texts, (text) => placeOf.get(text) as number),
    curveAt: order.map((category) => ({ at: category, place: placeOf.get(category) as number })),
    reordered(own, other) {
      const again = byMean([...own].map(String), other);
      const places = new Map(again.map((place, k) => [place, (k + 0.5) / order.length]));
      return own.map((place) => places.get(String(place)) as number);
    },
  };
}

/** The categories in the order of their mean objective. */
function byMean(texts: readonly string[], target: Float64Array): readonly string[] {
  const of = new Map<string, number[]>();
  for (const [row, text] of texts.entries()) of.set(text, [...(of.get(text) ?? []), target[row] as number]);
  return [...of].sort(([a, x], [b, y]) => meanOf(x) - meanOf(y) || (a < b ? -1 : 1)).map(([text]) => text);
}

/** R² of every row as the mean of the trees that were not grown on it; NaN where the target does not vary. */
function outOfBagFit(
  forest: readonly Tree[],
  { columns, target }: { readonly columns: readonly Float64Array[]; readonly target: Float64Array },
): number {
  const sums = new Float64Array(target.length);
  const counts = new Float64Array(target.length);
  for (const tree of forest) {
    for (const row of tree.outOfBag) {
      sums[row]! += predict(tree, columns, row);
      counts[row]! += 1;
    }
  }
  const center = meanOf([...target]);
  let [squares, errors] = [0, 0];
  for (const [row, value] of target.entries()) {
    if (counts[row] === 0) continue;
    squares += (value - center) ** 2;
    errors += (value - (sums[row] as number) / (counts[row] as number)) ** 2;
  }
  return 1 - errors / squares;
}

/** Volume of a leaf's box over all axes but one; over all with −1. */
function volume({ low, high }: Leaf, without: number): number {
  let product = 1;
  for (let axis = 0; axis < low.length; axis++) {
    if (axis !== without) product *= (high[axis] as number) - (low[axis] as number);
  }
  return product;
}

/** Variance of a tree over the unit cube. */
function varianceOf(leaves: readonly Leaf[]): number {
  let [center, squares] = [0, 0];
  for (const leaf of leaves) center += volume(leaf, -1) * leaf.value;
  for (const leaf of leaves) squares += volume(leaf, -1) * (leaf.value - center) ** 2;
  return squares;
}

/** Mean of a tree over all other axes where `axis` is at `place`. */
function marginalAt(leaves: readonly Leaf[], axis: number, place: number): number {
  let sum = 0;
  for (const leaf of leaves) {
    const [low, high] = [leaf.low[axis] as number, leaf.high[axis] as number];
    if (place >= low && (place < high || high === 1)) sum += volume(leaf, axis) * leaf.value;
  }
  return sum;
}

/** Variance of `marginalAt` along the axis: it is constant between the edges of leaves. */
function marginalVariance(leaves: readonly Leaf[], axis: number): number {
  const steps = new Map<number, number>();
  for (const leaf of leaves) {
    const height = volume(leaf, axis) * leaf.value;
    const [low, high] = [leaf.low[axis] as number, leaf.high[axis] as number];
    steps.set(low, (steps.get(low) ?? 0) + height);
    steps.set(high, (steps.get(high) ?? 0) - height);
  }
  const edges = [...steps.keys()].sort((a, b) => a - b);
  const pieces: { width: number; value: number }[] = [];
  let value = 0;
  for (const [k, edge] of edges.slice(0, -1).entries()) {
    value += steps.get(edge) as number;
    pieces.push({ width: (edges[k + 1] as number) - edge, value });
  }
  const center = pieces.reduce((sum, piece) => sum + piece.width * piece.value, 0);
  return pieces.reduce((sum, piece) => sum + piece.width * (piece.value - center) ** 2, 0);
}

function shuffled<T>(values: readonly T[], next: () => number): T[] {
  const copy = [...values];
  for (let k = copy.length - 1; k > 0; k--) {
    const other = Math.floor((next() * (k + 1)) / 2 ** 32);
    [copy[k], copy[other]] = [copy[other] as T, copy[k] as T];
  }
  return copy;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Linear between neighbours. */
function quantileOf(sorted: readonly number[], p: number): number {
  const at = p * (sorted.length - 1);
  const below = sorted[Math.floor(at)] as number;
  return below + (at % 1) * ((sorted[Math.ceil(at)] as number) - below);
}
