/**
 * Runs what is missing of a study, adds each run to its folder as it finishes, and holds them against `accept.json`.
 *
 *   node experiments/tools/run.mjs NAME [options of towerbench sweep]
 *
 * Exit code 0: every figure is reached. 1: one is not, or a run failed. 2: wrong input, or the data is missing.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { examine } from './acceptance.mjs';
import { plannedRowsOf, root, rowsOf, towerbench } from './studies.mjs';

const [name, ...options] = process.argv.slice(2);
if (name === undefined) {
  process.stderr.write('say which study: node experiments/tools/run.mjs NAME\n');
  process.exit(2);
}
const folder = join(root, 'experiments', name);
const store = ['--store', join(root, '.towerbench', 'experiments.sqlite')];

/** @param {string[]} args @param {'inherit' | 'ignore'} output */
function run(args, output) {
  const { status } = towerbench([...args, ...store], output);
  if (status !== 0) process.exit(status ?? 1);
}

if (existsSync(join(folder, 'plan.json'))) run(['import', folder], 'ignore');
else rmSync(join(folder, 'results.jsonl'), { force: true }); // of a form that could not be imported; version control has it
run(['sweep', '--config', join(folder, 'experiment.yaml'), '--record', folder, ...options], 'inherit');

const rows = plannedRowsOf(name);
const all = rowsOf(name);
if (rows.length < all.length) {
  process.stderr.write(`${all.length - rows.length} rows of results.jsonl are of trials that are planned no more\n`);
}

/** @type {import('./acceptance.mjs').Requirement[]} */
const requirements = JSON.parse(readFileSync(join(folder, 'accept.json'), 'utf8'));
const outcomes = requirements.flatMap((requirement) => examine(requirement, rows));
process.stdout.write(outcomes.map(({ reached, text }) => `${reached ? 'reached' : 'MISSED '}  ${text}\n`).join(''));
if (outcomes.some(({ reached }) => !reached)) process.exitCode = 1;
