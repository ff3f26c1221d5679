import { z } from 'zod';

/** The `training` section of an experiment file. */
export const trainingSettings = z.strictObject({
  batchSize: z
    .int()
    .positive()
    .default(512)
    .describe('Rows per step. The rest of an epoch that does not fill a batch is left out.'),
  epochs: z.int().positive().default(10).describe('Passes over the training part, each in a new order.'),
  maxSteps: z.int().positive().nullable().default(null).describe('Stops after so many steps, whatever the epochs say.'),
  evaluateEvery: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('Steps between two evaluations on the validation part; null evaluates after every epoch.'),
  bestBy: z
    .string()
    .nullable()
    .default(null)
    .describe(
      'Validation metric that chooses the checkpoint, e.g. valid/ndcg@10; null is valid/ndcg@10, or valid/auc on labelled data.',
    ),
  patience: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe('Stops when so many evaluations in a row bring no better value; null never stops early.'),
  schedule: z
    .enum(['constant', 'linear', 'cosine'])
    .default('constant')
    .describe('Course of the learning rate after the warm-up: constant, or falling to 0 at the last step.'),
  warmupSteps: z.int().min(0).default(0).describe('Steps over which the learning rate rises linearly from 0.'),
  clipNorm: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe('Largest L2 norm of all gradients together; null does not clip.'),
});

export type TrainingSettings = z.output<typeof trainingSettings>;

/**
 * Learning rate factor at `step` (from 1).
 *   warm-up: step / warmupSteps;  then with p = (step − warmup) / (total − warmup): 1, 1 − p, or (1 + cos πp) / 2
 */
export function scheduleFactor(
  { schedule, warmupSteps }: Pick<TrainingSettings, 'schedule' | 'warmupSteps'>,
  { step, totalSteps }: { readonly step: number; readonly totalSteps: number },
): number {
  if (step <= warmupSteps) return step / warmupSteps;
  if (schedule === 'constant') return 1;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  return schedule === 'linear' ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
}
