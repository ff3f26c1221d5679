import type { Point } from '@towerbench/config';
import { createRng, type Rng } from '@towerbench/engine';
import type { SuggestInputs } from '../contract.js';
import { pointAt } from '../units.js';
import { directionSeeds } from './direction-numbers.js';

const BITS = 32;

/** The most dimensions of a point: the first is van der Corput's sequence, each other has a row of direction numbers. */
export const MAX_DIMENSIONS = 1 + directionSeeds.length;

/**
 * Coordinate `dimension` of point `index` of Sobol's sequence in the order of Gray codes, in units of 2^−32.
 *   x = ⊕ over the bits k that are set in g = index ⊕ (index >> 1) of v_k,  v_k = m_k · 2^(31 − k)
 *
 * @throws {RangeError} for an index of 2^32 or more, or a dimension that has no direction numbers
 * @source Antonov & Saleev 1979 for the order; Joe & Kuo 2008 for the numbers
 */
export function sobolBits(index: number, dimension: number): number {
  if (!(index >= 0 && index < 2 ** BITS))
    throw new RangeError(`sobolBits: index is ${index}; it must be 0 to 2^32 − 1`);
  const directions = directionsOf(dimension);
  let bits = 0;
  for (let gray = (index ^ (index >>> 1)) >>> 0, k = 0; gray !== 0; gray >>>= 1, k++) {
    if (gray & 1) bits ^= directions[k] as number;
  }
  return bits >>> 0;
}

/**
 * A coordinate after Owen's scrambling: bit k is turned round or not by a coin that belongs to the k bits before it. Points stay as
 * evenly spread as they were, and each is by itself uniform.
 *
 * @source Owen 1995, doi:10.1007/978-1-4612-2552-2_19
 */
export function scrambled(bits: number, coins: Rng): number {
  let turned = 0;
  for (let k = 0; k < BITS; k++) {
    const before = k === 0 ? 0 : bits >>> (BITS - k);
    const coin = coins.fork(`${k}/${before}`).uniform() < 0.5 ? 1 : 0;
    turned = (turned << 1) | (((bits >>> (BITS - 1 - k)) & 1) ^ coin);
  }
  return turned >>> 0;
}

const known = new Map<number, Uint32Array>();

/** v_k of a dimension, k from 0 on, by the recurrence of its primitive polynomial. */
function directionsOf(dimension: number): Uint32Array {
  const found = known.get(dimension) ?? directionNumbers(dimension);
  known.set(dimension, found);
  return found;
}

function directionNumbers(dimension: number): Uint32Array {
  const directions = new Uint32Array(BITS);
  if (dimension === 0) return directions.map((_, k) => 2 ** (BITS - 1 - k));
  const row = directionSeeds[dimension - 1];
  if (row === undefined)
    throw new RangeError(`sobolBits: dimension is ${dimension}; it must be 0 to ${MAX_DIMENSIONS - 1}`);
  const [polynomial, ...m] = row;
  const degree = m.length;
  for (let k = 0; k < BITS; k++) {
    if (k < degree) {
      directions[k] = ((m[k] as number) << (BITS - 1 - k)) >>> 0;
      continue;
    }
    const back = (steps: number): number => directions[k - steps] as number;
    let next = back(degree) ^ (back(degree) >>> degree);
    for (let i = 1; i < degree; i++) if ((polynomial >>> (degree - i)) & 1) next ^= back(i);
    directions[k] = next >>> 0;
  }
  return directions;
}

/** Point `number` of the sequence in a space, one dimension a parameter, each scrambled by coins of its own that the seed decides. */
export function sobolPoint({ space, number, seed }: SuggestInputs): Point {
  return pointAt(space, ({ name }, dimension) => {
    const coins = createRng(seed).fork(name);
    return scrambled(sobolBits(number, dimension), coins) / 2 ** BITS;
  });
}
