import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { listen } from './listen.js';

const servers: Server[] = [];
const open = (): Server => {
  const server = createServer();
  servers.push(server);
  return server;
};

const at = (port: number) => ({ host: '127.0.0.1', port });

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

it('listens on this machine alone', async () => {
  const server = open();
  const port = await listen(server, at(0));
  expect(server.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port } satisfies AddressInfo);
});

it('takes the next free port when the first is busy', async () => {
  const busy = await listen(open(), at(0));
  const next = await listen(open(), at(busy));
  expect(next).toBeGreaterThan(busy);
  expect(next).toBeLessThan(busy + 50);
});

it('says what to do when no port is left', async () => {
  const last = 65_535;
  await listen(open(), at(last)).catch(() => undefined); // busy now, by this test or by another program
  await expect(listen(open(), at(last))).rejects.toThrow(
    'ports 65535 to 65535 are all busy; choose another with --port, or --port 0 for any free one',
  );
});
