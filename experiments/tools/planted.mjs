/**
 * Runs the studies of planted worlds, one after the other, and says which figures they reach.
 *
 *   node experiments/tools/planted.mjs [--only NAME ...] [options of towerbench sweep]
 *
 * Exit code 0: every figure is reached. 1: one is not, or a run failed. 2: wrong input.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { chosenStudies } from './studies.mjs';

const { studies, options } = chosenStudies(process.argv.slice(2));
for (const study of studies) {
  process.stdout.write(`\n${study}\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, 'run.mjs'), study, ...options], {
    stdio: 'inherit',
  });
  if (status === 130) process.exit(130);
  if (status !== 0) process.exitCode = Math.max(Number(process.exitCode ?? 0), status ?? 1);
}
