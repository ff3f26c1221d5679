import type { Rng } from '@towerbench/engine';

/** Standard normal numbers. */
export function normals(rng: Rng, length: number): Float64Array {
  return Float64Array.from({ length }, () => rng.normal());
}
