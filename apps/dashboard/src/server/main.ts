import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { createApp } from './app.js';
import { loadAssets } from './assets.js';
import { listen } from './listen.js';
import { parseOptions } from './options.js';
import { watchStore } from './store.js';

const options = parseOptions(process.argv.slice(2), process.env);
const logger = pino({ level: options.logLevel, base: null }, pino.destination(2));
const store = watchStore(options.store, options);
try {
  const assets = loadAssets(fileURLToPath(new URL('../web/', import.meta.url)));
  const server = createServer(createApp({ store, assets, logger, token: options.token }));
  const port = await listen(server, options);
  // before the address is said: whoever reads it may stop it at once
  const stop = () => {
    store.close();
    server.close();
    server.closeAllConnections();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);

  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  // What is after # is not sent, so no log has it.
  const hash = options.token === null ? '' : `#token=${encodeURIComponent(options.token)}`;
  process.stdout.write(`Dashboard  http://${host}:${port}/${hash}\nStore      ${options.store}\n`);
  if (options.token !== null) process.stderr.write(`Whoever reaches ${host}:${port} and has the token can read the store and stop its runs.\n`); // prettier-ignore
} catch (error) {
  store.close();
  process.stderr.write(`dashboard: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
