import type { Rng } from '@towerbench/engine';

interface ChooserSettings {
  readonly numHard: number;
  readonly poolSize: number;
  readonly rankFrom: number;
  readonly rankTo: number;
  readonly choose: 'hardest' | 'softmax' | 'uniform';
  readonly beta: number;
}

/**
 * Chooses places of a pool by their scores. Ranks are of what is allowed alone, so that leaving an item out moves the others up.
 *
 * @returns at most `numHard` distinct places; the array is used again by the next call
 */
export function createChooser(
  settings: ChooserSettings,
): (scores: Float32Array, row: { isAllowed(place: number): boolean; readonly rng: Rng }) => Int32Array {
  const { numHard, poolSize, rankFrom, rankTo, choose, beta } = settings;
  const places = new PlacesInOrder(poolSize);
  const window = new Int32Array(poolSize);
  const noisy = new Float32Array(poolSize);
  const chosen = new Int32Array(numHard);
  const anyRank = choose !== 'hardest' && rankFrom === 1 && rankTo === poolSize; // so that order says nothing
  const needed = choose === 'hardest' ? rankFrom + numHard - 1 : rankTo;

  return (scores, { isAllowed, rng }) => {
    let width = 0;
    if (anyRank) {
      for (let place = 0; place < poolSize; place++) if (isAllowed(place)) window[width++] = place;
    } else {
      places.begin(scores);
      for (let rank = 0, place = places.next(); place >= 0 && rank < needed; place = places.next()) {
        if (isAllowed(place) && ++rank >= rankFrom) window[width++] = place;
      }
    }
    const count = Math.min(numHard, width);
    if (choose === 'hardest') return window.subarray(0, count);
    if (choose === 'uniform') {
      for (let k = 0; k < count; k++) {
        const other = k + rng.int(width - k);
        chosen[k] = window[other] as number;
        window[other] = window[k] as number;
      }
      return chosen.subarray(0, count);
    }
    noisy.fill(-Infinity);
    for (let k = 0; k < width; k++) {
      const place = window[k] as number;
      const u = rng.uniform() + 2 ** -33; // within (0, 1)
      noisy[place] = (scores[place] as number) / beta - Math.log(-Math.log(u));
    }
    places.begin(noisy);
    for (let k = 0; k < count; k++) chosen[k] = places.next();
    return chosen.subarray(0, count);
  };
}

/**
 * Places by falling score, equal ones by place, as many as are asked for: a heap of numbers that hold score and place both.
 */
class PlacesInOrder {
  readonly #keys: Float64Array;
  readonly #bits = new Int32Array(1);
  readonly #value = new Float32Array(this.#bits.buffer);
  #left = 0;

  constructor(size: number) {
    this.#keys = new Float64Array(size);
  }

  /** Begins anew with these scores. @shape [size] */
  begin(scores: Float32Array): this {
    const keys = this.#keys;
    const size = keys.length;
    for (let place = 0; place < size; place++) {
      this.#value[0] = scores[place] as number;
      const at = this.#bits[0] as number;
      const rising = at < 0 ? at ^ 0x7fffffff : at; // in the order of the floats
      keys[place] = -rising * size + place; // below 2^53: 32 bits and those of a pool
    }
    this.#left = size;
    for (let at = (size >> 1) - 1; at >= 0; at--) this.#sink(at);
    return this;
  }

  /** The next place; −1 when there is none. */
  next(): number {
    if (this.#left === 0) return -1;
    const keys = this.#keys;
    const key = keys[0] as number;
    keys[0] = keys[--this.#left] as number;
    this.#sink(0);
    return key - Math.floor(key / keys.length) * keys.length;
  }

  #sink(from: number): void {
    const keys = this.#keys;
    const left = this.#left;
    const key = keys[from] as number;
    let at = from;
    for (let child = 2 * at + 1; child < left; child = 2 * at + 1) {
      if (child + 1 < left && (keys[child + 1] as number) < (keys[child] as number)) child++;
      if ((keys[child] as number) >= key) break;
      keys[at] = keys[child] as number;
      at = child;
    }
    keys[at] = key;
  }
}
