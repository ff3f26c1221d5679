import { topK, type HiddenCandidates, type tf } from '@towerbench/engine';

/**
 * For each pair its positive, followed by the `count` choices with the largest corrected logits that are not the positive's item; a
 * candidate that stands several times among the choices is as many of them. Scores are never held for more than a block of candidates.
 *
 * @shape rows, correction [pairs, 1 + count]; where there are fewer negatives the rest is the positive with an infinite correction
 */
export function hardestChoices(
  { query, candidate }: { readonly query: tf.Tensor2D; readonly candidate: tf.Tensor2D },
  inputs: {
    readonly queryOf: Int32Array;
    readonly candidateOf: Int32Array;
    readonly occurrences: Float32Array;
    readonly correction: Float32Array | null;
    readonly temperature: number;
    readonly count: number;
    readonly hidden?: HiddenCandidates;
  },
): { readonly rows: Int32Array; readonly correction: Float32Array } {
  const { queryOf, candidateOf, occurrences, correction, temperature, count } = inputs;
  const pairs = queryOf.length;
  const [candidates, dim] = candidate.shape;
  // A dimension more takes the correction: ⟨(u / τ, 1), (v, −log q)⟩ is the corrected logit.
  const u = widened(query, dim, (row) => [queryOf[row] as number, 1], { rows: pairs, factor: 1 / temperature });
  const v = widened(candidate, dim, (row) => [row, -(correction?.[row] ?? 0)], { rows: candidates, factor: 1 });
  const { items } = topK({
    queries: u,
    candidates: v,
    dim: dim + 1,
    k: count,
    excluded: withPositives(candidateOf, inputs.hidden),
  });

  const width = 1 + count;
  const rows = new Int32Array(pairs * width);
  const corrections = new Float32Array(pairs * width).fill(Infinity);
  for (let b = 0; b < pairs; b++) {
    const positive = candidateOf[b] as number;
    rows.fill(positive, b * width, (b + 1) * width);
    corrections[b * width] = correction?.[positive] ?? 0;
    let at = b * width + 1;
    for (const row of items.subarray(b * count, (b + 1) * count)) {
      if (row < 0) break;
      for (let copy = 0; copy < (occurrences[row] as number) && at < (b + 1) * width; copy++, at++) {
        rows[at] = row;
        corrections[at] = correction?.[row] ?? 0;
      }
    }
  }
  return { rows, correction: corrections };
}

/** The candidates that each pair does not choose from: its positive, and what is hidden from it. */
function withPositives(
  candidateOf: Int32Array,
  hidden: HiddenCandidates | undefined,
): { readonly offsets: Int32Array; readonly items: Int32Array } {
  const pairs = candidateOf.length;
  const offsets = Int32Array.from({ length: pairs + 1 }, (_, b) => b + (hidden?.offsets[b] ?? 0));
  const items = new Int32Array(offsets[pairs] as number);
  for (let b = 0; b < pairs; b++) {
    const at = offsets[b] as number;
    items[at] = candidateOf[b] as number;
    if (hidden !== undefined) items.set(hidden.rows.subarray(hidden.offsets[b], hidden.offsets[b + 1]), at + 1);
  }
  return { offsets, items };
}

/** Rows of a tensor times `factor`, each with a number more. @shape [rows, dim + 1] */
function widened(
  vectors: tf.Tensor2D,
  dim: number,
  rowOf: (row: number) => readonly [row: number, last: number],
  { rows, factor }: { readonly rows: number; readonly factor: number },
): Float32Array {
  const values = vectors.dataSync();
  const out = new Float32Array(rows * (dim + 1));
  for (let row = 0; row < rows; row++) {
    const [from, last] = rowOf(row);
    for (let k = 0; k < dim; k++) out[row * (dim + 1) + k] = (values[from * dim + k] as number) * factor;
    out[row * (dim + 1) + dim] = last;
  }
  return out;
}
