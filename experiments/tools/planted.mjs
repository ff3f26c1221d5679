/**
 * Runs the studies of planted worlds, one after the other, and says which figures they reach.
 *
 *   node experiments/tools/planted.mjs [--only NAME ...] [options of towerbench sweep]
 *
 * Exit code 0: every figure is reached. 1: one is not, or a run failed. 2: wrong input.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '..');
const studies = readdirSync(folder)
  .filter((name) => name.startsWith('planted-'))
  .sort();
/** @type {string[]} */
const only = [];
const options = process.argv.slice(2);
for (let at = options.indexOf('--only'); at >= 0; at = options.indexOf('--only'))
  only.push(...options.splice(at, 2).slice(1));
const unknown = only.filter((name) => !studies.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`--only: there is no study ${unknown.join(', ')}; there are ${studies.join(', ')}\n`);
  process.exit(2);
}
for (const study of only.length > 0 ? only : studies) {
  process.stdout.write(`\n${study}\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, 'run.mjs'), study, ...options], {
    stdio: 'inherit',
  });
  if (status === 130) process.exit(130);
  if (status !== 0) process.exitCode = Math.max(Number(process.exitCode ?? 0), status ?? 1);
}
