/**
 * `npx nx run runner:chaos --rounds N [--out FILE]`: kills a sweep N times at random moments and watches what becomes of it; see
 * apps/runner-e2e/src/killed.e2e.ts. With libfaketime (Debian: `apt-get install faketime`) the clock is set back and forth, too; without it those
 * rounds only kill. `--out` takes a line per round and one about the whole; TOWERBENCH_TEST_SEED repeats a run.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' }, out: { type: 'string' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`--rounds: received "${values.rounds}"\n  allowed  a whole number from 1\n`);
  process.exit(2);
}
const fakeClock = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

const folder = mkdtempSync(join(tmpdir(), 'towerbench-chaos-'));
const results = join(folder, 'results.jsonl');
writeFileSync(results, '');
const started = performance.now();
const child = spawn(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--config', 'apps/runner-e2e/vitest.config.ts', 'killed', '-t', 'loses no acknowledged point'],
  {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      TOWERBENCH_CHAOS_ROUNDS: String(rounds),
      TOWERBENCH_CHAOS_RESULTS: results,
      ...(fakeClock === undefined ? {} : { TOWERBENCH_FAKETIME: fakeClock }),
    },
  },
); // prettier-ignore
let output = '';
for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));

let shown = 0;
const show = () => {
  const lines = readFileSync(results, 'utf8').split('\n').slice(0, -1);
  for (const line of lines.slice(shown)) {
    const { round, kind, points } = JSON.parse(line);
    const left = (((performance.now() - started) / 1000 / round) * (rounds - round)) / 60;
    if (round !== undefined)
      process.stderr.write(
        `[${round}/${rounds}] ${kind}: ${points} points, all there; about ${left.toFixed(0)} min left\n`,
      );
  }
  shown = lines.length;
};
const poll = setInterval(show, 1000);
child.on('close', (code) => {
  clearInterval(poll);
  show();
  const lines = readFileSync(results, 'utf8').trim().split('\n');
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    fake_clock: fakeClock !== undefined,
    minutes: Math.round((performance.now() - started) / 6000) / 10,
  };
  if (code === 0) {
    const summary = JSON.stringify({ ...JSON.parse(lines.at(-1) ?? '{}'), ...machine });
    process.stdout.write(`${summary}\n`);
    if (values.out !== undefined)
      appendFileSync(resolve(root, values.out), [...lines.slice(0, -1), summary].map((line) => `${line}\n`).join(''));
  } else process.stderr.write(output);
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code === 0 ? 0 : 1;
});
