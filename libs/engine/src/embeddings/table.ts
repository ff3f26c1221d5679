import type { Rng } from '../random.js';

/** A range of ids that owns rows of a table: 0 is padding, `size` counts it. */
export interface TableVocabulary {
  readonly name: string;
  readonly size: number;
}

/**
 * Embedding rows of one width for any number of vocabularies, stacked, outside the tape.
 *
 * Row 0 is the padding of all of them: zero for ever. Id l ≥ 1 of a vocabulary is row `base + l`. Because one table holds the
 * fields of both towers, a step reads it once, and fields that share a vocabulary (an item and the items of a history) share rows.
 */
export interface EmbeddingTable {
  readonly name: string;
  readonly dim: number;
  readonly numRows: number;
  /** [numRows, dim], row-major. Another array once an optimizer has taken the weights into its memory. */
  values: Float32Array;
  /** Writes the values of `rows` to `out`, [rows, dim], row-major; replaced together with `values`. */
  gather: (rows: Int32Array, out: Float32Array) => void;
  /** What to add to an id l ≥ 1 of the vocabulary to get its row. */
  baseOf(vocabulary: string): number;
}

/**
 * A table with rows drawn from N(0, `standardDeviation`²). Each vocabulary draws from its own fork, so adding one does not move another.
 *
 * @throws {RangeError} when two vocabularies have one name
 */
export function createEmbeddingTable(options: {
  readonly name: string;
  readonly dim: number;
  readonly vocabularies: readonly TableVocabulary[];
  readonly standardDeviation: number;
  readonly rng: Rng;
}): EmbeddingTable {
  const { name, dim, vocabularies, standardDeviation, rng } = options;
  const bases = new Map<string, number>();
  let numRows = 1;
  for (const vocabulary of vocabularies) {
    if (bases.has(vocabulary.name)) {
      throw new RangeError(`embedding table ${name}: two vocabularies are named "${vocabulary.name}"`);
    }
    bases.set(vocabulary.name, numRows - 1);
    numRows += vocabulary.size - 1;
  }
  const values = new Float32Array(numRows * dim);
  for (const vocabulary of vocabularies) {
    const draw = rng.fork(vocabulary.name);
    const start = ((bases.get(vocabulary.name) ?? 0) + 1) * dim;
    const end = start + (vocabulary.size - 1) * dim;
    for (let i = start; i < end; i++) values[i] = draw.normal() * standardDeviation;
  }
  const table: EmbeddingTable = {
    name,
    dim,
    numRows,
    values,
    gather(rows, out) {
      const { values } = table; // those it has now: the first ones must be free when an optimizer has moved them
      for (let i = 0; i < rows.length; i++) {
        const from = (rows[i] as number) * dim;
        for (let k = 0, to = i * dim; k < dim; k++) out[to + k] = values[from + k] as number;
      }
    },
    baseOf(vocabulary) {
      const base = bases.get(vocabulary);
      if (base === undefined) throw new RangeError(`embedding table ${name} has no vocabulary "${vocabulary}"`);
      return base;
    },
  };
  return table;
}
