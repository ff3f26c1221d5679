/**
 * Labels of the scores of pairs: those of the rows in the first column, 0 for what was drawn beside them. A drawn item weighs 1.
 *
 * @param labels, weights per row; null where all rows are positives, where all weigh 1
 * @shape y, w [size, numPairs / size], row-major
 */
export function pairLabels({
  size,
  numPairs,
  labels,
  weights = null,
}: {
  readonly size: number;
  readonly numPairs: number;
  readonly labels: Float32Array | null;
  readonly weights?: Float32Array | null;
}): { readonly y: Float32Array; readonly w: Float32Array | null } {
  const width = numPairs / size;
  const y = new Float32Array(numPairs);
  const w = weights && new Float32Array(numPairs).fill(1);
  for (let row = 0; row < size; row++) {
    y[row * width] = labels?.[row] ?? 1;
    if (w !== null) w[row * width] = weights?.[row] as number;
  }
  return { y, w };
}
