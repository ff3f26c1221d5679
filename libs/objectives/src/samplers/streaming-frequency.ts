import { createParameter } from '@towerbench/engine';
import { z } from 'zod';
import type { FrequencyStream } from './contract.js';

/** Keys of every sampler whose negatives are the positives of the batch. */
export const frequencyParams = {
  frequencies: z
    .enum(['exact', 'streaming'])
    .default('exact')
    .describe(
      'Where q comes from: counts of the training part, or a running estimate of how often each item is in a batch, which needs no counts and follows a drift.',
    ),
  stepSize: z
    .number()
    .positive()
    .max(1)
    .default(0.01)
    .describe('α of the running estimate: a larger one follows faster and is less exact in the end.'),
  numBuckets: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'Places that each hash function spreads items over, some times as many as items; null gives every item a place of its own, so that none share one.',
    ),
  numHashes: z
    .int()
    .positive()
    .max(16)
    .default(1)
    .describe(
      'With num_buckets: hash functions, each with places of its own; the largest gap counts, as collisions only shrink gaps.',
    ),
  initialGap: z.number().min(1).default(100).describe('Steps between two batches with an item, before it was seen.'),
};

interface StreamSettings {
  readonly numItems: number;
  readonly stepSize: number;
  readonly numBuckets: number | null;
  readonly numHashes: number;
  readonly initialGap: number;
}

export interface StreamingFrequency extends FrequencyStream {
  /** p of an item, the probability that a batch has it; at most 1. */
  presence(item: number): number;
}

/**
 * How often each item is in a batch, estimated while batches go by. For hash k and the distinct items y of step t, with A = 0 and
 * B = the initial gap before the first step:
 *   B_k[h_k(y)] ← (1 − α) B_k[h_k(y)] + α (t − A_k[h_k(y)]),   A_k[h_k(y)] ← t;   p(y) = 1 / max_k B_k[h_k(y)]
 * B is a running mean of the steps between two batches with the item. Without buckets h(y) = y.
 *
 * @source Yi et al. 2019, "Sampling-Bias-Corrected Neural Modeling", doi:10.1145/3298689.3346996, algorithms 2 and 3
 * @deviation Items are known beforehand here, so hashing, which is for items that are not, has to be asked for.
 * @numerics A and B are float32, so steps are exact to 2^24; arithmetic is float64. Where a collision brings B below 1, p is 1.
 */
export function createStreamingFrequency(settings: StreamSettings): StreamingFrequency {
  const { numItems, stepSize, numBuckets, initialGap } = settings;
  const numHashes = numBuckets === null ? 1 : settings.numHashes;
  const placeOf = (item: number, hash: number): number =>
    numBuckets === null ? item : hash * numBuckets + bucketOf(item, hash, numBuckets);
  const shape = [numHashes, numBuckets ?? numItems];
  const lastStep = createParameter('sampler/last_step', shape, () => 0); // A
  const gap = createParameter('sampler/gap', shape, () => initialGap); // B
  const observedIn = new Int32Array(numItems);

  return {
    statistics: [lastStep, gap],
    observe(step, positives) {
      const [A, B] = [lastStep.values, gap.values];
      for (let row = 0; row < positives.length; row++) {
        const item = positives[row] as number;
        if (observedIn[item] === step) continue; // once for each distinct item
        observedIn[item] = step;
        for (let k = 0; k < numHashes; k++) {
          const at = placeOf(item, k);
          B[at] = (1 - stepSize) * (B[at] as number) + stepSize * (step - (A[at] as number));
          A[at] = step;
        }
      }
    },
    presence(item) {
      let largest = 1;
      for (let k = 0; k < numHashes; k++) largest = Math.max(largest, gap.values[placeOf(item, k)] as number);
      return 1 / largest;
    },
  };
}

/** Place of an item among those of a hash function: murmur3's finisher of the item and the number of the function. */
function bucketOf(item: number, hash: number, numBuckets: number): number {
  let h = (item + Math.imul(hash + 1, 0x9e3779b9)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) % numBuckets;
}
