/**
 * Puts tables made of measured lines into a Markdown file, so that no figure in it is typed.
 *
 *   node tools/peers/write-tables.mjs FILE.md LINES.jsonl [--check]
 *
 * Between `<!-- table: bench=dssm-step embedding=dense -->` and `<!-- end of table -->` comes the table of the lines with those fields;
 * `columns=a,b` names the columns of lines that have no peer. `--check` writes nothing.
 * Exit code 0: the tables are as the lines say. 1: with --check, they are not. 2: wrong input.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { withTables } from './table.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false } },
});
const [file, lines] = positionals;
if (file === undefined || lines === undefined) {
  process.stderr.write('node tools/peers/write-tables.mjs FILE.md LINES.jsonl [--check]\n');
  process.exit(2);
}
const before = readFileSync(file, 'utf8');
const after = withTables(
  before,
  readFileSync(lines, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line)),
);
if (values.check && after !== before) {
  process.stderr.write(
    `${file}: a table is not what ${lines} says; run: node tools/peers/write-tables.mjs ${file} ${lines}\n`,
  );
  process.exitCode = 1;
} else if (!values.check) {
  writeFileSync(`${file}.part`, after);
  renameSync(`${file}.part`, file);
}
