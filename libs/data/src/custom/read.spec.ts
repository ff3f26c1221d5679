import type { ConfigError, Json } from '@towerbench/config';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dataset } from '../contract.js';
import { loadDataset, locate } from '../load.js';
import { readyDataset } from '../ready.js';
import { copyOf, makeFiles, type SampleContent } from './sample-files.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-read-'));
const places = { dataDir: folder, cacheDir: join(folder, 'cache') };
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

type Part = Record<string, Json>;
const make = (files: Readonly<Record<string, SampleContent>>): Promise<void> => makeFiles(folder, files);

function sectionOf(interactions: Part, rest: Part = {}): Parameters<typeof readyDataset>[0] {
  const tables = { interactions, ...rest } as Record<string, Json>;
  const isTable = (key: string): boolean => ['interactions', 'users', 'items', 'exposures'].includes(key);
  return {
    name: 'custom',
    split: { protocol: 'ratio' },
    ...Object.fromEntries(Object.entries(tables).map(([key, value]) => [key, isTable(key) ? { folder, ...(value as Part) } : value])), // prettier-ignore
  };
}

async function read(section: Parameters<typeof readyDataset>[0]): Promise<Dataset> {
  await readyDataset(section, places);
  return loadDataset(locate(section, places), places);
}

/** User, item, time and rating of each row. */
function rowsOf({ interactions, userIds, itemIds }: Dataset): unknown[][] {
  const { user, item, time, rating } = interactions;
  return Array.from(user, (_, row) => [userIds?.at(user[row] as number), itemIds?.at(item[row] as number), time?.[row], rating?.[row]]); // prettier-ignore
}

const refusal = (section: Parameters<typeof readyDataset>[0]): Promise<string> =>
  read(section).then(
    () => 'it was not refused',
    (error: unknown) => ((error as ConfigError).issues[0] as { message: string }).message.replace(/^.*\//, ''),
  );

const ROWS = [
  ['u2', 'b', 1_600_000_000, 4],
  ['u10', 'a', 1_600_000_100, 3],
  ['u2', 'a', 1_600_000_050, 5],
  ['u1', 'c', 1_600_000_200, NaN],
] as const;
const COLUMNS = { user: 'u', item: 'i', time: 't', rating: 'r' };
const textOf = (delimiter: string, end = '\n', names: readonly string[] = ['u', 'i', 't', 'r']): string =>
  [names, ...ROWS].map((row) => row.map((cell) => (Number.isNaN(cell) ? '' : cell)).join(delimiter) + end).join('');
const CSV = textOf(',');
const VALUES = `(VALUES (0, 'u2', 'b', 1600000000, 4), (1, 'u10', 'a', 1600000100, 3), (2, 'u2', 'a', 1600000050, 5), (3, 'u1', 'c', 1600000200, NULL)) v(k, u, i, t, r)`;
const QUERY = `SELECT u, i, t, r FROM ${VALUES} ORDER BY k`;
const PARQUET = copyOf(QUERY, 'FORMAT parquet');
const OBJECTS = ROWS.map(([u, i, t, r]) => ({ u, i, t, r: Number.isNaN(r) ? null : r }));
const JSON_LINES = OBJECTS.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Ways to write the same rows. */
const SAME: Readonly<Record<string, { readonly files: Readonly<Record<string, SampleContent>>; readonly part?: Part }>> = {
  'a BOM in front': { files: { 'e.csv': `\uFEFF${CSV}` } },
  'a BOM in front of quotes': { files: { 'e.csv': `\uFEFF${CSV.replace('u,', '"u",')}` } },
  'lines that end in CR and LF': { files: { 'e.csv': textOf(',', '\r\n') } },
  'lines that end in CR': { files: { 'e.csv': textOf(',', '\r') } },
  'no end of the last line': { files: { 'e.csv': CSV.slice(0, -1) } },
  'blank lines at the end': { files: { 'e.csv': `${CSV}\n\n` } },
  'blanks around names and ids': { files: { 'e.csv': CSV.replace('u,i', ' u , i ').replaceAll('u2', ' u2 ') } },
  tabs: { files: { 'e.tsv': textOf('\t') }, part: { files: 'e.tsv' } },
  semicolons: { files: { 'e.csv': textOf(';') } },
  bars: { files: { 'e.csv': textOf('|') } },
  'two colons': { files: { 'e.dat': textOf('::') }, part: { files: 'e.dat' } },
  'a delimiter that is said': { files: { 'e.csv': textOf('~~~~') }, part: { delimiter: '~~~~' } },
  'no header': { files: { 'e.csv': CSV.slice(8) }, part: { names: ['u', 'i', 't', 'r'] } },
  'no header and no names': { files: { 'e.csv': CSV.slice(8) }, part: { header: false, columns: { user: 'column0', item: 'column1', time: 'column2', rating: 'column3' } } },
  quotes: { files: { 'e.csv': CSV.replaceAll('u2', '"u2"') } },
  'other quotes': { files: { 'e.csv': CSV.replaceAll('u2', `'u2'`) }, part: { quote: "'" } },
  'a quoted line in another column': { files: { 'e.csv': textOf(',').replaceAll('\n', ',"two\nlines, and ""more"""\n').replace('"two\nlines, and ""more"""', 'x') } },
  'a column called filename and one called towerbench_row': { files: { 'e.csv': CSV.replaceAll('\n', ',1,2\n').replace('1,2', 'filename,towerbench_row') } },
  '300 columns': { files: { 'e.csv': CSV.split('\n').slice(0, -1).map((line, k) => `${line},${Array.from({ length: 296 }, (_, c) => (k === 0 ? `c${c}` : c)).join(',')}\n`).join('') } },
  'UTF-16 with a BOM': { files: { 'e.csv': Buffer.from(`\uFEFF${CSV}`, 'utf16le') }, part: { encoding: 'utf-16' } },
  'UTF-16 without': { files: { 'e.csv': Buffer.from(CSV, 'utf16le') }, part: { encoding: 'utf-16' } },
  'latin-1': { files: { 'e.csv': Buffer.from(CSV.replace('r\n', 'ä\n'), 'latin1') }, part: { encoding: 'latin-1', columns: { ...COLUMNS, rating: 'ä' } } },
  'a time as ISO 8601': { files: { 'e.csv': CSV.replaceAll(/16\d+/g, (s) => new Date(Number(s) * 1000).toISOString()) } },
  'a time with a zone': { files: { 'e.csv': CSV.replaceAll(/16\d+/g, (s) => `${new Date((Number(s) + 7200) * 1000).toISOString().slice(0, 19)}+02:00`) } },
  'a time in milliseconds': { files: { 'e.csv': CSV.replaceAll(/16\d+/g, '$&000') } },
  'a time in nanoseconds': { files: { 'e.csv': CSV.replaceAll(/16\d+/g, '$&000000000') } },
  'gzip': { files: { 'e.csv.gz': gzipSync(CSV) }, part: { files: 'e.csv.gz' } },
  'gzip of two members': { files: { 'e.csv.gz': Buffer.concat([gzipSync(CSV.slice(0, 20)), gzipSync(CSV.slice(20))]) }, part: { files: 'e.csv.gz' } },
  Zstandard: { files: { 'e.csv.zst': copyOf(QUERY, 'FORMAT csv, COMPRESSION zstd') }, part: { files: 'e.csv.zst' } },
  Parquet: { files: { 'e.parquet': PARQUET }, part: { files: 'e.parquet' } },
  'Parquet with moments': { files: { 'e.parquet': copyOf(`SELECT u, i, make_timestamp(t::BIGINT * 1000000) AS t, r::DOUBLE AS r FROM ${VALUES} ORDER BY k`, 'FORMAT parquet') }, part: { files: 'e.parquet' } },
  'Parquet with another ending': { files: { 'e.snappy': PARQUET }, part: { files: 'e.snappy', format: 'parquet' } },
  'JSON lines': { files: { 'e.jsonl': JSON_LINES }, part: { files: 'e.jsonl' } },
  'packed JSON lines': { files: { 'e.jsonl.gz': gzipSync(JSON_LINES) }, part: { files: 'e.jsonl.gz' } },
  'a list of JSON': { files: { 'e.json': JSON.stringify(OBJECTS, null, 2) }, part: { files: 'e.json' } },
  'a link': { files: { 'real/f.csv': CSV, 'e.csv': (path) => symlinkSync('real/f.csv', path) } },
  'three files': { files: { 'b.csv': `u,i,t,r\n${CSV.split('\n')[2]}\n`, 'a.csv': `u,i,t,r\n${CSV.split('\n')[1]}`, 'c.csv': `u,i,t,r\n${CSV.split('\n').slice(3).join('\n')}` }, part: { files: '*.csv' } },
  'files in the order of a list': { files: { 'z.csv': CSV.split('\n').slice(0, 3).join('\n'), 'a.csv': `u,i,t,r\n${CSV.split('\n').slice(3).join('\n')}` }, part: { files: ['z.csv', 'a.csv'] } },
  'files in folders': { files: { 'day=1/e.csv': CSV.split('\n').slice(0, 3).join('\n'), 'day=2/e.csv': `u,i,t,r\n${CSV.split('\n').slice(3).join('\n')}` }, part: { files: 'day=*/e.csv' } },
  'Parquet files with whole numbers of two widths': { files: { 'a.parquet': copyOf(`SELECT u, i, t::BIGINT AS t, r::TINYINT AS r FROM ${VALUES} WHERE k < 2 ORDER BY k`, 'FORMAT parquet'), 'b.parquet': copyOf(`SELECT u, i, t::INTEGER AS t, r::BIGINT AS r FROM ${VALUES} WHERE k > 1 ORDER BY k`, 'FORMAT parquet') }, part: { files: '*.parquet' } },
  'a path with quotes, blanks, brackets, umlauts and an emoji': { files: { [`it's "my" [1] {dir} ü/e (é) 🎈 *.csv`]: CSV }, part: { files: `it's "my" [1] {dir} ü/e (é) 🎈 *.csv` } },
  'names with quotes, blanks, umlauts and an emoji': { files: { 'e.csv': textOf(',', '\n', ['"who ""is"" it"', `it's`, 'Zeit ü', '🎈']) }, part: { columns: { user: 'who "is" it', item: "it's", time: 'Zeit ü', rating: '🎈' } } },
  'a query': { files: { 'e.csv': CSV }, part: { sql: `SELECT * FROM 'e.csv'` } },
  'a query with an end and a remark': { files: { 'e.csv': CSV }, part: { sql: `SELECT * FROM 'e.csv' -- all\n;` } },
  'a query over a file that stands in a list': { files: { 'e.csv': CSV }, part: { sql: `FROM read_csv(['e.csv'], all_varchar = true)` } },
  'a condition': { files: { 'e.csv': `${CSV}u3,a,1600000000,1\n` }, part: { where: `u <> 'u3' -- not them` } },
}; // prettier-ignore

describe('the same rows', () => {
  it.each(Object.entries(SAME))('in %s are the same data', async (_, { files, part = {} }) => {
    await make({ ...files, 'plain/e.csv': CSV });
    const source = 'sql' in part ? part : { files: 'e.csv', ...part };
    const [found, plain] = [
      await read(sectionOf({ columns: COLUMNS, ...source })),
      await read(sectionOf({ columns: COLUMNS, files: 'plain/e.csv' })),
    ];
    expect(rowsOf(found)).toEqual(ROWS);
    expect(found.fingerprint).toBe(plain.fingerprint);
  });

  it('are the same after a second reading and in another cache', async () => {
    await make({ 'e.csv': CSV });
    const section = sectionOf({ columns: COLUMNS, files: 'e.csv' });
    const { fingerprint } = await read(section);
    expect((await readyDataset(section, places))?.isNew).toBe(false);
    rmSync(places.cacheDir, { recursive: true });
    expect((await readyDataset(section, places))?.isNew).toBe(true);
    expect(locate(section, places).fingerprint).toBe(fingerprint);
  });

  it('are other data when one number differs', async () => {
    await make({ 'e.csv': CSV, 'f.csv': CSV.replace('1600000050', '1600000051') });
    const [one, other] = [
      await read(sectionOf({ columns: COLUMNS, files: 'e.csv' })),
      await read(sectionOf({ columns: COLUMNS, files: 'f.csv' })),
    ];
    expect(one.fingerprint).not.toBe(other.fingerprint);
  });
});

describe('ids', () => {
  const PAIR = { user: 'u', item: 'i' };
  const BIG = ['9007199254740993', '9007199254740992', '18446744073709551615'];
  const csv = (...pairs: string[]): string => `u,i\n${pairs.map((pair) => `${pair}\n`).join('')}`;
  const idsOf = (dataset: Dataset): unknown[] => rowsOf(dataset).map(([u]) => u);

  it.each([
    ['CSV', 'e.csv', csv(...BIG.map((id) => `${id},1`))],
    ['Parquet', 'e.parquet', copyOf(`SELECT unnest([${BIG.join('::UBIGINT, ')}::UBIGINT]) AS u, 1 AS i`, 'FORMAT parquet')],
    ['decimals of Parquet', 'e.parquet', copyOf(`SELECT unnest([${BIG.join('::DECIMAL(20, 0), ')}::DECIMAL(20, 0)]) AS u, 1 AS i`, 'FORMAT parquet')],
    ['JSON lines', 'e.jsonl', BIG.map((id) => `{"u":${id},"i":1}\n`).join('')],
  ])('keep all digits of large numbers in %s', async (_, name, content) => {
    await make({ [name]: content });
    expect(idsOf(await read(sectionOf({ columns: PAIR, files: name })))).toEqual(BIG);
  }); // prettier-ignore

  it('keep leading zeros, and two spellings are two ids where they are taken as they are', async () => {
    await make({ 'e.csv': csv('007,1', '0010,1'), 'f.csv': csv('7,1', '007,1', '7.0,1') });
    expect(idsOf(await read(sectionOf({ columns: PAIR, files: 'e.csv' })))).toEqual(['007', '0010']);
    const found = await read(sectionOf({ columns: PAIR, files: 'f.csv' }, { ids: 'as-is' }));
    expect([idsOf(found), found.users.numRows]).toEqual([['7', '007', '7.0'], 3]);
  });

  it('of a column of fractions are the whole numbers that they are', async () => {
    await make({ 'e.parquet': copyOf('SELECT k::DOUBLE AS u, k AS i FROM range(3) r(k)', 'FORMAT parquet') });
    expect(idsOf(await read(sectionOf({ columns: PAIR, files: 'e.parquet' })))).toEqual(['0', '1', '2']);
  });

  it('of JSON keep the case that they are written in', async () => {
    const id = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11';
    await make({ 'e.jsonl': `{"u":"${id}","i":"x"}\n` });
    expect(idsOf(await read(sectionOf({ columns: PAIR, files: 'e.jsonl' })))).toEqual([id]);
  });

  it('are in the order of numbers, then of texts', async () => {
    await make({ 'e.csv': csv('b,1', '10,1', '9,1', 'a,1') });
    const { userIds } = await read(sectionOf({ columns: PAIR, files: 'e.csv' }));
    expect([0, 1, 2, 3].map((row) => userIds?.at(row))).toEqual(['9', '10', 'a', 'b']);
  });
});

describe('many rows', () => {
  const NUM = 300_000; // more than two row groups of Parquet, read by several threads
  const query = (from: number, to: number, bad = -1): string =>
    `SELECT (k * 7919) % 997 AS u, CASE WHEN k = ${bad} THEN NULL ELSE (k * 104729) % 1009 END AS i, k AS t FROM range(${from}, ${to}) r(k) ORDER BY k`;
  const columns = { user: 'u', item: 'i', time: 't' };
  const expectOrder = ({ interactions }: Dataset): void => {
    const { user, item, time } = interactions;
    const at = Array.from(user, (_, k) => k).findIndex((k) => time?.[k] !== k || user[k] !== (k * 7919) % 997 || item[k] !== (k * 104729) % 1009);
    expect([at, user.length]).toEqual([-1, NUM]);
  }; // prettier-ignore

  it.each([
    ['Parquet', 'FORMAT parquet', 'parquet'],
    ['CSV', 'FORMAT csv', 'csv'],
  ])('of several files of %s keep their order', async (_, options, ending) => {
    await make({
      [`a.${ending}`]: copyOf(query(0, 200_000), options),
      [`b.${ending}`]: copyOf(query(200_000, 200_001), options),
      [`c.${ending}`]: copyOf(query(200_001, NUM), options),
    });
    expectOrder(await read(sectionOf({ columns, files: `*.${ending}` })));
  });

  it('keep their order where a condition becomes a join', async () => {
    await make({ 'a.csv': copyOf(query(0, 200_000), 'FORMAT csv'), 'b.csv': copyOf(query(200_000, 200_001), 'FORMAT csv'), 'c.csv': copyOf(query(200_001, NUM), 'FORMAT csv') }); // prettier-ignore
    const where = `u NOT IN ('-1', '-2', '-3', '-4', '-5', '-6', '-7')`;
    expectOrder(await read(sectionOf({ columns, files: '*.csv', where })));
  });

  it.each([
    ['Parquet', 'FORMAT parquet', 'parquet'],
    ['CSV', 'FORMAT csv', 'csv'],
  ])('of %s: a message names the row of the file, with a condition too', async (_, options, ending) => {
    await make({
      [`a.${ending}`]: copyOf(query(0, 100_000), options),
      [`b.${ending}`]: copyOf(query(100_000, NUM, 250_000), options),
    });
    const where = 't::BIGINT % 2 = 0';
    for (const part of [{}, { where }]) {
      const section = sectionOf({ columns, files: `*.${ending}`, ...part });
      expect(await refusal(section)).toBe(`b.${ending} row 150001: nothing in column "i" is no id`);
    }
  });
});

describe('features', () => {
  const columns = { user: 'u', item: 'i' };
  const items = (files: string, features: Part, rest: Part = {}): Part => ({ items: { files, columns: { item: 'i' }, features, ...rest } }); // prettier-ignore
  const EVENTS = 'u,i\n1,a\n1,b\n';
  const multiOf = ({ items: { columns: found } }: Dataset, name: string): unknown => {
    const column = found[name];
    if (column?.kind !== 'multi') return column;
    return Array.from({ length: column.offsets.length - 1 }, (_, row) => Array.from(column.ids.subarray(column.offsets[row], column.offsets[row + 1]), (id) => column.values[id])); // prettier-ignore
  };

  it('of several values are the same as lists of Parquet and as text: each once, with quotes and all digits', async () => {
    await make({
      'e.csv': EVENTS,
      'i.csv': `i,tags\na,it's|two words|9007199254740993|it's\nb,\n`,
      'i.parquet': copyOf(`SELECT 'a' AS i, ['it''s', 'two words', '9007199254740993', 'it''s'] AS tags UNION ALL SELECT 'b', []`, 'FORMAT parquet'), // prettier-ignore
      'n.parquet': copyOf(
        `SELECT 'a' AS i, [9007199254740993, 7] AS tags UNION ALL SELECT 'b', NULL`,
        'FORMAT parquet',
      ),
    });
    const tags = { kind: 'multi' };
    const expected = [["it's", 'two words', '9007199254740993'], []];
    expect(multiOf(await read(sectionOf({ columns, files: 'e.csv' }, items('i.csv', { tags: { ...tags, separator: '|' } }))), 'tags')).toEqual(expected); // prettier-ignore
    expect(multiOf(await read(sectionOf({ columns, files: 'e.csv' }, items('i.parquet', { tags }))), 'tags')).toEqual(expected); // prettier-ignore
    expect(multiOf(await read(sectionOf({ columns, files: 'e.csv' }, items('n.parquet', { tags }))), 'tags')).toEqual([['9007199254740993', '7'], []]); // prettier-ignore
  });

  it('that are vectors keep equal numbers, as text and as lists', async () => {
    await make({
      'e.csv': EVENTS,
      'i.csv': 'i,v\na,0.5 0.5 1\nb,"[0, 0, 0]"\n',
      'i.parquet': copyOf(`SELECT 'a' AS i, [0.5, 0.5, 1]::FLOAT[3] AS v UNION ALL SELECT 'b', [0, 0, 0]::FLOAT[3]`, 'FORMAT parquet'), // prettier-ignore
    });
    for (const files of ['i.csv', 'i.parquet']) {
      const { items: table } = await read(
        sectionOf({ columns, files: 'e.csv' }, items(files, { v: { kind: 'vector' } })),
      );
      expect(table.columns['v']).toEqual({ kind: 'vector', width: 3, values: Float32Array.of(0.5, 0.5, 1, 0, 0, 0) });
    }
  });

  it('of items without a row are unknown where that is allowed', async () => {
    await make({ 'e.csv': EVENTS, 'i.csv': 'i,name,price,kind\nb,Bee,2,k\n' });
    const features = { price: { kind: 'numeric' }, kind: { kind: 'categorical' } };
    const rest = items('i.csv', features, { missing: 'unknown', columns: { item: 'i', title: 'name' } });
    const { items: table, itemTitles } = await read(sectionOf({ columns, files: 'e.csv' }, rest));
    expect(table.columns['price']).toEqual({ kind: 'numeric', values: Float32Array.of(NaN, 2) });
    expect(table.columns['kind']).toEqual({ kind: 'categorical', ids: Uint8Array.of(0, 1), values: ['', 'k'] });
    expect([itemTitles?.at(0), itemTitles?.at(1)]).toEqual(['a', 'Bee']);
  });
});

describe('files that change', () => {
  const section = sectionOf({ columns: COLUMNS, files: 'e.csv' });

  it('are read anew when they are asked for anew, and what was read before stays what it was until then', async () => {
    await make({ 'e.csv': CSV });
    const before = await read(section);
    writeFileSync(join(folder, 'e.csv'), `${CSV}u3,a,1600000300,1\n`);
    expect(rowsOf(loadDataset(locate(section, places), places))).toEqual(ROWS); // a run that was planned before
    const after = await read(section);
    expect([rowsOf(after).length, after.fingerprint === before.fingerprint]).toEqual([5, false]);
    writeFileSync(join(folder, 'e.csv'), CSV);
    expect((await read(section)).fingerprint).toBe(before.fingerprint);
  });
});

describe('a cache that cannot be written', () => {
  const section = sectionOf({ columns: COLUMNS, files: 'e.csv' });
  const refusedIn = (cacheDir: string): Promise<string> =>
    readyDataset(section, { ...places, cacheDir }).then(
      () => 'it was not refused',
      (error: unknown) => (error as ConfigError).issues[0]?.message.replaceAll(folder, '') ?? '',
    );

  it('because a file is in its place is told', async () => {
    await make({ 'e.csv': CSV, taken: '' });
    expect(await refusedIn(join(folder, 'taken/cache'))).toMatch(
      /^the tables cannot be kept in \/taken\/cache: ENOTDIR/,
    );
  });

  it('is left as it was where the last step fails', async () => {
    await make({ 'e.csv': CSV });
    await readyDataset(section, places);
    const [memory] = readdirSync(places.cacheDir).filter((name) => name.endsWith('.json'));
    rmSync(join(places.cacheDir, memory as string));
    mkdirSync(join(places.cacheDir, memory as string)); // no file can be renamed to it
    const before = readdirSync(places.cacheDir).sort();
    expect(await refusedIn(places.cacheDir)).toMatch(/^the tables cannot be kept in \/cache: EISDIR/);
    expect(readdirSync(places.cacheDir).sort()).toEqual(before);
  });
});
