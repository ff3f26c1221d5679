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
  /** The address as the server prints it, with the token if there is one. */
  readonly printed: string;
  /** Opens the store for writing, and creates it; closed after the test. */
  writer(): StoreWriter;
  /** Ends its process as Ctrl-C does. */
  stop(): Promise<void>;
  /** Starts it again at the same address. */
  start(): Promise<void>;
}

interface Served {
  readonly address: string;
  /** The address as it was printed, with the token if there is one. */
  readonly printed: string;
  stop(): Promise<void>;
}

/** Starts the dashboard's process and waits until it answers. What it says of a token to standard error is not shown. */
async function serve(
  storePath: string,
  { port, token }: { readonly port: string; readonly token: string | null },
): Promise<Served> {
  const server = spawn(process.execPath, [main, '--store', storePath, '--port', port], {
    stdio: ['ignore', 'pipe', token === null ? 'inherit' : 'ignore'],
    env: { ...process.env, ...(token !== null && { TOWERBENCH_TOKEN: token }) },
  });
  const lines = createInterface(server.stdout);
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?];
  const [printed, address] = /(http:\/\/127\.0\.0\.1:\d+)\S*/.exec(line ?? '') ?? [];
  if (printed === undefined || address === undefined)
    throw new Error(`the dashboard printed no address but ${JSON.stringify(line)}`);
  return {
    address,
    printed,
    async stop() {
      if (server.exitCode === null) {
        server.kill('SIGINT');
        await once(server, 'exit');
      }
      expect(server.exitCode, 'the dashboard ends cleanly when told to').toBe(0);
    },
  };
}

/** Every test has a dashboard of its own over a store of its own, and fails when its page reports an error. */
export const test = base.extend<{ token: string | null; dashboard: Dashboard; complaints: string[] }>({
  token: [null, { option: true }],
  dashboard: async ({ token }, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'dashboard-e2e-'));
    const storePath = join(folder, 'store.sqlite');
    let server = await serve(storePath, { port: '0', token });
    const { address, printed } = server;
    const writers: StoreWriter[] = [];
    try {
      await use({
        storePath,
        address,
        printed,
        writer() {
          const writer = openStoreWriter(storePath);
          writers.push(writer);
          return writer;
        },
        stop: () => server.stop(),
        async start() {
          server = await serve(storePath, { port: new URL(address).port, token });
          expect(server.address, 'the port is free again').toBe(address);
        },
      });
    } finally {
      for (const writer of writers) writer.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
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
