import type { Bench } from '../bench.js';
import { Companion } from '../companion.js';
import { median, rateFields, rounded, type Window } from '../measure.js';

/** Two processes that train at the same time, against one of them alone: rounds of each in turns. */
export const twoAtOnce: Bench = {
  name: 'two-at-once',
  summary: 'What two trainings at the same time do, as a multiple of one.',
  async records(settings) {
    const options = [
      ...['--bench', 'dssm-step', '--batch-size', String(settings.batchSize ?? 2048)],
      ...['--embedding', settings.embedding ?? 'dense'],
    ];
    const first = new Companion(settings, options);
    const second = new Companion(settings, options);
    try {
      const { facts } = await first.window(); // both are warm and ready after their first window
      await second.window();
      const alone: Window[] = [];
      const together: Window[] = [];
      const speedups: number[] = [];
      for (let round = 0; round < settings.windows; round++) {
        const one = await first.window();
        const two = await Promise.all([first.window(), second.window()]);
        alone.push(one);
        together.push(...two);
        speedups.push(two.reduce((sum, window) => sum + rate(window), 0) / rate(one));
      }
      return [
        {
          batch_size: facts['batch_size'],
          embedding: facts['embedding'],
          ids: facts['ids'],
          ...rateFields('examples', together),
          alone_examples_per_second: rateFields('examples', alone)['examples_per_second'],
          alone_examples_per_cpu_second: rateFields('examples', alone)['examples_per_cpu_second'],
          speedup: rounded(median(speedups)),
          speedup_range: [rounded(Math.min(...speedups)), rounded(Math.max(...speedups))],
        },
      ];
    } finally {
      first.close();
      second.close();
    }
  },
};

function rate({ amount, seconds }: Window): number {
  return amount / seconds;
}
