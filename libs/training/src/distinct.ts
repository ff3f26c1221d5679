/** The distinct values of a list, in order of first use, and where each entry of the list finds its own. */
export interface DistinctValues {
  readonly values: Int32Array;
  /** Index into `values`, per entry. */
  readonly placeOf: Int32Array;
}

/** Finds distinct values below `bound`, again and again without clearing anything. */
export class Distinct {
  readonly #place: Int32Array;
  readonly #stamp: Int32Array;
  #round = 0;

  constructor(bound: number) {
    this.#place = new Int32Array(bound);
    this.#stamp = new Int32Array(bound);
  }

  of(list: Int32Array): DistinctValues {
    const round = ++this.#round;
    const values = new Int32Array(list.length);
    const placeOf = new Int32Array(list.length);
    let count = 0;
    for (let i = 0; i < list.length; i++) {
      const value = list[i] as number;
      if (this.#stamp[value] !== round) {
        this.#stamp[value] = round;
        this.#place[value] = count;
        values[count++] = value;
      }
      placeOf[i] = this.#place[value] as number;
    }
    return { values: values.subarray(0, count), placeOf };
  }
}

/** Every entry for itself. */
export function allDistinct(list: Int32Array): DistinctValues {
  return { values: list, placeOf: Int32Array.from({ length: list.length }, (_, i) => i) };
}
