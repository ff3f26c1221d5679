import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test as base } from '@playwright/test';
import { openStoreWriter, type StoreWriter } from '@towerbench/tracking';

const main = join(import.meta.dirname, '../../dashboard/dist/server/main.js');

export interface Dashboard {
  /** Where the dashboard looks for its store; nothing is there until `writer` is called. */
  readonly storePath: string;
  readonly address: string;
  /** Opens the store for writing, and creates it; closed after the test. */
  writer(): StoreWriter;
}

/** Every test has a dashboard of its own over a store of its own, and fails when its page reports an error. */
export const test = base.extend<{ dashboard: Dashboard; complaints: string[] }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads from this pattern which fixtures are wanted
  dashboard: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'dashboard-e2e-'));
    const storePath = join(folder, 'store.sqlite');
    const server = spawn(process.execPath, [main, '--store', storePath, '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const writers: StoreWriter[] = [];
    try {
      const lines = createInterface(server.stdout);
      const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?];
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line ?? '')?.[0];
      if (address === undefined) throw new Error(`the dashboard printed no address but ${JSON.stringify(line)}`);
      await use({
        storePath,
        address,
        writer() {
          const writer = openStoreWriter(storePath);
          writers.push(writer);
          return writer;
        },
      });
    } finally {
      for (const writer of writers) writer.close();
      if (server.exitCode === null) {
        server.kill('SIGTERM');
        await once(server, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    }
    expect(server.exitCode, 'the dashboard ends cleanly when told to').toBe(0);
  },
  baseURL: async ({ dashboard }, use) => use(dashboard.address),
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await use(complaints);
      expect(complaints, 'errors and warnings of the page').toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
