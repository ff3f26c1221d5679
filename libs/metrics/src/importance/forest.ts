/** A box of the unit cube in which a tree says `value`. */
export interface Leaf {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly value: number;
}

/** A regression tree as its leaves, which fill the unit cube, and the rows that it was not grown on. */
export interface Tree {
  readonly leaves: readonly Leaf[];
  readonly outOfBag: readonly number[];
}

/** Rows in a leaf at the least. */
const MIN_LEAF = 3;

/**
 * A forest of regression trees over the unit cube, each grown on a bootstrap sample; at every node two thirds of the columns are tried and the
 * split with the least sum of squares is taken, halfway between two values.
 *
 * @param columns one per parameter, values from 0 to 1
 * @param next whole random numbers below 2³²
 * @source Breiman 2001, "Random Forests", doi:10.1023/A:1010933404324
 */
export function growForest(
  columns: readonly Float64Array[],
  target: Float64Array,
  { numTrees, next }: { readonly numTrees: number; readonly next: () => number },
): readonly Tree[] {
  return Array.from({ length: numTrees }, () => growTree(columns, target, next));
}

/** What a tree says at a row. */
export function predict({ leaves }: Tree, columns: readonly Float64Array[], row: number): number {
  const leaf = leaves.find(({ low, high }) =>
    columns.every((column, axis) => {
      const value = column[row] as number;
      // boxes are open above, but for the end of the cube
      return value >= (low[axis] as number) && (value < (high[axis] as number) || high[axis] === 1);
    }),
  );
  return (leaf as Leaf).value;
}

function growTree(columns: readonly Float64Array[], target: Float64Array, next: () => number): Tree {
  const n = target.length;
  const below = (bound: number): number => Math.floor((next() * bound) / 2 ** 32);
  const drawn = Uint32Array.from({ length: n }, () => below(n));
  const inBag = new Uint8Array(n);
  for (const row of drawn) inBag[row] = 1;
  const leaves: Leaf[] = [];
  const numTried = Math.max(1, Math.ceil((2 * columns.length) / 3));

  const grow = (rows: Uint32Array, low: Float64Array, high: Float64Array): void => {
    const split =
      rows.length < 2 * MIN_LEAF
        ? null
        : bestSplit(columns, { target, rows, axes: chosen(columns.length, numTried, below) });
    if (split === null) {
      let sum = 0;
      for (const row of rows) sum += target[row] as number;
      leaves.push({ low, high, value: sum / rows.length });
      return;
    }
    const { axis, threshold } = split;
    const column = columns[axis] as Float64Array;
    const isLeft = (row: number): boolean => (column[row] as number) < threshold;
    grow(rows.filter(isLeft), low, high.with(axis, threshold));
    grow(
      rows.filter((row) => !isLeft(row)),
      low.with(axis, threshold),
      high,
    );
  };
  grow(drawn, new Float64Array(columns.length), new Float64Array(columns.length).fill(1));
  return { leaves, outOfBag: [...inBag.keys()].filter((row) => inBag[row] === 0) };
}

/** `count` different axes. */
function chosen(numAxes: number, count: number, below: (bound: number) => number): readonly number[] {
  const axes = Array.from({ length: numAxes }, (_, axis) => axis);
  for (let k = 0; k < count; k++) {
    const other = k + below(numAxes - k);
    [axes[k], axes[other]] = [axes[other] as number, axes[k] as number];
  }
  return axes.slice(0, count);
}

/** The split after which the squares around the two means are least: where Σₗ² / nₗ + Σᵣ² / nᵣ is greatest. null where no column has two values. */
function bestSplit(
  columns: readonly Float64Array[],
  {
    target,
    rows,
    axes,
  }: { readonly target: Float64Array; readonly rows: Uint32Array; readonly axes: readonly number[] },
): { readonly axis: number; readonly threshold: number } | null {
  let total = 0;
  for (const row of rows) total += target[row] as number;
  let best: { axis: number; threshold: number } | null = null;
  let greatest = (total * total) / rows.length + 1e-12 * Math.abs(total);
  for (const axis of axes) {
    const column = columns[axis] as Float64Array;
    const sorted = rows.toSorted((a, b) => (column[a] as number) - (column[b] as number));
    let left = 0;
    for (let k = 1; k < sorted.length; k++) {
      left += target[sorted[k - 1] as number] as number;
      const [before, after] = [column[sorted[k - 1] as number] as number, column[sorted[k] as number] as number];
      if (before === after || k < MIN_LEAF || sorted.length - k < MIN_LEAF) continue;
      const gain = left ** 2 / k + (total - left) ** 2 / (sorted.length - k);
      if (gain <= greatest) continue;
      greatest = gain;
      best = { axis, threshold: (before + after) / 2 };
    }
  }
  return best;
}
