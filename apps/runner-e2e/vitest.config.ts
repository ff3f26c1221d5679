import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: import.meta.dirname,
  test: {
    name: 'runner-e2e',
    include: ['src/**/*.e2e.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false, // some go through Nx, which puts the built files of all projects in place anew each time
  },
});
