/** The distinct values of a list, in order of first use, and where each entry of the list finds its own. */
export interface DistinctValues {
  readonly values: Int32Array;
  /** Index into `values`, per entry. */
  readonly placeOf: Int32Array;
}

/** Finds distinct values below `bound`, again and again without clearing anything. */
export class Distinct {
  /** Two numbers a value: the round that met it last, and its place there. */
  readonly #seen: Int32Array;
  #round = 0;

  constructor(bound: number) {
    this.#seen = new Int32Array(2 * bound);
  }

  of(list: Int32Array): DistinctValues {
    const round = ++this.#round;
    const seen = this.#seen;
    const values = new Int32Array(list.length);
    const placeOf = new Int32Array(list.length);
    let count = 0;
    for (let i = 0; i < list.length; i++) {
      const value = list[i] as number;
      if (seen[2 * value] !== round) {
        seen[2 * value] = round;
        seen[2 * value + 1] = count;
        values[count++] = value;
      }
      placeOf[i] = seen[2 * value + 1] as number;
    }
    return { values: values.subarray(0, count), placeOf };
  }

  /** Place of a value in the last list; −1 where it was not in it. */
  placeOf(value: number): number {
    return this.#seen[2 * value] === this.#round ? (this.#seen[2 * value + 1] as number) : -1;
  }
}

/** Every entry for itself. */
export function allDistinct(list: Int32Array): DistinctValues {
  const placeOf = new Int32Array(list.length);
  for (let i = 0; i < placeOf.length; i++) placeOf[i] = i;
  return { values: list, placeOf };
}
