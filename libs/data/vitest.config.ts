import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: ['@towerbench/source'] },
  ssr: { resolve: { conditions: ['@towerbench/source', 'node', 'import'] } },
  test: {
    name: 'data',
    include: ['src/**/*.spec.ts'],
    typecheck: { enabled: true, include: ['src/**/*.test-d.ts'], tsconfig: './tsconfig.spec.json' },
  },
});
