import type { Bench } from '../bench.js';
import { measureWindow } from '../measure.js';
import { reference, referenceTrainer, stepping } from '../reference.js';

const SIZES = [6040, 100_000, 1_000_000];

/** The reference step over user vocabularies of several sizes, evenly drawn, so that a large one is read all over. */
export const vocabulary: Bench = {
  name: 'vocabulary',
  summary: 'The same step with more and more users, and the memory that they take.',
  subjects: (settings) =>
    (settings.numUsers === null ? SIZES : [settings.numUsers]).map((numUsers) => {
      const embedding = settings.embedding ?? 'lazy';
      const trial = reference({ batchSize: settings.batchSize ?? 512, embedding, numUsers }, settings);
      const before = process.memoryUsage().rss;
      const trainer = referenceTrainer(trial);
      const run = stepping(trainer);
      measureWindow({ run }, settings.windowSeconds);
      return {
        unit: 'examples',
        facts: {
          batch_size: trainer.batchSize,
          embedding,
          ids: trial.data.name,
          users: numUsers,
          /** Weights and the two moments of Adam. */
          model_bytes: 3 * 4 * trainer.parameterCount,
          resident_growth_bytes: process.memoryUsage().rss - before,
        },
        run,
      };
    }),
};
