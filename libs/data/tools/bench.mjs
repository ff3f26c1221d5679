// Reads a generated Parquet file of 20 million interactions into training data, and once more from what was kept; beside pandas and
// pyarrow doing the same, where tools/peers/setup-pandas.sh has got them. `npx nx run data:bench -- --rounds 5 --rows 1000000`; one
// JSON object per line, medians over the rounds, in which the two take turns.
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { prepareData, readyDataset } from '../dist/index.js';

const {
  rows: rowsText,
  rounds: roundsText,
  out,
  child,
} = parseArgs({
  options: {
    rows: { type: 'string', default: '20000000' },
    rounds: { type: 'string', default: '3' },
    out: { type: 'string' },
    child: { type: 'string', multiple: true },
  },
}).values;
const numRows = Number(rowsText);

/** How ids are written: `u` and `i` are whole numbers, some often and most seldom. */
const FORMS = { 'whole numbers': ['u', 'i'], text: [`'user-' || lpad(u::VARCHAR, 8, '0')`, `'item-' || i`] };

if (child === undefined) await compare();
else await measure(...child);

async function compare() {
  const peers = resolve(process.env['TOWERBENCH_PEERS'] ?? join(import.meta.dirname, '../../../.towerbench/peers'));
  const python = join(peers, 'pandas', 'bin', 'python');
  const pandas = join(import.meta.dirname, 'read_with_pandas.py');
  const folder = mkdtempSync(join(process.env['TOWERBENCH_BENCH_FOLDER'] ?? tmpdir(), 'towerbench-bench-'));
  /** @type {Record<string, (mode: string, file: string, kept: string) => string[]>} */
  const contestants = {
    ours: (...given) => [process.execPath, import.meta.filename, ...given.flatMap((each) => ['--child', each])],
    ...(existsSync(python) ? { theirs: (...given) => [python, pandas, ...given] } : {}),
  };
  if (!existsSync(python)) process.stderr.write(`pandas is not in ${peers}: tools/peers/setup-pandas.sh gets it\n`);
  try {
    for (const [form, ids] of Object.entries(FORMS)) {
      const file = join(folder, 'interactions.parquet');
      await generate(file, ids);
      const found = new Map(Object.keys(contestants).map((who) => [who, /** @type {Record<string, any>[]} */ ([])]));
      for (let round = 0; round < Number(roundsText); round++) {
        for (const [who, commandOf] of Object.entries(contestants)) {
          const kept = join(folder, `${who}-kept`);
          mkdirSync(kept);
          const [first, again] = ['first', 'again'].map((mode) => {
            const [program, ...args] = commandOf(mode, file, kept);
            return JSON.parse(execFileSync(/** @type {string} */ (program), args, { encoding: 'utf8' }));
          });
          rmSync(kept, { recursive: true });
          if (JSON.stringify([first.sums, first.train]) !== JSON.stringify([again.sums, again.train]))
            throw new Error(`${who}: what was kept is not what was made`);
          found.get(who)?.push({ ...first, again: again.again });
          process.stderr.write(`${form}, ${who}: ${first.read.toFixed(1)} s + ${first.prepare.toFixed(1)} s, again ${again.again.toFixed(2)} s\n`); // prettier-ignore
        }
      }
      requireSame([...found.values()].map(([first]) => first));
      for (const [who, all] of found) print(form, who, all);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {(Record<string, any> | undefined)[]} results */
function requireSame(results) {
  const said = new Set(results.map((each) => JSON.stringify([each?.['train'], each?.['test'], each?.['sums']])));
  if (said.size > 1) throw new Error(`the results differ: ${[...said].join(' and ')}`);
}

/** @param {string} form @param {string} who @param {Record<string, any>[]} all */
function print(form, who, all) {
  const record = {
    bench: 'data-read',
    ...{ ids: form, rows: numRows, who: who === 'ours' ? 'Towerbench' : all[0]?.['versions'], rounds: all.length },
    ...Object.fromEntries(
      ['read', 'prepare', 'again', 'cpu', 'peak_gb'].flatMap((name) => {
        const values = all.map((each) => each[name]).sort((a, b) => a - b);
        const key = name === 'peak_gb' ? name : `${name}_seconds`;
        return [[key, values[Math.floor(values.length / 2)]], [`${key}_range`, [values[0], values.at(-1)]]]; // prettier-ignore
      }),
    ),
    ...{ node: process.version, cpu: cpus()[0]?.model, cores: availableParallelism(), load: loadavg()[0] },
  };
  const line = JSON.stringify(record, (_, value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(3)) : value,
  );
  process.stdout.write(`${line}\n`);
  if (out !== undefined) appendFileSync(out, `${line}\n`);
}

/** @param {string} file @param {string[]} ids */
async function generate(file, [user, item]) {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const draw = (stream, size, power) => `floor(power((hash(k, ${stream}) % 1000003) / 1000003.0, ${power}) * ${size})::BIGINT`; // prettier-ignore
  await connection.run(
    `COPY (SELECT ${user} AS user_id, ${item} AS item_id, 1600000000 + (hash(k, 3) % 31536000)::BIGINT AS ts
           FROM (SELECT k, ${draw(1, numRows / 20, 2)} AS u, ${draw(2, numRows / 100, 3)} AS i FROM range(${numRows}) r(k)))
     TO '${file}' (FORMAT parquet)`,
  );
  connection.closeSync();
}

/** @param {string} mode @param {string} file @param {string} kept */
async function measure(mode, file, kept) {
  const section = {
    name: 'custom',
    interactions: { folder: kept, files: file, columns: { user: 'user_id', item: 'item_id', time: 'ts' } },
  };
  const places = { dataDir: kept, cacheDir: kept };
  const begun = performance.now();
  const before = process.cpuUsage();
  const seconds = () => (performance.now() - begun) / 1000;
  await readyDataset(section, places);
  const read = seconds();
  const { train, test } = prepareData(section, places);
  const { user, system } = process.cpuUsage(before);
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const result = {
    ...(mode === 'first' ? { read, prepare: seconds() - read } : { again: seconds() }),
    ...{ cpu: (user + system) / 1e6, peak_gb: (process.resourceUsage().maxRSS * 1024) / 1e9 },
    ...{ train: train.user.length, test: test.users.length },
    sums: [train.item, train.historyEnd, test.positives.items].map(sum),
  };
  process.stdout.write(JSON.stringify(result));
}
