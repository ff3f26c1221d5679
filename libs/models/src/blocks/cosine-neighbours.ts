import type { FitProgress } from '../contract.js';

/** Entities whose neighbours are found at once. */
const PIECE = 32;

/** Entities that share something with another, by ascending id, and how much alike they are. */
export interface Neighbours {
  readonly ids: Int32Array;
  readonly weights: Float32Array;
}

/**
 * The entities that are most like each one, by the cosine of the sets of what they are connected with, shrunk towards 0.
 *   w(a, b) = Σ_{x ∈ X_a ∩ X_b} weightOf(x) / (√(|X_a| |X_b|) + shrink),  b ≠ a
 * Entities that share nothing are no neighbours; of equally near ones those with smaller ids are taken.
 *
 * @param connectedWith X of each entity
 * @param entitiesOf the same connections by x
 * @param shrink at least 0: the larger, the less is believed of entities with few connections
 * @param count how many neighbours are wanted at most
 * @returns the neighbours of each entity, piece by piece; an entity takes as long as there are pairs (x ∈ X_a, entity of x)
 * @numerics Sums and quotients are in float64; weights are rounded to float32.
 */
export function* cosineNeighbours({
  connectedWith,
  entitiesOf,
  weightOf,
  shrink = 0,
  count,
}: {
  readonly connectedWith: readonly Int32Array[];
  readonly entitiesOf: readonly Int32Array[];
  readonly weightOf: (x: number) => number;
  readonly shrink?: number;
  readonly count: number;
}): Generator<FitProgress, readonly Neighbours[]> {
  const numEntities = connectedWith.length;
  const sizes = connectedWith.map(({ length }) => length);
  const cosine = new Float64Array(numEntities); // 0 but for those that share something
  const sharing = new Int32Array(numEntities);
  const found: Neighbours[] = [];
  for (let entity = 0; entity < numEntities; entity++) {
    let numSharing = 0;
    for (const x of connectedWith[entity] as Int32Array) {
      const weight = weightOf(x);
      for (const other of entitiesOf[x] as Int32Array) {
        if (cosine[other] === 0) sharing[numSharing++] = other;
        cosine[other]! += weight;
      }
    }
    const all = sharing.subarray(0, numSharing).sort();
    const others = all.filter((other) => other !== entity);
    const size = sizes[entity] as number;
    for (const other of others) cosine[other]! /= Math.sqrt(size * (sizes[other] as number)) + shrink;
    const ids = largest(cosine, others, count);
    found.push({ ids, weights: Float32Array.from(ids, (other) => cosine[other] as number) });
    for (const other of all) cosine[other] = 0;
    if (found.length % PIECE === 0) yield { done: found.length, total: numEntities };
  }
  return found;
}

/** Those of the ascending `places` with the `count` largest values, ascending; of equal values the earlier ones. */
function largest(values: Float64Array, places: Int32Array, count: number): Int32Array {
  if (places.length <= count) return places;
  const taken = places.slice(0, count); // the largest first
  const valueAt = (at: number): number => values[taken[at] as number] as number;
  let found = 0;
  for (const place of places) {
    const value = values[place] as number;
    if (found === count && value <= valueAt(count - 1)) continue;
    let at = found === count ? count - 1 : found++;
    for (; at > 0 && valueAt(at - 1) < value; at--) taken[at] = taken[at - 1] as number;
    taken[at] = place;
  }
  return taken.sort();
}
