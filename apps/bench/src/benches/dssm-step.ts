import type { Bench } from '../bench.js';
import { reference, referenceTrainer, stepping } from '../reference.js';

/** The reference step: the catalogue's dssm with in-batch softmax and Adam, stepped by the trainer of every run. */
export const dssmStep: Bench = {
  name: 'dssm-step',
  summary: 'Training steps of the reference model.',
  subjects: (settings) =>
    (settings.batchSize === null ? [256, 512, 2048, 8192] : [settings.batchSize]).map((batchSize) => {
      const embedding = settings.embedding ?? 'dense';
      const trial = reference({ batchSize, embedding }, settings);
      const trainer = referenceTrainer(trial);
      return {
        unit: 'examples',
        facts: {
          batch_size: trainer.batchSize,
          embedding,
          ids: trial.data.name,
          rows: settings.separateRows ? 'separate' : 'distinct',
        },
        run: stepping(trainer),
      };
    }),
};
