import type { Bench } from '../bench.js';

/** The exact best items of many queries. */
export const topK: Bench = {
  name: 'topk',
  summary: 'The exact 100 best items of many queries.',
  records: async () => [{ skipped: 'the engine does not search yet' }],
};
