#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  const { main: run } = await import(main.href);
  const code = await run(process.argv.slice(2), {
    root: resolve(dirname(fileURLToPath(import.meta.url)), '../../..'),
  });
  // Nx hands Ctrl-C on to a task without noticing it, and then calls any end but 0 a failure: 1. Told of it, Nx ends with 130 as well.
  if (code === 130 && process.env.NX_TASK_TARGET_PROJECT === 'runner') {
    process.once('exit', () => {
      try {
        process.kill(Number(process.env.NX_INVOCATION_ROOT_PID), 'SIGINT');
      } catch {
        // Nx has ended already
      }
    });
  }
  process.exitCode = code;
} else {
  console.error('towerbench is not built yet. Run: npx nx run runner:build');
  process.exitCode = 2;
}
