/**
 * Runs one seed of studies once more, into a store of its own, and compares every figure with the committed one, to the bit.
 *
 *   node experiments/tools/repeat.mjs [--seed N] [--all | --only NAME ...] [options of towerbench sweep]
 *
 * Left out, N is 1 and the studies are those of planted worlds. A study whose data is not here is skipped, and said to be. Exit code 0: all figures are equal. 1: one is not, or a run failed. 2: wrong input.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences } from './differences.mjs';
import { chosenStudies, root, rowsOf, towerbench, withoutData } from './studies.mjs';

const { studies, options } = chosenStudies(process.argv.slice(2));
const at = options.indexOf('--seed');
const seed = at < 0 ? 1 : Number(options.splice(at, 2)[1]);
if (!Number.isInteger(seed)) {
  process.stderr.write('--seed: say a whole number\n');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'towerbench-repeat-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const missing = new Map(withoutData(studies).map(({ study, dataset }) => [study, dataset]));
for (const study of studies) {
  if (missing.has(study)) {
    process.stdout.write(
      `${study}  skipped: the files of ${missing.get(study)} are not here; name their folder with TOWERBENCH_DATA\n`,
    );
    continue;
  }
  const store = ['--store', join(folder, `${study}.sqlite`)];
  const experiment = join(root, 'experiments', study, 'experiment.yaml');
  const sweep = ['sweep', '--config', experiment, '--set', `seeds=[${seed}]`, ...store, ...options];
  if (answer(sweep, 'ignore') === null) continue;
  const found = answer(['runs', '--experiment', study, '--status', 'finished', '--format', 'json', ...store], 'pipe');
  const { equal, differences: lines } = differences(rowsOf(study), JSON.parse(found ?? '[]'), seed);
  process.stdout.write(`${study}  ${equal} figures of seed ${seed} are equal, ${lines.length} are not\n`);
  for (const line of lines) process.stdout.write(`  ${line}\n`);
  if (lines.length > 0 || equal === 0) process.exitCode = 1;
}

/** @param {string[]} args @param {'ignore' | 'pipe'} output @returns {string | null} what it printed; null where it failed */
function answer(args, output) {
  const { status, stdout } = towerbench(args, output);
  if (status === 130) process.exit(130);
  if (status !== 0) process.exitCode = Math.max(Number(process.exitCode ?? 0), status ?? 1);
  return status === 0 ? (stdout ?? '') : null;
}
