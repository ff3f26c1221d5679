import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Context } from '../context.js';

/** `towerbench dashboard`: the server in a process of its own, with the options as they were typed; built first where it is not. */
export async function dashboard({ root }: Context, options: readonly string[]): Promise<number> {
  const folder = join(root, 'apps/dashboard/dist');
  const server = join(folder, 'server/main.js');
  if (![server, join(folder, 'web/index.html')].every(existsSync)) {
    process.stderr.write('the dashboard is built first, which takes about a minute ...\n');
    const code = await run([nxOf(root), 'run', 'dashboard:build'], root);
    if (code !== 0) return code;
  }
  return run([server, ...options], root);
}

/** The program that `npx nx` runs. */
function nxOf(root: string): string {
  const require = createRequire(join(root, 'package.json'));
  const manifest = require.resolve('nx/package.json');
  return join(dirname(manifest), (require(manifest) as { bin: { nx: string } }).bin.nx);
}

/** Runs a program of Node in the place of this one: with its terminal, its signals and its end. */
function run(args: readonly string[], root: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const handOn = (signal: NodeJS.Signals): void => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal); // a terminal sends Ctrl-C to both
    };
    for (const signal of signals) process.on(signal, handOn);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const each of signals) process.off(each, handOn);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}
