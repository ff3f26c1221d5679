import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

const folder = resolve(import.meta.dirname, '..');
/** Of the project. */
export const root = resolve(folder, '..');

/**
 * Runs a command of `towerbench`; what it says about its progress is shown.
 *
 * @param {readonly string[]} args
 * @param {'inherit' | 'ignore' | 'pipe'} output what becomes of its result
 */
export function towerbench(args, output) {
  return spawnSync(process.execPath, [join(root, 'apps/runner/bin/towerbench.mjs'), ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', output, 'inherit'],
  });
}

/**
 * Takes `--only NAME ...` and `--all` out of the arguments: the studies that are meant, those of planted worlds where neither is said. Ends the
 * process with code 2 where there is no such study.
 *
 * @param {readonly string[]} args
 * @returns {{ studies: string[], options: string[] }}
 */
export function chosenStudies(args) {
  const all = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'accept.json')))
    .sort();
  const options = [...args];
  /** @type {string[]} */
  const only = [];
  for (let at = options.indexOf('--only'); at >= 0; at = options.indexOf('--only'))
    only.push(...options.splice(at, 2).slice(1));
  const unknown = only.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`--only: there is no study ${unknown.join(', ')}; there are ${all.join(', ')}\n`);
    process.exit(2);
  }
  const isAll = options.includes('--all');
  if (isAll) options.splice(options.indexOf('--all'), 1);
  const studies = only.length > 0 ? only : isAll ? all : all.filter((name) => name.startsWith('planted-'));
  return { studies, options };
}

/** Those of the studies whose data is not here, with the name of the dataset. @param {readonly string[]} studies */
export function withoutData(studies) {
  const { stdout } = towerbench(['data', 'list', '--format', 'json'], 'pipe');
  /** @type {{ name: string, state: string }[]} */
  const datasets = JSON.parse(stdout);
  return studies.flatMap((study) => {
    const { dataset } = parse(readFileSync(join(folder, study, 'experiment.yaml'), 'utf8'));
    const isMissing = datasets.some(({ name, state }) => name === dataset.name && state === 'missing');
    return isMissing ? [{ study, dataset: String(dataset.name) }] : [];
  });
}

/** The rows of a study; a last one that a killed process has not finished is left out. @param {string} name */
export function rowsOf(name) {
  const lines = readFileSync(join(folder, name, 'results.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

/** What a recorded study has planned. @param {string} name @returns {{ id: string, variant: string, config: unknown }[]} */
export function plannedTrialsOf(name) {
  return JSON.parse(readFileSync(join(folder, name, 'plan.json'), 'utf8')).trials;
}

/** Those rows of a recorded study whose trials are planned. @param {string} name */
export function plannedRowsOf(name) {
  const planned = new Set(plannedTrialsOf(name).map(({ id }) => id));
  return rowsOf(name).filter(({ trial }) => planned.has(trial));
}

/** Studies whose folder can be imported, by the alphabet. */
export function recordedStudies() {
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'plan.json')))
    .sort();
}
