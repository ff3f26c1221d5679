import { z } from 'zod';

/** Key of every loss that can learn from another label than that of the rows. */
export const labelParams = {
  label: z
    .string()
    .nullable()
    .default(null)
    .describe(
      'Which rows are positives, by a number of the interactions: `duration > 50`; null takes the labels that they come with.',
    ),
};
