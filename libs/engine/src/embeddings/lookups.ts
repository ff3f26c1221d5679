import type { EmbeddingTable } from './table.js';

/** The rows of one table that a step reads, each once, in order of first use. */
export interface TableRows {
  readonly table: EmbeddingTable;
  readonly numRows: number;
  /** Row numbers of the table, [numRows]. Row 0 of the table (padding) is always entry 0. */
  readonly rows: Int32Array;
}

/**
 * Collects the embedding rows of a step. `positions` translates ids into places in the list of distinct rows; the values of
 * just those rows enter the tape as one input [distinct rows, dim], so a step's cost does not depend on the vocabulary.
 */
export class Lookups {
  readonly #tables: readonly EmbeddingTable[];
  /** Per table, the place of each row in the list; 0, which is the padding's, where it is not in it. */
  readonly #placeOf: readonly Int32Array[];
  readonly #rows: Int32Array[];
  readonly #count: Int32Array;

  constructor(tables: readonly EmbeddingTable[]) {
    this.#tables = tables;
    this.#placeOf = tables.map((table) => new Int32Array(table.numRows));
    this.#rows = tables.map(() => new Int32Array(1024));
    this.#count = new Int32Array(tables.length);
    this.begin();
  }

  /** Forgets the rows of the step before. Entry 0 of every table is its padding row. */
  begin(): void {
    for (const [index, { rows }] of this.rows().entries()) {
      const placeOf = this.#placeOf[index] as Int32Array;
      for (let at = 0; at < rows.length; at++) placeOf[rows[at] as number] = 0;
      this.#count[index] = 1;
    }
  }

  /** Places of `ids` of one vocabulary, written to the beginning of `out`. */
  positions(table: EmbeddingTable, vocabulary: string, ids: Int32Array, out: Int32Array): void {
    const index = this.#tables.indexOf(table);
    if (index < 0) throw new RangeError(`lookups: table ${table.name} is not one of the model's`);
    const base = table.baseOf(vocabulary);
    const placeOf = this.#placeOf[index] as Int32Array;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      if (id === 0) out[i] = 0;
      else out[i] = (placeOf[base + id] as number) || this.#append(index, base + id);
    }
  }

  /** The distinct rows of every table, in the order of the constructor's list. */
  rows(): TableRows[] {
    return this.#tables.map((table, index) => {
      const numRows = this.#count[index] as number;
      return { table, numRows, rows: (this.#rows[index] as Int32Array).subarray(0, numRows) };
    });
  }

  #append(index: number, row: number): number {
    const at = this.#count[index] as number;
    let rows = this.#rows[index] as Int32Array;
    if (at === rows.length) {
      const larger = new Int32Array(rows.length * 2);
      larger.set(rows);
      rows = this.#rows[index] = larger;
    }
    rows[at] = row;
    (this.#placeOf[index] as Int32Array)[row] = at;
    this.#count[index] = at + 1;
    return at;
  }
}
