/**
 * `npx nx run engine:conformance-tensorflow`: what must hold on every engine, on the native one. First TensorFlow.js core's own tests, then
 * the specs that take `engineUnderTest` of @towerbench/testing. Where the engine is not installed it says so, and that is no failure.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inspectEngines } from '../dist/index.js';

const root = resolve(import.meta.dirname, '../../..');
const engine = inspectEngines().find(({ name }) => name === 'tensorflow');

if (engine?.available) {
  const specs = readdirSync(join(root, 'libs'))
    .flatMap((project) => sources(join('libs', project, 'src')))
    .filter((file) => file.endsWith('.spec.ts') && readFileSync(join(root, file), 'utf8').includes('engineUnderTest'));
  const ended = [
    run('libs/engine/tools/conformance.mjs', ['--engine', 'tensorflow']),
    run('node_modules/vitest/vitest.mjs', [
      ...['run', '--config', 'tools/check/unit-tests.ts', '--testTimeout=120000'],
      ...specs,
    ]),
  ];
  process.exitCode = ended.every((code) => code === 0) ? 0 : 1;
} else {
  process.stdout.write(`skipped: ${engine?.reason}; ${engine?.remedy}\n`);
}

/** @param {string} folder @returns {string[]} */
function sources(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file));
}

/** @param {string} script @param {readonly string[]} args */
function run(script, args) {
  const env = { ...process.env, TOWERBENCH_TEST_ENGINE: 'tensorflow' };
  return spawnSync(process.execPath, [script, ...args], { cwd: root, env, stdio: 'inherit' }).status;
}
