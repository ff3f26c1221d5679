import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['@towerbench/source'] },
  ssr: { resolve: { conditions: ['@towerbench/source', 'node'] } },
  test: {
    name: 'experiments',
    include: ['**/*.spec.mjs'],
    testTimeout: 60_000, // a limit for what hangs, not a measure of speed
    setupFiles: [join(import.meta.dirname, '../vitest.setup.ts')],
  },
});
