import { z } from 'zod';

/** Keys every optimizer takes. */
export const commonParams = {
  learningRate: z.number().positive().default(1e-3).describe('Step size before the schedule.'),
  embedding: z
    .enum(['lazy', 'dense'])
    .default('lazy')
    .describe(
      'How embedding tables are updated: `lazy` touches the rows of the batch only, moments included; `dense` updates every row at every step, as a plain PyTorch Embedding does. They differ on rare ids, whose moments decay under `dense` only.',
    ),
};
