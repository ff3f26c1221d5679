import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const PORTS_TO_TRY = 50;
const LAST_PORT = 65_535;

/**
 * Listens on `host` at the first free port from `first` on, and returns it; 0 is any free port.
 *
 * @throws {Error} when the first 50 are all busy, or with the system's own error when a port is refused for another reason
 */
export async function listen(
  server: Server,
  { host, port: first }: { readonly host: string; readonly port: number },
): Promise<number> {
  const last = Math.min(first + PORTS_TO_TRY - 1, LAST_PORT);
  for (let port = first; port <= last; port++) {
    try {
      await new Promise<void>((listening, failed) => {
        server.once('error', failed);
        server.listen(port, host, () => {
          server.off('error', failed);
          listening();
        });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      const isBusy = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!isBusy) throw error;
    }
  }
  throw new Error(`ports ${first} to ${last} are all busy; choose another with --port, or --port 0 for any free one`);
}
