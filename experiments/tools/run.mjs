/**
 * Runs what is missing of a study, writes what it gave to `results.jsonl`, and holds it against `accept.json`.
 *
 *   node experiments/tools/run.mjs NAME [options of towerbench sweep]
 *
 * Exit code 0: every figure is reached. 1: one is not, or a run failed. 2: wrong input, or the data is missing.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { examine } from './acceptance.mjs';
import { root, towerbench } from './studies.mjs';

const [name, ...options] = process.argv.slice(2);
if (name === undefined) {
  process.stderr.write('say which study: node experiments/tools/run.mjs NAME\n');
  process.exit(2);
}
const folder = join(root, 'experiments', name);
const store = ['--store', join(root, '.towerbench', 'experiments.sqlite')];

/**
 * @param {string[]} args
 * @param {'inherit' | 'pipe'} output
 */
function answer(args, output) {
  const { status, stdout } = towerbench([...args, ...store], output);
  if (status !== 0) process.exit(status ?? 1);
  return stdout;
}

answer(['sweep', '--config', join(folder, 'experiment.yaml'), ...options], 'inherit');

/** @type {[{ metric: { name: string }, columns: string[] }]} */
const [report] = JSON.parse(answer(['report', '--experiment', name, '--format', 'json'], 'pipe'));
const columns = [...new Set([report.metric.name, ...report.columns])];
/** @type {{ id: number }[]} */
const runs = JSON.parse(answer(['runs', '--experiment', name, '--status', 'finished', '--format', 'json'], 'pipe'));
const lines = runs.map(({ id }) => {
  const run = JSON.parse(answer(['show', String(id), '--format', 'json'], 'pipe'));
  const { source, packages, engine, machine, fingerprint } = run.attempts.at(-1).environment;
  return {
    variant: run.variant,
    seed: run.seed,
    trial: run.trialId,
    metrics: Object.fromEntries(columns.map((column) => [column, run.metrics[column]])),
    series: Object.fromEntries(
      run.curves
        .filter((/** @type {{ name: string }} */ { name }) => name.startsWith('valid/gate/'))
        .map((/** @type {{ name: string, points: { value: number }[] }} */ { name, points }) => [
          name,
          points.at(-1)?.value,
        ]),
    ),
    parameterCount: run.parameterCount,
    bestStep: run.bestStep,
    seconds: run.seconds,
    commit: source.commit,
    changed: source.diff !== null,
    engine,
    packages,
    machine: { system: machine.system, cpu: machine.cpu, cores: machine.cores, node: machine.node },
    fingerprint,
  };
});
const target = join(folder, 'results.jsonl');
writeFileSync(`${target}.part`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
renameSync(`${target}.part`, target);

/** @type {import('./acceptance.mjs').Requirement[]} */
const requirements = JSON.parse(readFileSync(join(folder, 'accept.json'), 'utf8'));
const outcomes = requirements.flatMap((requirement) => examine(requirement, lines));
process.stdout.write(outcomes.map(({ reached, text }) => `${reached ? 'reached' : 'MISSED '}  ${text}\n`).join(''));
if (outcomes.some(({ reached }) => !reached)) process.exitCode = 1;
