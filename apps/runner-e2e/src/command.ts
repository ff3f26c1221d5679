import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../../..');
export const fixtures = join(import.meta.dirname, '../fixtures');
/** What Node runs as `towerbench`. */
export const program = join(root, 'apps/runner/bin/towerbench.mjs');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** The command line in a process of its own. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  return run(process.execPath, [program, ...args], { env });
}

/**
 * A program in a process of its own; `detached` in a process group of its own, as a shell does with what is typed; `env` is added to
 * our environment; `user` runs it, where we are root.
 */
export function run(
  program: string,
  args: readonly string[],
  {
    detached = false,
    env = {},
    folder = root,
    user,
  }: {
    readonly detached?: boolean;
    readonly env?: NodeJS.ProcessEnv;
    readonly folder?: string;
    readonly user?: number;
  } = {},
): Started {
  const as = user === undefined ? {} : { uid: user, gid: user };
  const child = spawn(program, args, { cwd: folder, detached, env: { ...environment(), ...env }, ...as });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

/** Our environment without what Nx, which may be running the tests, says about its own task. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('NX_') && name !== 'FORCE_COLOR');
  return { ...Object.fromEntries(own), TOWERBENCH_STORE: '', NO_COLOR: '1' };
}

export function towerbench(...args: string[]): Promise<Ended> {
  return start(args).ended;
}

/** A folder that is gone after `use`. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'towerbench-e2e-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
