/**
 * Makes the tables and figures of studies out of the rows in their folders: imported into an empty store, reported, and put into the README.
 *
 *   node experiments/tools/tables.mjs [--check] [NAME ...]
 *
 * Left out, the studies are all whose folder has a `plan.json`. `<!-- report -->` up to `<!-- end of report -->` becomes what `towerbench report
 * --format markdown` prints; `<!-- costs -->` up to `<!-- end of costs -->` what runs took; `<!-- slices METRIC -->` up to
 * `<!-- end of slices -->` a metric by popularity of the item to find; `<!-- reversals METRIC METRIC -->` up to
 * `<!-- end of reversals -->` which variants the two put in opposite orders. A `figure.json` says which curves are drawn. `--check` writes nothing.
 * Exit code 0: tables and figures are as the rows say. 1: with --check, one is not. 2: wrong input.
 */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { costsOf } from './costs.mjs';
import { figureOf } from './curves.mjs';
import { withTables } from './markdown.mjs';
import { reversalsTable } from './reversals.mjs';
import { slicesTable } from './slices.mjs';
import { plannedRowsOf, plannedTrialsOf, recordedStudies, root, towerbench } from './studies.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false } },
});
const all = recordedStudies();
const unknown = positionals.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`there is no recorded study ${unknown.join(', ')}; there are ${all.join(', ')}\n`);
  process.exit(2);
}
const temporary = mkdtempSync(join(tmpdir(), 'towerbench-tables-'));
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }));

for (const name of positionals.length > 0 ? positionals : all) {
  const folder = join(root, 'experiments', name);
  const rows = plannedRowsOf(name);
  const readme = join(folder, 'README.md');
  const tables = {
    report: () => reportOf(name),
    costs: () => costsOf(rows),
    slices: (/** @type {string} */ metric) => slicesTable(folder, rows, metric),
    reversals: (/** @type {string} */ first, /** @type {string} */ second) => reversalsTable(rows, first, second),
  };
  put(name, readme, withTables(readFileSync(readme, 'utf8'), tables));
  const asked = join(folder, 'figure.json');
  if (!existsSync(asked)) continue;
  const figure = JSON.parse(readFileSync(asked, 'utf8'));
  put(name, join(folder, figure.file), figureOf(figure, { folder, rows, trials: plannedTrialsOf(name) }));
}

/** @param {string} name @param {string} path @param {string} content */
function put(name, path, content) {
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return;
  if (values.check) {
    process.stderr.write(`${path} is not what the rows say; run: node experiments/tools/tables.mjs ${name}\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(`${path}.part`, content);
    renameSync(`${path}.part`, path);
  }
}

/** @param {string} name */
function reportOf(name) {
  const store = ['--store', join(temporary, `${name}.sqlite`)];
  const imported = towerbench(['import', 'study', join('experiments', name), ...store], 'pipe');
  if (imported.status !== 0) process.exit(imported.status ?? 1);
  return towerbench(['report', '--experiment', name, '--format', 'markdown', ...store], 'pipe').stdout;
}
