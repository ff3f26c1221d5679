/*
 * Makes a folder such as people have: who watched what and when in three Parquet files, 100,000 rows in all, and a CSV file of the movies.
 * It is the world `world/movies` for which tastes are known, so that what a model finds in it can be judged. No random file: the same each time.
 *
 *   node tools/sample-logs.mjs FOLDER
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadDataset, locate } from '@towerbench/data';

const NUM_ROWS = 100_000;
const [folder] = process.argv.slice(2);
if (folder === undefined || existsSync(folder)) {
  process.stderr.write(`${folder === undefined ? 'name the folder to make' : `${folder} is there already`}: node tools/sample-logs.mjs FOLDER\n`); // prettier-ignore
  process.exit(2);
}

const nowhere = mkdtempSync(join(tmpdir(), 'towerbench-sample-'));
const places = { dataDir: nowhere, cacheDir: nowhere };
const { interactions, items } = loadDataset(locate({ name: 'world/movies', numUsers: 4400 }, places), places);
const { user, item, time } = interactions;
if (time === null) throw new Error('the world has no times');
const rows = [...user.keys()].sort((a, b) => (time[a] ?? 0) - (time[b] ?? 0)).slice(0, NUM_ROWS);
const name = (/** @type {string} */ letter, /** @type {number | undefined} */ id) =>
  `${letter}${String(id).padStart(5, '0')}`;

mkdirSync(folder, { recursive: true });
const log = join(nowhere, 'log.csv');
writeFileSync(log, ['user_id,movie_id,watched_at', ...rows.map((row) => `${name('u', user[row])},${name('m', item[row])},${(time[row] ?? 0) * 1000}`)].join('\n')); // prettier-ignore
const instance = await DuckDBInstance.create(':memory:');
const connection = await instance.connect();
for (const part of [1, 2, 3]) {
  const from = Math.floor(((part - 1) * NUM_ROWS) / 3);
  const until = Math.floor((part * NUM_ROWS) / 3);
  await connection.run(`COPY (SELECT * FROM '${log}' LIMIT ${until - from} OFFSET ${from}) TO '${resolve(folder, `watched-${part}.parquet`)}' (FORMAT parquet)`); // prettier-ignore
}
connection.closeSync();
instance.closeSync();

const { genres, year } = items.columns;
if (genres?.kind !== 'multi' || year?.kind !== 'numeric') throw new Error('the movies have no genres or years');
const lines = [...year.values].map((made, row) => {
  const of = [...genres.ids.subarray(genres.offsets[row], genres.offsets[row + 1])].map((id) => genres.values[id]);
  return `${name('m', row)},${of[0]} no ${row + 1} (${made}),${of.join('|')},${made}`;
});
writeFileSync(join(folder, 'movies.csv'), `${['movie_id,title,genres,year', ...lines].join('\n')}\n`);
rmSync(nowhere, { recursive: true });
process.stdout.write(
  `written: ${folder}: ${NUM_ROWS.toLocaleString('en')} rows, ${lines.length.toLocaleString('en')} movies\n`,
);
