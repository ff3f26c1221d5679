import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** How long a server may take until it answers. */
const PATIENCE_MS = 180_000;

/**
 * Starts the MLflow that setup.sh got, on a free port and on a database of its own.
 *
 * @param {{ readonly python: string; readonly folder: string; readonly args?: readonly string[] }} where
 * @returns {Promise<{ url: string; seconds: number; stop(): Promise<void> }>} once it answers; `seconds` is how long that took
 */
export async function startMlflow({ python, folder, args = ['--workers', '1'] }) {
  const port = await freePort();
  const started = performance.now();
  const child = spawn(
    python,
    [
      ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), ...args],
      ...[
        '--backend-store-uri',
        `sqlite:///${join(folder, 'mlflow.db')}`,
        '--artifacts-destination',
        join(folder, 'files'),
      ],
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], detached: true }, // a group of its own, because it starts workers
  );
  let said = '';
  child.stderr.on('data', (chunk) => (said = `${said}${chunk}`.slice(-4000)));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    try {
      process.kill(-(/** @type {number} */ (child.pid)), 'SIGTERM');
    } catch {
      // it has ended already
    }
    await ended;
  };
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    const answers = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    const milliseconds = performance.now() - started;
    if (answers) return { url, seconds: milliseconds / 1000, stop };
    if (child.exitCode !== null || milliseconds > PATIENCE_MS) {
      await stop();
      throw new Error(`mlflow does not start:\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}
