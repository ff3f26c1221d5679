/**
 * The reference sweep through the command line, in a store of its own that is gone afterwards.
 *
 *   node tools/peers/sweep.mjs [--data FOLDER]       one line of JSON, as sweep.py
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'towerbench-sweep-'));
try {
  towerbench('sweep', '--config', 'apps/bench/reference.yaml', '--jobs', '2', ...process.argv.slice(2));
  /** @type {{ variant: string, metrics: Record<string, number> }[]} */
  const runs = JSON.parse(towerbench('runs', '--status', 'finished', '--format', 'json'));
  const rates = runs.filter(({ variant }) => variant === 'log-q').map(({ metrics }) => metrics['test/hr@100'] ?? NaN);
  const mean = rates.reduce((sum, value) => sum + value, 0) / rates.length;
  process.stdout.write(
    `${JSON.stringify({ bench: 'sweep', runs: runs.length, hit_rate_100: Number(mean.toFixed(4)) })}\n`,
  );
} finally {
  rmSync(folder, { recursive: true });
}

/** Its standard output. @param {string[]} args */
function towerbench(...args) {
  const command = [join(root, 'apps/runner/bin/towerbench.mjs'), ...args, '--store', join(folder, 'store.sqlite')];
  const { status, stdout } = spawnSync(process.execPath, command, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`towerbench ${args[0]} ended with ${status}; see above`);
  return stdout;
}
