import { copyFileSync, cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test as base } from './dashboard.js';
import { largeStore } from './large-store.js';

/** With `full` the dashboard's store has 10,000 runs: it is made once per worker and copied for each test, with the files that the runs have kept. */
export const test = base.extend<{ full: void }, { large: string }>({
  large: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads from this pattern which fixtures are wanted
    async ({}, use) => {
      const { path, remove } = largeStore();
      await use(path);
      remove();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  full: async ({ large, dashboard }, use) => {
    copyFileSync(large, dashboard.storePath);
    const [from, to] = [large, dashboard.storePath].map((path) => join(dirname(path), 'artifacts')) as [string, string];
    cpSync(from, to, { recursive: true });
    await use();
  },
});
