import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';

export interface ServeOptions {
  /** Absolute path of the store. */
  readonly store: string;
  /** The command line that sweeps into that store, but for the file. */
  readonly sweepCommand: string;
  /** The first port to try; 0 lets the system choose. */
  readonly port: number;
  /** The address or name to listen on. */
  readonly host: string;
  /** What reading and changing need; null for a dashboard of this machine alone. */
  readonly token: string | null;
  readonly logLevel: string;
}

const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'];

const SWEEP_COMMAND = 'npx nx run runner:sweep';

const LOCAL_HOSTS = ['127.0.0.1', '::1', 'localhost'];

/** Long enough that nobody guesses it over the network. */
const TOKEN = /^[\w.~+/=-]{16,200}$/;

const quoted = (path: string): string => (/^[\w./:\\-]+$/.test(path) ? path : JSON.stringify(path));

function port(text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value <= 65535) return value;
  throw new InvalidArgumentError('Allowed: a whole number from 0 to 65535.');
}

function logLevel(text: string): string {
  if (LOG_LEVELS.includes(text)) return text;
  throw new InvalidArgumentError(`Allowed: ${LOG_LEVELS.join(', ')}.`);
}

/** The folder of the workspace: the nearest one above `from` whose package.json lists workspaces. */
function workspaceRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && 'workspaces' in (JSON.parse(readFileSync(manifest, 'utf8')) as object)) return folder;
    if (folder === dirname(folder)) throw new Error(`no workspace above ${from}`);
  }
}

/**
 * Reads the command line. The store is `--store`, else TOWERBENCH_STORE, else `.towerbench/store.sqlite`, relative to the workspace.
 * Wrong options end the process with exit code 2.
 */
export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv): ServeOptions {
  const command = new Command('dashboard')
    .description('Serves the dashboard, on 127.0.0.1 unless told otherwise.')
    .option('--store <path>', 'the run store (default: $TOWERBENCH_STORE, else .towerbench/store.sqlite)')
    .option('--port <number>', 'first port to try; a busy one gives the next free one, 0 any', port, 4400)
    .option('--host <address>', 'address to listen on; another than 127.0.0.1 needs a token', '127.0.0.1')
    .option(
      '--token <text>',
      'what reading and changing need (default: $TOWERBENCH_TOKEN, which no list of processes shows)',
    )
    .option('--log-level <level>', `what goes to standard error: ${LOG_LEVELS.join(', ')}`, logLevel, 'warn')
    .addHelpText('after', '\nExample:\n  npx nx run dashboard:serve --store .towerbench/store.sqlite --port 4400')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  const options = command
    .parse([...args], { from: 'user' })
    .opts<{ store?: string; port: number; host: string; token?: string; logLevel: string }>();
  const token = options.token ?? environment['TOWERBENCH_TOKEN'] ?? null;
  if (token !== null && !TOKEN.test(token)) {
    command.error('error: the token is not one. Allowed: 16 to 200 letters, digits and _ . ~ + / = -');
  }
  if (token === null && !LOCAL_HOSTS.includes(options.host)) {
    command.error(
      `error: --host ${options.host} can be reached by others, so it needs a token: set TOWERBENCH_TOKEN or give --token; ` +
        'one is made by: openssl rand -hex 16',
    );
  }
  const chosen = options.store ?? environment['TOWERBENCH_STORE'];
  const store = resolve(workspaceRoot(import.meta.dirname), chosen ?? '.towerbench/store.sqlite');
  return {
    store,
    sweepCommand: chosen === undefined ? SWEEP_COMMAND : `${SWEEP_COMMAND} --store ${quoted(store)}`,
    port: options.port,
    host: options.host,
    token,
    logLevel: options.logLevel,
  };
}
