import type { SequenceFeature, SideBatch, SideFeatures } from '@towerbench/data';
import type { Rng } from '@towerbench/engine';
import { column } from '../../blocks/fields.js';

/** How routing begins: normal numbers, or zeros, with which all capsules stay equal. */
export const routingInits = ['normal', 'zero'] as const;
/** The initial logit of a capsule that a user does not have: its softmax is 0. */
const ABSENT = -1e9;
/** Normal numbers that are drawn once; a power of two. */
const DRAWN = 1 << 14;

/**
 * Initial routing logits of a batch, [batch, length, K]: those of the first `active` capsules of a user, and −1e9 for the others.
 *   b_ik = σ · normal(user, item i, how often the item came after in the history, capsule k)
 * normal(…) is a number that was drawn from N(0, 1) with the seed of the run, picked by a hash. So a logit does not depend on the rest
 * of the batch, on padding or on the order of the history, and is the same in training and when serving. The user is what the model knows
 * of them: the ids of the profile, and which items are in the history.
 */
export function initialLogits(options: {
  readonly init: (typeof routingInits)[number];
  readonly standardDeviation: number;
  readonly numInterests: number;
  readonly history: SequenceFeature;
  readonly profile: SideFeatures;
  readonly rng: Rng;
}): (batch: SideBatch, active: Int32Array | null) => Float32Array {
  const { init, standardDeviation, numInterests, history, profile, rng } = options;
  const drawn = Float32Array.from({ length: DRAWN }, () => rng.normal() * standardDeviation);
  return (batch, active) => {
    const { size } = batch;
    const ids = column(batch.ids, history.name);
    const length = ids.length / size;
    const logits = new Float32Array(size * length * numInterests);
    for (let row = 0, at = 0; row < size; row++) {
      const entries = ids.subarray(row * length, (row + 1) * length);
      let user = userKey(batch, profile, row);
      for (let t = 0; t < length; t++) if (entries[t] !== 0) user += mixed(entries[t] as number);
      const count = active?.[row] ?? numInterests;
      for (let t = 0; t < length; t++) {
        const id = entries[t] as number;
        let occurrence = 0;
        for (let before = 0; before < t; before++) if (entries[before] === id) occurrence++;
        const entry = mixed(mixed(user ^ id) + occurrence);
        for (let k = 0; k < numInterests; k++, at++) {
          if (k >= count) logits[at] = ABSENT;
          else if (init === 'normal' && id !== 0) logits[at] = drawn[mixed(entry + k) & (DRAWN - 1)] as number;
        }
      }
    }
    return logits;
  };
}

/** 32 bits of the ids that a profile has. */
function userKey({ ids }: SideBatch, { ids: features }: SideFeatures, row: number): number {
  let key = 0;
  for (const { name, width } of features) {
    const values = column(ids, name);
    for (let i = row * width; i < (row + 1) * width; i++) key = mixed(key + (values[i] as number));
  }
  return key;
}

/** Another 32 bits, each of which depends on all that are given; murmur3's mixer. */
function mixed(bits: number): number {
  let h = bits + 0x9e3779b9;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
