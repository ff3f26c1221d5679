import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { inspectMemory } from '@towerbench/engine';
import type { Bench } from '../bench.js';
import { reference, referenceTrainer } from '../reference.js';

const NUM_STEPS = 1_000_000;
const NUM_SAMPLES = 20;
const BATCH_SIZE = 8;
/** Growth of the heap that is no leak: 1 byte a step, and what the compiler keeps of code that runs for the first time. */
const HEAP_TOLERANCE = 2 ** 20;

/** What a process holds after so many steps, garbage left out. */
export interface Sample {
  readonly step: number;
  readonly tensors: number;
  readonly sharedBytes: number | null;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** Many small steps of the reference model; fails when tensors, the memory of the kernels or the heap grow. */
export const soak: Bench = {
  name: 'soak',
  summary: 'Whether a million small steps leave anything behind.',
  async records(settings) {
    const { batchSize, embedding, steps } = settings;
    const changes = { batchSize: batchSize ?? BATCH_SIZE, embedding: embedding ?? 'lazy' } as const;
    const trainer = referenceTrainer(reference(changes, settings));
    const samples = sampleMemory(() => trainer.step(), { steps: steps ?? NUM_STEPS, numSamples: NUM_SAMPLES });
    const growth = growthOf(samples);
    if (growth.tensors !== 0 || growth.sharedBytes !== 0 || growth.heapBytes > HEAP_TOLERANCE) {
      throw new Error(`what the steps hold has grown: ${samples.map((sample) => JSON.stringify(sample)).join('\n')}`);
    }
    return samples.map(({ step, tensors, sharedBytes, heapBytes, residentBytes }) => ({
      batch_size: trainer.batchSize,
      embedding: changes.embedding,
      ...{ step, tensors, shared_bytes: sharedBytes, heap_bytes: heapBytes, resident_bytes: residentBytes },
    }));
  },
};

/** Does `steps` steps and looks at the memory `numSamples` times, the last time at the end. */
export function sampleMemory(
  step: () => void,
  { steps, numSamples }: { readonly steps: number; readonly numSamples: number },
): readonly Sample[] {
  const collect = garbageCollector();
  const samples: Sample[] = [];
  const apart = steps / numSamples;
  for (let done = 1; done <= steps; done++) {
    step();
    if (Math.floor(done / apart) === samples.length) continue;
    collect();
    const { heapUsed, rss } = process.memoryUsage();
    samples.push({ step: done, ...inspectMemory(), heapBytes: heapUsed, residentBytes: rss });
  }
  return samples;
}

/** From the first sample, which comes after everything has been done for the first time, to the last. */
export function growthOf(samples: readonly Sample[]): Omit<Sample, 'step'> {
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];
  const grown = (of: (sample: Sample) => number): number => of(last) - of(first);
  return {
    tensors: grown(({ tensors }) => tensors),
    sharedBytes: grown(({ sharedBytes }) => sharedBytes ?? 0),
    heapBytes: grown(({ heapBytes }) => heapBytes),
    residentBytes: grown(({ residentBytes }) => residentBytes),
  };
}

/** Node's own, which is there without an option of the command line only so. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
