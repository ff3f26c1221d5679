#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  const { main: run } = await import(main.href);
  process.exitCode = await run(process.argv.slice(2), { root: resolve(import.meta.dirname, '../../..') });
} else {
  console.error('the benches are not built yet. Run: npx nx run bench:build');
  process.exitCode = 2;
}
