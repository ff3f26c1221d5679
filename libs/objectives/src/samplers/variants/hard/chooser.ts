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
  const order = createOrder(poolSize);
  const window = new Int32Array(poolSize);
  const noisy = new Float32Array(poolSize);
  const chosen = new Int32Array(numHard);
  const needed = choose === 'hardest' ? rankFrom + numHard - 1 : rankTo;

  return (scores, { isAllowed, rng }) => {
    const ranked = order(scores);
    let rank = 0;
    let width = 0;
    for (let at = 0; at < poolSize && rank < needed; at++) {
      const place = ranked(at);
      if (!isAllowed(place)) continue;
      if (++rank >= rankFrom) window[width++] = place;
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
    const drawn = order(noisy);
    for (let k = 0; k < count; k++) chosen[k] = drawn(k);
    return chosen.subarray(0, count);
  };
}

/** Sorts places by descending score, equal ones by place, as numbers that hold both: so the typed array sorts them by itself. */
function createOrder(size: number): (scores: Float32Array) => (rank: number) => number {
  const keys = new Float64Array(size);
  const bits = new Int32Array(1);
  const value = new Float32Array(bits.buffer);
  const placeAt = (rank: number): number => {
    const key = keys[rank] as number;
    return key - Math.floor(key / size) * size;
  };
  return (scores) => {
    for (let place = 0; place < size; place++) {
      value[0] = scores[place] as number;
      const at = bits[0] as number;
      const ascending = at < 0 ? at ^ 0x7fffffff : at; // in the order of the floats
      keys[place] = -ascending * size + place; // below 2^53: 32 bits and those of a pool
    }
    keys.sort();
    return placeAt;
  };
}
