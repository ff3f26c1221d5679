import { basename, join } from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** Unit tests of the project in `directory`: sources of other projects are taken as they are, without a build. */
export function unitTests(directory: string): ViteUserConfig {
  return defineConfig({
    root: directory,
    resolve: { conditions: ['@towerbench/source'] },
    ssr: { resolve: { conditions: ['@towerbench/source', 'node'] } },
    test: {
      name: basename(directory),
      include: ['src/**/*.spec.ts'],
      passWithNoTests: true,
      testTimeout: 60_000, // a limit for what hangs, not a measure of speed: other work may share the cores
      hookTimeout: 60_000,
      setupFiles: [join(import.meta.dirname, 'vitest.setup.ts')],
    },
  });
}
