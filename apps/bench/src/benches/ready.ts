import { existsSync, readdirSync } from 'node:fs';
import { prepareData } from '@towerbench/data';
import type { Bench } from '../bench.js';
import { measureWindow, rounded } from '../measure.js';
import { referenceConfig } from '../reference.js';

/** MovieLens-1M made ready for training once, in a process that has done nothing before. */
export const ready: Bench = {
  name: 'ready',
  summary: 'The time until MovieLens-1M is ready to be trained on; from text when --cache names an empty folder.',
  async records(settings) {
    const { dataset } = referenceConfig({ batchSize: 512, embedding: 'lazy' }, settings);
    const { cacheDir } = settings.places;
    const isCached = existsSync(cacheDir) && readdirSync(cacheDir).length > 0;
    const { amount, seconds, cpuSeconds } = measureWindow(
      { run: () => prepareData(dataset, settings.places).train.user.length },
      0,
    );
    return [
      { from: isCached ? 'cache' : 'text', rows: amount, seconds: rounded(seconds), cpu_seconds: rounded(cpuSeconds) },
    ];
  },
};
