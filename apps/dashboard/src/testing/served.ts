import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStoreWriter, type StoreWriter } from '@towerbench/tracking';
import { pino } from 'pino';
import { createApp } from '../server/app.js';
import { watchStore } from '../server/store.js';

/** The application over a store of its own that is empty but for its tables, answering on a free port of this machine. */
export async function serveApp(token: string | null) {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-served-'));
  const path = join(folder, 'store.sqlite');
  const writer: StoreWriter = openStoreWriter(path);
  const store = watchStore(path, { sweepCommand: 'towerbench sweep', intervalMs: 10 });
  const assets = new Map([
    ['/index.html', { body: Buffer.from('<!doctype html>'), type: 'text/html; charset=utf-8', isImmutable: false }],
  ]);
  const server = createServer(createApp({ store, assets, logger: pino({ level: 'silent' }), token }));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    path,
    writer,
    /** Sends bytes as they are, and returns what came back when the server has closed, `isEnough` says so, or `ms` have passed. */
    send: (bytes: Buffer | string, isEnough: (answer: string) => boolean = () => false, ms = 2000): Promise<string> =>
      new Promise((resolve) => {
        let answer = '';
        const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
        const end = () => {
          clearTimeout(timer);
          socket.destroy();
          resolve(answer);
        };
        const timer = setTimeout(end, ms);
        socket.on('data', (data) => {
          answer += data.toString('latin1');
          if (isEnough(answer)) end();
        });
        socket.on('error', end);
        socket.on('close', end);
      }),
    close() {
      writer.close();
      server.closeAllConnections();
      server.close();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
