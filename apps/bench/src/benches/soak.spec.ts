import { join } from 'node:path';
import { startEngine, tf } from '@towerbench/engine';
import { assembleRun } from '@towerbench/training';
import { beforeAll, describe, expect, it } from 'vitest';
import { referenceConfig } from '../reference.js';
import type { Settings } from '../settings.js';
import { syntheticData } from '../synthetic.js';
import { growthOf, sampleMemory, type Sample } from './soak.js';

beforeAll(() => startEngine('simd'));

const PACE = { steps: 2000, numSamples: 4 };

/** Two thousand small steps of the reference model, with something done after each. */
function soaked(embedding: 'lazy' | 'dense', afterStep: () => void = () => undefined): readonly Sample[] {
  const root = join(import.meta.dirname, '../../../..');
  const config = referenceConfig({ batchSize: 8, embedding }, { root, backend: 'simd', embeddingDim: 4 } as Settings);
  const data = syntheticData({ numRows: 4000, numUsers: 100, uniformUsers: false, historyLength: 0 });
  const run = assembleRun(config, data, 1);
  if (run.kind === 'scorer') throw new Error('the reference model is trained');
  return sampleMemory(() => {
    run.trainer.step();
    afterStep();
  }, PACE);
}

/** Per 1,500 steps; what the compiler learns about the code takes some of it. */
const HEAP_TOLERANCE = 400_000;

describe('small steps', () => {
  it.each(['lazy', 'dense'] as const)('leave nothing behind, with %s embeddings', (embedding) => {
    const samples = soaked(embedding);
    expect(samples.map(({ step }) => step)).toEqual([500, 1000, 1500, 2000]);
    const { tensors, sharedBytes, heapBytes } = growthOf(samples);
    expect({ tensors, sharedBytes }).toEqual({ tensors: 0, sharedBytes: 0 });
    expect(heapBytes).toBeLessThan(HEAP_TOLERANCE);
  });

  it('are seen when they leave a tensor, or half a kilobyte, each', () => {
    const tensors: tf.Tensor[] = [];
    expect(growthOf(soaked('lazy', () => tensors.push(tf.zeros([100_000])))).sharedBytes).toBeGreaterThan(0);
    expect(tensors).toHaveLength(2000);
    tf.dispose(tensors);
    const kept: number[][] = [];
    expect(growthOf(soaked('lazy', () => kept.push(new Array<number>(64).fill(0.5)))).heapBytes).toBeGreaterThan(
      HEAP_TOLERANCE,
    );
  });
});
