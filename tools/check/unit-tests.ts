import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const root = join(import.meta.dirname, '../..');

// The unit tests of all projects in one process, which is faster than a process for each.
export default defineConfig({
  root,
  test: {
    projects: [
      'libs/*/vitest.config.ts',
      'apps/{bench,runner,dashboard}/vitest.config.ts',
      '{tools,experiments}/vitest.config.ts',
    ],
  },
});
