import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: import.meta.dirname,
  test: {
    name: 'tools',
    include: ['**/*.spec.mjs'],
    setupFiles: [join(import.meta.dirname, '../vitest.setup.ts')],
  },
});
