/**
 * `npm test`: everything that must hold before a change is merged, one step after the other. A failing step prints its output
 * and does not stop the others. The last line is `N passed, N failed`: every test counts as one, and so does every other step.
 *
 * Exit code 0: nothing failed. 1: something did. 130: interrupted.
 * `node tools/check.mjs lint unit` runs the steps that are named.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { steps } from './check/steps.mjs';
import { createRunner } from './check/run.mjs';

const root = resolve(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'towerbench-check-'));
const runner = createRunner({ cwd: root });

process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.once(signal, () => {
    runner.stop();
    process.exit(130);
  });

const chosen = process.argv.slice(2);
const all = await steps({ root, scratch, runner });
const unknown = chosen.filter((name) => !all.some((step) => step.name === name));
if (unknown.length > 0) {
  process.stderr.write(`no step is named ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}

const started = performance.now();
let passed = 0;
let failed = 0;
for (const step of chosen.length === 0 ? all : all.filter(({ name }) => chosen.includes(name))) {
  process.stdout.write(`       ${step.name}: ${step.what}\n`);
  const start = performance.now();
  const result = await step.run();
  passed += result.passed;
  failed += result.failed;
  const word = result.failed === 0 ? 'ok' : 'FAILED';
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : '';
  if (result.failed > 0) process.stdout.write(`${result.output.trimEnd()}\n`);
  process.stdout.write(
    `${word.padEnd(6)} ${step.name}: ${result.passed} passed, ${result.failed} failed${skipped}, ${seconds(start)} s\n`,
  );
}
process.stdout.write(`\n${seconds(started)} s in all\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** @param {number} since */
function seconds(since) {
  return ((performance.now() - since) / 1000).toFixed(1);
}
