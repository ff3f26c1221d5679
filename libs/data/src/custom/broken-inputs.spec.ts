import { ConfigError, type Json } from '@towerbench/config';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { prepareData } from '../prepare.js';
import { readyDataset } from '../ready.js';
import { copyOf, makeFiles, runSql, type SampleContent } from './sample-files.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-broken-'));
const isRoot = process.getuid?.() === 0;
let cacheDir = '';
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  cacheDir = join(folder, 'cache');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Three users with four rows each, in a file that is as it should be. */
const HEADER = 'who,what,when,stars';
const ROWS = ['a', 'b', 'c'].flatMap((user, u) =>
  ['x', 'y', 'z', 'w'].map((item, k) => `${user},${item},${1_600_000_000 + 100 * k + u},${k + 1}`),
);
const GOOD = lines(HEADER, ...ROWS);
const COLUMNS = { user: 'who', item: 'what', time: 'when', rating: 'stars' };
const PAIR = { user: 'who', item: 'what' };

function lines(...all: string[]): string {
  return all.map((line) => `${line}\n`).join('');
}

/** The good file with row `row` (from 1) in other words. */
function withRow(row: number, text: string): string {
  return lines(HEADER, ...ROWS.map((line, k) => (k + 1 === row ? text : line)));
}

/** The good file with one cell of each row changed. */
function withColumn(column: number, cell: (row: number) => string): string {
  return lines(
    HEADER,
    ...ROWS.map((line, k) => line.split(',').map((each, c) => (c === column ? cell(k + 1) : each)).join(',')),
  ); // prettier-ignore
}

type Part = Record<string, Json>;

/** A Parquet file with the rows of a query. */
const parquet = (query: string, options = 'FORMAT parquet') => copyOf(query, options);
const GOOD_PARQUET = parquet(
  `SELECT ['a', 'b', 'c'][u + 1] AS who, ['x', 'y', 'z', 'w'][k + 1] AS what, 1600000000 + 100 * k + u AS "when", k + 1 AS stars FROM range(3) a(u), range(4) b(k) ORDER BY u, k`,
);
const link =
  (target: string) =>
  (path: string): void =>
    symlinkSync(target, path);

const sectionOf = (interactions: Part, rest: Part = {}): Parameters<typeof readyDataset>[0] => {
  const inFolder = (source: Json | undefined): Json => ({ folder, ...(source as Part) });
  return {
    name: 'custom',
    ...rest,
    interactions: inFolder({ ...('files' in interactions || 'sql' in interactions ? {} : { files: 'events.csv' }), columns: COLUMNS, ...interactions }), // prettier-ignore
    ...Object.fromEntries(['users', 'items', 'exposures'].filter((key) => key in rest).map((key) => [key, inFolder(rest[key])])), // prettier-ignore
  };
};
const placesOf = () => ({ dataDir: folder, cacheDir });

async function refusalOf(section: ReturnType<typeof sectionOf>): Promise<ConfigError> {
  try {
    await readyDataset(section, placesOf());
    prepareData(section, placesOf());
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

/** What a person reads, without the folder. */
function textOf({ issues }: ConfigError): string {
  const text = issues.map(({ code, path, message, ...rest }) => {
    const details = (['received', 'allowed', 'hint'] as const).flatMap((key) => (rest[key] === undefined ? [] : [`${key} ${rest[key]}`])); // prettier-ignore
    return [`${code} at ${path}: ${message}`, ...details].join('\n');
  });
  return text
    .join('\n')
    .replaceAll(`${relative(process.cwd(), folder)}/`, '') // first, as it may end in the whole path
    .replaceAll(`${folder}/`, '');
}

interface Broken {
  readonly files?: Readonly<Record<string, SampleContent>>;
  readonly interactions?: Part;
  readonly rest?: Part;
  /** Line by line, without the folder. */
  readonly says: readonly string[] | RegExp;
  /** Why it cannot be tried here. */
  readonly skip?: boolean;
  /** The tables are sound, what is asked of them is not. */
  readonly isRead?: boolean;
}

const ITEMS = lines('sku,name,kind,price', 'x,X,k,1', 'y,Y,k,2', 'z,Z,l,3', 'w,W,l,4');
const items = (rest: Part = {}): Part => ({ items: { files: 'items.csv', columns: { item: 'sku' }, ...rest } });

const BROKEN: Readonly<Record<string, Broken>> = {
  // files
  'a file that is not there': {
    says: [
      'data-missing at dataset.interactions.files: there is no file "events.csv"',
      'received events.csv',
      'hint paths are relative to the experiment file',
    ],
  },
  'a file with a similar name': {
    files: { 'event.csv': GOOD },
    says: [
      'data-missing at dataset.interactions.files: there is no file "events.csv"',
      'received events.csv',
      'hint did you mean "event.csv"?',
    ],
  },
  'a folder that is not there': {
    interactions: { files: 'data/events.csv' },
    says: [
      'data-missing at dataset.interactions.files: there is no file "data/events.csv"',
      'received data/events.csv',
      'hint there is no folder "data"; paths are relative to the experiment file',
    ],
  },
  'an empty file': {
    files: { 'events.csv': '' },
    says: ['data-empty-file at dataset.interactions.files: "events.csv" is empty', 'received events.csv'],
  },
  'a folder': {
    files: { 'events/a.parquet': GOOD_PARQUET },
    interactions: { files: 'events' },
    says: [
      'data-folder at dataset.interactions.files: "events" is a folder',
      'received events',
      'hint name its files: events/*.parquet',
    ],
  },
  'an address': {
    interactions: { files: 'https://example.com/events.csv' },
    says: [
      'data-address at dataset.interactions.files: "https://example.com/events.csv" is an address, and only files are read',
      'received https://example.com/events.csv',
      'hint download it, and name the file',
    ],
  },
  'an address of a bucket': {
    interactions: { files: 's3://bucket/events.parquet' },
    says: [
      'data-address at dataset.interactions.files: "s3://bucket/events.parquet" is an address, and only files are read',
      'received s3://bucket/events.parquet',
      'hint download it, and name the file',
    ],
  },
  'a path with ~': {
    interactions: { files: '~/events.csv' },
    says: [
      'data-missing at dataset.interactions.files: there is no file "~/events.csv"',
      'received ~/events.csv',
      'hint ~ stands for no folder here; write the whole path',
    ],
  },
  'a pattern that matches nothing': {
    files: { 'events.csv': GOOD },
    interactions: { files: 'event-*.csv' },
    says: [
      'data-missing at dataset.interactions.files: no file matches "event-*.csv"',
      'received event-*.csv',
      'hint did you mean "events.csv"?',
    ],
  },
  'a broken link': {
    files: { 'events.csv': link('gone.csv') },
    says: [
      'data-missing at dataset.interactions.files: "events.csv" is a link to "gone.csv", which is not there',
      'received events.csv',
      'hint mend the link, or name the file itself',
    ],
  },
  'a file that may not be read': {
    files: {
      'events.csv': (path) => {
        writeFileSync(path, GOOD);
        chmodSync(path, 0);
      },
    },
    skip: isRoot,
    says: [
      'data-unreadable at dataset.interactions.files: events.csv cannot be opened: EACCES',
      'hint give yourself the right to read it',
    ],
  },
  'an ending that says nothing': {
    files: { 'events.xlsx': GOOD },
    interactions: { files: 'events.xlsx' },
    says: [
      'data-format at dataset.interactions.files: what "events.xlsx" holds cannot be told from its name',
      'received events.xlsx',
      'allowed csv, parquet, json (also .tsv, .txt, .jsonl, .ndjson, and each with .gz or .zst)',
      'hint write format: csv (or parquet, json) beside files',
    ],
  },
  'files of two forms': {
    files: { 'a.csv': GOOD, 'b.parquet': GOOD_PARQUET },
    interactions: { files: ['a.csv', 'b.parquet'] },
    says: [
      'data-formats at dataset.interactions.files: a.csv is csv, but b.parquet is parquet',
      'hint take files of one form, or bring them together with sql',
    ],
  },
  'a gz that is none': {
    files: { 'events.csv.gz': GOOD },
    interactions: { files: 'events.csv.gz' },
    says: [
      'data-form at dataset.interactions.files: events.csv.gz is no gzip file, though its name ends in .gz',
      'received events.csv.gz',
      'hint rename it, or get it again',
    ],
  },
  'a gz that is cut off': {
    files: {
      'events.csv.gz': gzipSync(
        lines(HEADER, ...Array.from({ length: 20000 }, (_, k) => `u${k},${(k * 7919) % 10007},${1.6e9 + k},3`)),
      ).subarray(0, 60_000),
    },
    interactions: { files: 'events.csv.gz' },
    says: [
      'data-form at dataset.interactions.files: events.csv.gz is cut off or damaged: unexpected end of file',
      'received events.csv.gz',
      'hint get it again; gzip -t FILE checks it',
    ],
  },
  'an empty gz': {
    files: { 'events.csv.gz': gzipSync('') },
    interactions: { files: 'events.csv.gz' },
    says: [
      'data-form at dataset.interactions.files: events.csv.gz holds nothing',
      'received events.csv.gz',
      'hint get it again',
    ],
  },
  'a plain name with gz content': {
    files: { 'events.csv': gzipSync(GOOD) },
    says: [
      'data-form at dataset.interactions.files: events.csv is a gzip file by its content',
      'received events.csv',
      'hint name it events.csv.gz',
    ],
  },
  'a zst that is none': {
    files: { 'events.csv.zst': GOOD },
    interactions: { files: 'events.csv.zst' },
    says: [
      'data-form at dataset.interactions.files: events.csv.zst is no Zstandard file, though its name ends in .zst',
      'received events.csv.zst',
      'hint rename it, or get it again',
    ],
  },
  'Parquet that is cut off': {
    files: {
      'events.parquet': async (path) => {
        await GOOD_PARQUET(path);
        truncateSync(path, 300);
      },
    },
    interactions: { files: 'events.parquet' },
    says: [
      'data-form at dataset.interactions.files: events.parquet is cut off: Parquet ends in PAR1',
      'received events.parquet',
      'hint get it again',
    ],
  },
  'CSV with the name of Parquet': {
    files: { 'events.parquet': GOOD },
    interactions: { files: 'events.parquet' },
    says: [
      'data-form at dataset.interactions.files: events.parquet is no Parquet file',
      'received events.parquet',
      'hint where it is text, write format: csv (or json)',
    ],
  },
  'Parquet with the name of CSV': {
    files: { 'events.csv': GOOD_PARQUET },
    says: [
      'data-form at dataset.interactions.files: events.csv is a Parquet file by its content',
      'received events.csv',
      'hint write format: parquet',
    ],
  },
  'Parquet with a damaged page': {
    files: {
      'events.parquet': async (path) => {
        await GOOD_PARQUET(path);
        const bytes = readFileSync(path);
        bytes.fill(0xff, 4, 60);
        writeFileSync(path, bytes);
      },
    },
    interactions: { files: 'events.parquet' },
    says: [
      `data-unreadable at dataset.interactions.files: events.parquet cannot be read: don't know what type:`,
      'hint mend the file, or say what it is with format',
    ],
  },
  'JSON lines that break in line 3': {
    files: {
      'events.jsonl': lines(
        '{"who":"a","what":"x"}',
        '{"who":"a","what":"y"}',
        '{"who":"a","what":',
        '{"who":"a","what":"z"}',
      ),
    },
    interactions: { files: 'events.jsonl', columns: PAIR },
    says: [
      'data-json at dataset.interactions.files: events.jsonl:3 is no JSON',
      'received {"who":"a","what":',
      'allowed one whole object on each line',
      'hint mend the line, or name the file .json where an object goes over several lines',
    ],
  },
  'JSON of lists': {
    files: { 'events.json': '[["a","x"],["b","y"]]' },
    interactions: { files: 'events.json', columns: PAIR },
    says: [
      'data-json at dataset.interactions.files: events.json holds no objects',
      'allowed one object for each row: {"user": "u1", "item": "i1"}',
      'hint write objects, in a list or one on each line',
    ],
  },
  'JSON of one object by key': {
    files: { 'events.json': '{"a":{"what":"x"},"b":{"what":"y"}}' },
    interactions: { files: 'events.json', columns: PAIR },
    says: [
      'data-column at dataset.interactions.columns.user: events.json has no column "who"',
      'received who',
      'allowed a, b',
      'data-column at dataset.interactions.columns.item: events.json has no column "what"',
      'received what',
      'allowed a, b',
    ],
  },
  'JSON that is a text': {
    files: { 'events.json': '"hello"' },
    interactions: { files: 'events.json', columns: PAIR },
    says: [
      'data-json at dataset.interactions.files: events.json holds no objects',
      'allowed one object for each row: {"user": "u1", "item": "i1"}',
      'hint write objects, in a list or one on each line',
    ],
  },
  'gzip that is damaged': {
    files: { 'events.csv.gz': gzipSync(GOOD).map((byte, at, all) => (at === all.length - 6 ? byte ^ 1 : byte)) },
    interactions: { files: 'events.csv.gz' },
    says: [
      'data-form at dataset.interactions.files: events.csv.gz is cut off or damaged: incorrect data check',
      'received events.csv.gz',
      'hint get it again; gzip -t FILE checks it',
    ],
  },
  'gzip that ends at the end of a row': {
    files: { 'events.csv.gz': gzipSync(GOOD).subarray(0, -8) },
    interactions: { files: 'events.csv.gz' },
    says: [
      'data-form at dataset.interactions.files: events.csv.gz is cut off or damaged: unexpected end of file',
      'received events.csv.gz',
      'hint get it again; gzip -t FILE checks it',
    ],
  },
  'a zst that is cut off': {
    files: {
      'events.csv.zst': async (path) => {
        await runSql(
          `COPY (SELECT range AS who, hash(range) AS what FROM range(200000)) TO '${path}' (FORMAT csv, COMPRESSION zstd)`,
        );
        truncateSync(path, statSync(path).size - 1);
      },
    },
    interactions: { files: 'events.csv.zst', columns: PAIR },
    says: [
      'data-form at dataset.interactions.files: events.csv.zst is cut off',
      'received events.csv.zst',
      'hint get it again; zstd -t FILE checks it',
    ],
  },
  'packed Parquet': {
    files: {
      'events.parquet.gz': async (path) => {
        await GOOD_PARQUET(path);
        writeFileSync(path, gzipSync(readFileSync(path)));
      },
    },
    interactions: { files: 'events.parquet.gz' },
    says: [
      'data-form at dataset.interactions.files: events.parquet.gz is packed Parquet, which is not read',
      'received events.parquet.gz',
      'hint unpack it: gunzip FILE',
    ],
  },
  'a file of Excel': {
    files: { 'events.csv': Buffer.from('PK\u0003\u0004 and more') },
    says: [
      'data-form at dataset.interactions.files: events.csv is a zip archive by its content, as files of Excel are',
      'received events.csv',
      'hint unpack it, or save it as CSV',
    ],
  },
  'a path through a file': {
    files: { 'events.csv': GOOD },
    interactions: { files: 'events.csv/more.csv' },
    says: [
      'data-missing at dataset.interactions.files: there is no file "events.csv/more.csv"',
      'received events.csv/more.csv',
      'hint there is no folder "events.csv"; paths are relative to the experiment file',
    ],
  },
  'a path that is too long': {
    interactions: { files: `${'long'.repeat(200)}.csv` },
    says: /^data-unreadable at dataset\.interactions\.files: "(long){200}\.csv" cannot be opened: ENAMETOOLONG\n/,
  },
  // text
  'UTF-16 that is not said': {
    files: { 'events.csv': Buffer.from(`\uFEFF${GOOD}`, 'utf16le') },
    says: [
      'data-form at dataset.interactions.files: events.csv is UTF-16 text',
      'received events.csv',
      'hint write encoding: utf-16',
    ],
  },
  'UTF-16, big end first': {
    files: { 'events.csv': Buffer.from(`\uFEFF${GOOD}`, 'utf16le').swap16() },
    interactions: { encoding: 'utf-16' },
    says: [
      'data-form at dataset.interactions.files: events.csv is UTF-16 text with the big end first, which is not read',
      'received events.csv',
      'hint save it as UTF-8',
    ],
  },
  'latin-1 that is not said': {
    files: { 'events.csv': Buffer.from(withRow(3, 'ü,z,1600000200,3'), 'latin1') },
    says: [
      'data-encoding at dataset.interactions.files: events.csv:4 is not utf-8 text',
      'allowed encoding: utf-8, utf-16, latin-1',
      'hint write encoding: latin-1 (files of Excel and older programs) or utf-16, or save the file as UTF-8',
    ],
  },
  'latin-1 in the header': {
    files: { 'events.csv': Buffer.from(GOOD.replace('what', 'Stück'), 'latin1') },
    says: [
      'data-encoding at dataset.interactions.files: events.csv:1 is not utf-8 text',
      'allowed encoding: utf-8, utf-16, latin-1',
      'hint write encoding: latin-1 (files of Excel and older programs) or utf-16, or save the file as UTF-8',
    ],
  },
  'a NUL byte': {
    files: { 'events.csv': withRow(3, 'a\u0000b,z,1600000200,3') },
    says: [
      'data-id at dataset.interactions.columns.user: events.csv row 3: "a\\u0000b" in column "who" holds a byte 0, as damaged files do',
      'received "a\\u0000b"',
      'hint leave such rows out with where, or write ids: as-is where they are ids like others',
    ],
  },
  'only NUL bytes': {
    files: { 'events.csv': Buffer.alloc(4096) },
    says: [
      'data-form at dataset.interactions.files: events.csv begins with bytes that no text has',
      'received events.csv',
      'hint get it again, or say what it is with format',
    ],
  },
  'a row with a column too few': {
    files: { 'events.csv': withRow(3, 'a,z,1600000200') },
    says: [
      'data-ragged at dataset.interactions.files: events.csv:4: 3 columns, but the first line has 4',
      'received a,z,1600000200',
      'hint mend the line; text that holds the delimiter needs quotes',
    ],
  },
  'a row with a column too many': {
    files: { 'events.csv': withRow(3, 'a,z,1600000200,3,4') },
    says: [
      'data-ragged at dataset.interactions.files: events.csv:4: 5 columns, but the first line has 4',
      'received a,z,1600000200,3,4',
      'hint mend the line; text that holds the delimiter needs quotes',
    ],
  },
  'a row too short in the second file': {
    files: { 'a.csv': GOOD, 'b.csv': withRow(5, 'b,x') },
    interactions: { files: ['a.csv', 'b.csv'] },
    says: [
      'data-ragged at dataset.interactions.files: b.csv:6: 2 columns, but the first line has 4',
      'received b,x',
      'hint mend the line; text that holds the delimiter needs quotes',
    ],
  },
  'a row too short in items': {
    files: { 'events.csv': GOOD, 'items.csv': ITEMS.replace('y,Y,k,2', 'y,Y') },
    rest: items(),
    says: [
      'data-ragged at dataset.items.files: items.csv:3: 2 columns, but the first line has 4',
      'received y,Y',
      'hint mend the line; text that holds the delimiter needs quotes',
    ],
  },
  'quotes in the middle of a field': {
    files: { 'events.csv': withRow(3, '"a" b,z,1600000200,3') },
    says: [
      'data-quotes at dataset.interactions.files: events.csv:4: a quote that does not end where its field ends',
      'received "a" b,z,1600000200,3',
      'hint double the quotes inside of quoted text, or write quote: "" where quotes mean nothing',
    ],
  },
  'a quote that never ends': {
    files: { 'events.csv': withRow(3, '"a,z,1600000200,3') },
    says: [
      'data-quotes at dataset.interactions.files: events.csv:4: a quote that does not end where its field ends',
      'received "a,z,1600000200,3',
      'hint double the quotes inside of quoted text, or write quote: "" where quotes mean nothing',
    ],
  },
  'another delimiter than is said': {
    files: { 'events.csv': GOOD },
    interactions: { delimiter: ';' },
    says: [
      'data-delimiter at dataset.interactions.delimiter: the first line of events.csv has no ";"',
      'received ;',
      'hint the line is "who,what,when,stars"; "," seems to part its columns',
    ],
  },
  'a header alone': {
    files: { 'events.csv': lines(HEADER) },
    says: ['data-empty at dataset.interactions.files: there is no row in events.csv', 'hint take files with rows'],
  },
  'a file of blank lines': {
    files: { 'events.csv': '\n\n\n' },
    says: [
      'data-header at dataset.interactions.files: the first line of events.csv is blank',
      'allowed the names of the columns',
      'hint remove it, or get the file again where all of it is blank',
    ],
  },
  'a first line of data for a header': {
    files: { 'events.csv': lines(...ROWS) },
    says: [
      'data-column at dataset.interactions.columns.user: events.csv has no column "who"',
      'received who',
      'allowed a, x, 1600000000, 1',
      'hint the first line seems to hold data; write names: [column0, column1, column2, column3] with the names of the columns',
      'data-column at dataset.interactions.columns.item: events.csv has no column "what"',
      'received what',
      'allowed a, x, 1600000000, 1',
      'hint the first line seems to hold data; write names: [column0, column1, column2, column3] with the names of the columns',
      'data-column at dataset.interactions.columns.time: events.csv has no column "when"',
      'received when',
      'allowed a, x, 1600000000, 1',
      'hint the first line seems to hold data; write names: [column0, column1, column2, column3] with the names of the columns',
      'data-column at dataset.interactions.columns.rating: events.csv has no column "stars"',
      'received stars',
      'allowed a, x, 1600000000, 1',
      'hint the first line seems to hold data; write names: [column0, column1, column2, column3] with the names of the columns',
    ],
  },
  'a header in other words': {
    files: { 'events.csv': GOOD.replace('who', 'whom') },
    says: [
      'data-column at dataset.interactions.columns.user: events.csv has no column "who"',
      'received who',
      'allowed whom, what, when, stars',
      'hint did you mean "whom"?',
    ],
  },
  'a header in other case': {
    files: { 'events.csv': GOOD.replace('who', 'Who') },
    says: [
      'data-column at dataset.interactions.columns.user: events.csv has no column "who"',
      'received who',
      'allowed Who, what, when, stars',
      'hint did you mean "Who"?',
    ],
  },
  'a column alone': {
    files: { 'events.csv': lines('who', 'a', 'b') },
    says: [
      'data-column at dataset.interactions.columns.item: events.csv has no column "what"',
      'received what',
      'allowed who',
      'data-column at dataset.interactions.columns.time: events.csv has no column "when"',
      'received when',
      'allowed who',
      'data-column at dataset.interactions.columns.rating: events.csv has no column "stars"',
      'received stars',
      'allowed who',
    ],
  },
  'a column twice': {
    files: { 'events.csv': GOOD.replace('stars', 'who') },
    says: [
      'data-header at dataset.interactions.files: the columns of events.csv have the name "who" twice',
      'received who, what, when, who',
      'hint rename one of them in the file; or remove its first line, and write names: [...]',
    ],
  },
  'columns that differ in case alone': {
    files: { 'events.csv': GOOD.replace('stars', 'WHO') },
    interactions: { columns: PAIR },
    says: [
      'data-header at dataset.interactions.files: the columns of events.csv have the names "who" and "WHO", which differ in case alone',
      'received who, what, when, WHO',
      'hint rename one of them in the file; or remove its first line, and write names: [...]',
    ],
  },
  'names of the wrong number': {
    files: { 'events.csv': lines(...ROWS) },
    interactions: { names: ['who', 'what'] },
    says: [
      'data-names at dataset.interactions.names: 2 names, but the first line of events.csv has 4 columns parted by ","',
      'received who, what',
      'hint the line is "a,x,1600000000,1"',
    ],
  },
  'one of three files with another column': {
    files: { 'a.csv': GOOD, 'b.csv': GOOD, 'c.csv': GOOD.replace('stars', 'marks') },
    interactions: { files: '*.csv' },
    says: [
      'data-header at dataset.interactions.files: c.csv has another header than a.csv',
      'received who,what,when,marks',
      'allowed who,what,when,stars',
      'hint bring them to one form, or join them with sql: SELECT ... UNION ALL BY NAME',
    ],
  },
  'one of three files with columns in another order': {
    files: { 'a.csv': GOOD, 'b.csv': GOOD.replace('who,what', 'what,who'), 'c.csv': GOOD },
    interactions: { files: '*.csv' },
    says: [
      'data-header at dataset.interactions.files: b.csv has another header than a.csv',
      'received what,who,when,stars',
      'allowed who,what,when,stars',
      'hint bring them to one form, or join them with sql: SELECT ... UNION ALL BY NAME',
    ],
  },
  'one of three files without a header': {
    files: { 'a.csv': GOOD, 'b.csv': GOOD, 'c.csv': lines(...ROWS) },
    interactions: { files: '*.csv' },
    says: [
      'data-header at dataset.interactions.files: c.csv has another header than a.csv',
      'received a,x,1600000000,1',
      'allowed who,what,when,stars',
      'hint bring them to one form, or join them with sql: SELECT ... UNION ALL BY NAME',
    ],
  },
  'Parquet files with other columns': {
    files: {
      'a.parquet': GOOD_PARQUET,
      'b.parquet': parquet(`SELECT 'a' AS who, 'x' AS thing, 1600000000 AS "when", 3 AS stars`),
    },
    interactions: { files: '*.parquet' },
    says: [
      'data-header at dataset.interactions.files: b.parquet has no column "what", which a.parquet has',
      'received who, thing, when, stars',
      'allowed who, what, when, stars',
      'hint bring them to one form, or join them with sql: SELECT ... UNION ALL BY NAME',
    ],
  },
  'Parquet files with other types': {
    files: {
      'a.parquet': parquet(`SELECT 1 AS who, 2 AS what, 1600000000 AS "when", 3 AS stars`),
      'b.parquet': GOOD_PARQUET,
    },
    interactions: { files: '*.parquet' },
    says: [
      'data-header at dataset.interactions.files: column "who" is VARCHAR in b.parquet, but INTEGER in a.parquet',
      'received VARCHAR',
      'allowed INTEGER',
      'hint bring them to one form, or join them with sql: SELECT ... UNION ALL BY NAME',
    ],
  },
  'Parquet files with wider types': {
    files: {
      'a.parquet': parquet(`SELECT 1 AS who, 2 AS what, 1600000000 AS "when", 3 AS stars`),
      'b.parquet': parquet(`SELECT 9007199254740993 AS who, 2 AS what, 1600000000 AS "when", 3.5 AS stars`),
    },
    interactions: { files: '*.parquet' },
    says: [
      'data-header at dataset.interactions.files: column "stars" is DECIMAL(2,1) in b.parquet, but INTEGER in a.parquet',
      'received DECIMAL(2,1)',
      'allowed INTEGER',
      'hint bring them to one form, or join them with sql: SELECT ... UNION ALL BY NAME',
    ],
  },
  'Parquet files of whole numbers and fractions': {
    files: {
      'a.parquet': parquet(`SELECT 1 AS who, 2 AS what, 3 AS stars`),
      'b.parquet': parquet(`SELECT 1 AS who, 3 AS what, 3.5::DOUBLE AS stars`),
    },
    interactions: { files: '*.parquet', columns: { ...PAIR, rating: 'stars' } },
    says: [
      'data-header at dataset.interactions.files: column "stars" is DOUBLE in b.parquet, but INTEGER in a.parquet',
      'received DOUBLE',
      'allowed INTEGER',
      'hint bring them to one form, or join them with sql: SELECT ... UNION ALL BY NAME',
    ],
  },
  'names that are the first line too': {
    files: { 'events.csv': GOOD },
    interactions: { names: ['who', 'what', 'when', 'stars'] },
    says: [
      'data-names at dataset.interactions.names: the first line of events.csv holds the names, which are no data',
      'received who, what, when, stars',
      'hint leave names out',
    ],
  },
  'a name given twice': {
    files: { 'events.csv': lines(...ROWS) },
    interactions: { names: ['who', 'what', 'when', 'who'] },
    says: [
      'data-header at dataset.interactions.names: they have the name "who" twice',
      'received who, what, when, who',
      'hint give each column a name of its own',
    ],
  },
  'a quote for a delimiter': {
    files: { 'events.csv': GOOD },
    interactions: { quote: ',', delimiter: ',' },
    says: [
      'data-delimiter at dataset.interactions.quote: "," parts the columns of events.csv',
      'received ,',
      'hint take another quote, or "" for none',
    ],
  },
  'a line of 3 MB': {
    files: { 'events.csv': withRow(3, `a,${'z'.repeat(3_000_000)},1600000200,3`) },
    says: /^data-long-line at dataset\.interactions\.files: events\.csv:4 is longer than 2,000,000 bytes\nreceived a,z+\nhint mend the file; a quote/,
  },
  // ids
  'an empty id': {
    files: { 'events.csv': withRow(3, ',z,1600000200,3') },
    says: [
      'data-null-id at dataset.interactions.columns.user: events.csv row 3: nothing in column "who" is no id',
      'received nothing',
      'hint mend the file, or leave such rows out: where: "who" IS NOT NULL',
    ],
  },
  'an id of blanks': {
    files: { 'events.csv': withRow(3, 'a,"  ",1600000200,3') },
    says: [
      'data-null-id at dataset.interactions.columns.item: events.csv row 3: "  " in column "what" is no id',
      'received "  "',
      'hint mend the file, or leave such rows out: where: "what" IS NOT NULL',
    ],
  },
  'an id "null"': {
    files: { 'events.csv': withRow(3, 'null,z,1600000200,3') },
    says: [
      'data-id at dataset.interactions.columns.user: events.csv row 3: "null" in column "who" mostly means "unknown"',
      'received "null"',
      'hint leave such rows out with where, or write ids: as-is where they are ids like others',
    ],
  },
  'an id NaN of a column of fractions': {
    files: {
      'events.parquet': parquet(
        `SELECT CASE WHEN k = 2 THEN 'nan'::DOUBLE ELSE k::DOUBLE END AS who, k AS what FROM range(5) t(k)`,
      ),
    },
    interactions: { files: 'events.parquet', columns: PAIR },
    says: [
      'data-null-id at dataset.interactions.columns.user: events.parquet row 3: "nan" in column "who" is no id',
      'received "nan"',
      'hint mend the file, or leave such rows out: where: "who" IS NOT NULL',
    ],
  },
  'a negative id': {
    files: { 'events.csv': withRow(3, '-1,z,1600000200,3') },
    says: [
      'data-id at dataset.interactions.columns.user: events.csv row 3: "-1" in column "who" is negative, which mostly means "unknown"',
      'received "-1"',
      'hint leave such rows out with where, or write ids: as-is where they are ids like others',
    ],
  },
  'a negative item': {
    files: { 'events.csv': withRow(12, 'c,-1.0,1600000200,3') },
    says: [
      'data-id at dataset.interactions.columns.item: events.csv row 12: "-1.0" in column "what" is negative, which mostly means "unknown"',
      'received "-1.0"',
      'hint leave such rows out with where, or write ids: as-is where they are ids like others',
    ],
  },
  '7 beside 7.0': {
    files: { 'events.csv': withRow(3, '7,z,1600000200,3').replace('c,x', '7.0,x') },
    says: [
      'data-id at dataset.interactions.columns.user: events.csv row 9: "7.0" in column "who" is "7" of other rows in another spelling',
      'received "7.0"',
      'hint write all ids alike, or write ids: as-is where they are two',
    ],
  },
  '7 beside 007': {
    files: { 'events.csv': withRow(3, '7,z,1600000200,3').replace('c,x', '007,x') },
    says: [
      'data-id at dataset.interactions.columns.user: events.csv row 3: "7" in column "who" is "007" of other rows in another spelling',
      'received "7"',
      'hint write all ids alike, or write ids: as-is where they are two',
    ],
  },
  'an id that is a fraction': {
    files: { 'events.parquet': parquet(`SELECT k + 0.5::DOUBLE AS who, k AS what FROM range(5) t(k)`) },
    interactions: { files: 'events.parquet', columns: PAIR },
    says: [
      'data-id at dataset.interactions.columns.user: events.parquet row 1: "0.5" in column "who" is no whole number, or one that fractions do not hold to the last digit',
      'received "0.5"',
      'hint write ids as whole numbers or as text; ids: as-is takes them as they are',
    ],
  },
  'infinite ids': {
    files: {
      'events.parquet': parquet(
        `SELECT CASE WHEN k = 2 THEN 'inf'::DOUBLE ELSE k::DOUBLE END AS who, k AS what FROM range(5) t(k)`,
      ),
    },
    interactions: { files: 'events.parquet', columns: PAIR },
    says: [
      'data-id at dataset.interactions.columns.user: events.parquet row 3: "inf" in column "who" is no whole number, or one that fractions do not hold to the last digit',
      'received "inf"',
      'hint write ids as whole numbers or as text; ids: as-is takes them as they are',
    ],
  },
  'ids too large for fractions': {
    files: { 'events.parquet': parquet(`SELECT (9007199254740992 + k)::DOUBLE AS who, k AS what FROM range(5) t(k)`) },
    interactions: { files: 'events.parquet', columns: PAIR },
    says: [
      'data-id at dataset.interactions.columns.user: events.parquet row 1: "9007199254740992.0" in column "who" is no whole number, or one that fractions do not hold to the last digit, and so in 1 more row',
      'received "9007199254740992.0"',
      'hint write ids as whole numbers or as text; ids: as-is takes them as they are',
    ],
  },
  'ids that are true and false': {
    files: { 'events.parquet': parquet(`SELECT k > 2 AS who, k AS what FROM range(5) t(k)`) },
    interactions: { files: 'events.parquet', columns: PAIR },
    says: [
      'data-type at dataset.interactions.columns.user: column "who" is BOOLEAN',
      'received BOOLEAN',
      'allowed text or whole numbers',
      'hint name another column, or cast it with sql: SELECT ...',
    ],
  },
  'ids that are lists': {
    files: { 'events.parquet': parquet(`SELECT k AS who, [k] AS what FROM range(5) t(k)`) },
    interactions: { files: 'events.parquet', columns: PAIR },
    says: [
      'data-type at dataset.interactions.columns.item: column "what" is BIGINT[]',
      'received BIGINT[]',
      'allowed text or whole numbers',
      'hint name another column, or cast it with sql: SELECT ...',
    ],
  },
  'an empty id where rows are chosen, in the second file': {
    files: { 'a.csv': GOOD, 'b.csv': withRow(4, ',w,1600000300,4') },
    interactions: { files: ['a.csv', 'b.csv'], where: 'stars::INTEGER > 2' },
    says: [
      'data-null-id at dataset.interactions.columns.user: b.csv row 4: nothing in column "who" is no id',
      'received nothing',
      'hint mend the file, or leave such rows out: where: "who" IS NOT NULL',
    ],
  },
  'a number where columns are text': {
    files: { 'events.csv': GOOD },
    interactions: { where: 'stars > 2' },
    says: [
      'data-where at dataset.interactions.where: Cannot compare values of type VARCHAR and type INTEGER_LITERAL - an explicit cast is required',
      'received stars > 2',
      `hint write a condition of SQL over the columns, which are text here: country = 'DE' AND TRY_CAST(stars AS DOUBLE) > 3`,
    ],
  },
  'an empty id in exposures': {
    files: { 'events.csv': GOOD, 'shown.csv': lines('who,what', 'a,q', ',x') },
    rest: { exposures: { files: 'shown.csv', columns: PAIR } },
    says: [
      'data-null-id at dataset.exposures.columns.user: shown.csv row 2: nothing in column "who" is no id',
      'received nothing',
      'hint mend the file, or leave such rows out: where: "who" IS NOT NULL',
    ],
  },
  'an id "null" in exposures': {
    files: { 'events.csv': GOOD, 'shown.csv': lines('who,what', 'a,q', 'null,x') },
    rest: { exposures: { files: 'shown.csv', columns: PAIR } },
    says: [
      'data-id at dataset.exposures.columns.user: shown.csv row 2: "null" in column "who" mostly means "unknown"',
      'received "null"',
      'hint leave such rows out with where, or write ids: as-is where they are ids like others',
    ],
  },
  // times
  'a time that is none': {
    files: { 'events.csv': withRow(3, 'a,z,soon,3') },
    says: [
      'data-value at dataset.interactions.columns.time: events.csv row 3: "soon" in column "when" is no such time',
      'received "soon"',
      'allowed seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO 8601 in all rows; empty where it is not known',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'ISO 8601 among seconds': {
    files: { 'events.csv': withRow(3, 'a,z,2020-09-13,3') },
    says: [
      'data-value at dataset.interactions.columns.time: events.csv row 3: "2020-09-13" in column "when" is no such time',
      'received "2020-09-13"',
      'allowed seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO 8601 in all rows; empty where it is not known',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'seconds among ISO 8601': {
    files: { 'events.csv': withColumn(2, (row) => (row === 3 ? '1600000200' : `2020-09-${10 + row}T10:00:00Z`)) },
    says: [
      'data-value at dataset.interactions.columns.time: events.csv row 3: "1600000200" in column "when" is no such time',
      'received "1600000200"',
      'allowed ISO 8601 as in most of the other rows, e.g. 2026-01-31 or 2026-01-31T12:00:00Z; empty where it is not known',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'milliseconds among seconds': {
    files: { 'events.csv': withRow(3, 'a,z,1600000200000,3') },
    says: [
      'data-time-unit at dataset.interactions.columns.time: events.csv row 3: "1600000200000" in column "when" looks like milliseconds, and most others like seconds',
      'received "1600000200000"',
      'hint bring them to one unit, or say which it is: time_unit: s',
    ],
  },
  'milliseconds among seconds in Parquet': {
    files: {
      'events.parquet': parquet(
        `SELECT k % 3 AS who, k AS what, CASE WHEN k = 5 THEN 1600000005000 ELSE 1600000000 + k END AS "when", 1 AS stars FROM range(12) t(k)`,
      ),
    },
    interactions: { files: 'events.parquet' },
    says: [
      'data-time-unit at dataset.interactions.columns.time: events.parquet row 6: "1600000005000" in column "when" looks like milliseconds, and most others like seconds',
      'received "1600000005000"',
      'hint bring them to one unit, or say which it is: time_unit: s',
    ],
  },
  'seconds that are said to be milliseconds': {
    files: { 'events.csv': GOOD },
    interactions: { timeUnit: 'ms' },
    says: [
      'data-time-unit at dataset.interactions.time_unit: as milliseconds, the times of column "when" are from 1970-01-19 to 1970-01-19',
      'received ms',
      'allowed times from 1980 to 2200, or time_unit: auto',
      'hint by their size they are seconds: write time_unit: s',
    ],
  },
  'milliseconds that are said to be seconds': {
    files: { 'events.csv': withColumn(2, (row) => `${1_600_000_000_000 + row}`) },
    interactions: { timeUnit: 's' },
    says: [
      'data-time-unit at dataset.interactions.time_unit: as seconds, the times of column "when" are from +052671-12 to +052671-12',
      'received s',
      'allowed times from 1980 to 2200, or time_unit: auto',
      'hint by their size they are milliseconds: write time_unit: ms',
    ],
  },
  'an infinite time': {
    files: { 'events.csv': withRow(3, 'a,z,inf,3') },
    says: [
      'data-value at dataset.interactions.columns.time: events.csv row 3: "inf" in column "when" is no such time',
      'received "inf"',
      'allowed seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO 8601 in all rows; empty where it is not known',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'an infinite time in Parquet': {
    files: {
      'events.parquet': parquet(
        `SELECT k % 3 AS who, k AS what, CASE WHEN k = 5 THEN 'inf'::DOUBLE ELSE 1600000000 + k END AS "when", 1 AS stars FROM range(12) t(k)`,
      ),
    },
    interactions: { files: 'events.parquet' },
    says: [
      'data-value at dataset.interactions.columns.time: events.parquet row 6: "inf" in column "when" is no such time',
      'received "inf"',
      'allowed a number',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'a time below all': {
    files: { 'events.csv': withRow(3, 'a,z,-inf,3') },
    says: [
      'data-value at dataset.interactions.columns.time: events.csv row 3: "-inf" in column "when" is no such time',
      'received "-inf"',
      'allowed seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO 8601 in all rows; empty where it is not known',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'a time that is a list': {
    files: {
      'events.parquet': parquet(`SELECT k % 3 AS who, k AS what, [k] AS "when", 1 AS stars FROM range(12) t(k)`),
    },
    interactions: { files: 'events.parquet' },
    says: [
      'data-type at dataset.interactions.columns.time: column "when" is BIGINT[]',
      'received BIGINT[]',
      'allowed a number, text or a timestamp',
      'hint name another column, or cast it with sql: SELECT ...',
    ],
  },
  'a time of day alone': {
    files: {
      'events.parquet': parquet(
        `SELECT k % 3 AS who, k AS what, TIME '10:00:00' AS "when", 1 AS stars FROM range(12) t(k)`,
      ),
    },
    interactions: { files: 'events.parquet' },
    says: [
      'data-type at dataset.interactions.columns.time: column "when" is TIME',
      'received TIME',
      'allowed a number, text or a timestamp',
      'hint name another column, or cast it with sql: SELECT ...',
    ],
  },
  'some rows without a time where the split needs the order': {
    files: { 'events.csv': withRow(3, 'a,z,,3') },
    isRead: true,
    says: [
      'time-unknown at dataset.split: the split leave-one-out needs the order of rows, but 1 of 12 rows have no time',
      'allowed split.protocol ratio or fixed, and no sequence features',
      'hint choose rows whose times are all known by positive, or by where of your own files, or a split that needs no order',
    ],
  },
  'no time where the split needs the order': {
    files: { 'events.csv': GOOD },
    interactions: { columns: PAIR },
    isRead: true,
    says: [
      'time-unknown at dataset.split: the split leave-one-out needs the order of rows, but 12 of 12 rows have no time',
      'allowed split.protocol ratio or fixed, and no sequence features',
      'hint choose rows whose times are all known by positive, or by where of your own files, or a split that needs no order',
    ],
  },
  // numbers
  'a rating with a comma': {
    files: { 'events.csv': withRow(3, 'a,z,1600000200,"3,5"') },
    says: [
      'data-value at dataset.interactions.columns.rating: events.csv row 3: "3,5" in column "stars" is no number',
      'received "3,5"',
      'allowed a number; empty where it is not known',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'a rating in words': {
    files: { 'events.csv': withRow(3, 'a,z,1600000200,three') },
    says: [
      'data-value at dataset.interactions.columns.rating: events.csv row 3: "three" in column "stars" is no number',
      'received "three"',
      'allowed a number; empty where it is not known',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'an infinite rating': {
    files: { 'events.csv': withRow(3, 'a,z,1600000200,inf') },
    says: [
      'data-value at dataset.interactions.columns.rating: events.csv row 3: "inf" in column "stars" is no number',
      'received "inf"',
      'allowed a number; empty where it is not known',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'another number that is none': {
    files: { 'events.csv': withRow(3, 'a,z,1600000200,three') },
    interactions: { columns: PAIR, numbers: { depth: 'stars' } },
    says: [
      'data-value at dataset.interactions.numbers.depth: events.csv row 3: "three" in column "stars" is no number',
      'received "three"',
      'allowed a number; empty where it is not known',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'a label 2': {
    files: { 'events.csv': withColumn(3, (row) => String(row === 3 ? 2 : row % 2)) },
    interactions: { columns: { ...PAIR, label: 'stars' } },
    says: [
      'data-value at dataset.interactions.columns.label: events.csv row 3: "2" in column "stars" is no label',
      'received "2"',
      'allowed 1 or 0, true or false; never empty',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'a label "maybe"': {
    files: { 'events.csv': withColumn(3, (row) => (row === 3 ? 'maybe' : 'yes')) },
    interactions: { columns: { ...PAIR, label: 'stars' } },
    says: [
      'data-value at dataset.interactions.columns.label: events.csv row 3: "maybe" in column "stars" is no label',
      'received "maybe"',
      'allowed 1 or 0, true or false; never empty',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'a label that is empty': {
    files: { 'events.csv': withColumn(3, (row) => (row === 3 ? '' : 'yes')) },
    interactions: { columns: { ...PAIR, label: 'stars' } },
    says: [
      'data-value at dataset.interactions.columns.label: events.csv row 3: nothing in column "stars" is no label',
      'received nothing',
      'allowed 1 or 0, true or false; never empty',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  'a label that is NULL in Parquet': {
    files: {
      'events.parquet': parquet(
        `SELECT k % 3 AS who, k AS what, CASE WHEN k <> 5 THEN k % 2 END AS stars FROM range(12) t(k)`,
      ),
    },
    interactions: { files: 'events.parquet', columns: { ...PAIR, label: 'stars' } },
    says: [
      'data-value at dataset.interactions.columns.label: events.parquet row 6: nothing in column "stars" is no label',
      'received nothing',
      'allowed 1 or 0, true or false; never empty',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  // filters
  'positive by what is not there': {
    files: { 'events.csv': GOOD },
    rest: { positive: 'clicks >= 1' },
    says: [
      'positive-column at dataset.positive: the interactions have no column "clicks"',
      'received clicks >= 1',
      'allowed rating',
    ],
  },
  'positive in other words': {
    files: { 'events.csv': GOOD },
    rest: { positive: 'rating at least 4' },
    says: [
      'positive-syntax at dataset.positive: cannot read "rating at least 4"',
      'received rating at least 4',
      'allowed COLUMN OPERATOR NUMBER with one of >=, >, <=, <, ==, !=, e.g. rating >= 4; or null for every row',
    ],
  },
  'positive that keeps nothing': {
    files: { 'events.csv': GOOD },
    rest: { positive: 'rating > 5' },
    says: [
      'positive-none at dataset.positive: no row of 12 has rating > 5',
      'received rating > 5',
      'hint rating goes from 1 to 4',
    ],
  },
  'a time range the wrong way round': {
    files: { 'events.csv': GOOD },
    rest: { timeRange: { from: '2021-01-01', to: '2020-01-01' } },
    says: [
      'data-time-range at dataset.time_range: from 2021-01-01 is not before to 2020-01-01',
      'received 2021-01-01 to 2020-01-01',
      'hint exchange them; rows at `to` are left out',
    ],
  },
  'a time range without times': {
    files: { 'events.csv': GOOD },
    interactions: { columns: PAIR },
    rest: { timeRange: { from: '2021-01-01' } },
    says: [
      'data-time at dataset.time_range: the interactions have no time to choose by',
      'hint name the column of the times: interactions.columns.time',
    ],
  },
  'a time range that keeps nothing': {
    files: { 'events.csv': GOOD },
    rest: { timeRange: { from: '2021-01-01' } },
    says: [
      'data-nothing-left at dataset.time_range: it keeps none of 12 rows',
      'allowed the times are from 2020-09-13 to 2020-09-13',
      'hint take a range that holds some of the times',
    ],
  },
  'a time range in words': {
    files: { 'events.csv': GOOD },
    rest: { timeRange: { from: 'yesterday' } },
    says: [
      'data-time-range at dataset.time_range.from: "yesterday" is no time',
      'received yesterday',
      'allowed ISO 8601 such as 2026-01-31 or 2026-01-31T12:00:00Z, or Unix seconds',
    ],
  },
  'a k-core that leaves nothing': {
    files: { 'events.csv': GOOD },
    rest: { positive: 'rating >= 2', kCore: { users: 5, items: 1 } },
    says: [
      'data-nothing-left at dataset.k_core: nothing is left: k_core 5 users, 1 items keeps none of 9 rows',
      'received k_core 5 users, 1 items',
      'hint before it: read: 12 rows; positive rating >= 2: 9 rows',
    ],
  },
  'where that keeps nothing': {
    files: { 'events.csv': GOOD },
    interactions: { where: "who = 'q'" },
    says: [
      'data-empty at dataset.interactions.where: it holds for none of the 12 rows of events.csv',
      `received who = 'q'`,
      'hint take a milder condition',
    ],
  },
  'fewer rows than the split needs': {
    files: { 'events.csv': lines(HEADER, ...ROWS.slice(0, 2)) },
    isRead: true,
    says: [
      'split-empty at dataset.split: the split leave-one-out leaves no row for validation',
      'received leave-one-out',
      'hint ask for smaller or larger shares, fewer rows per user, or take another split',
    ],
  },
  'a time of 0 among milliseconds': {
    files: { 'events.csv': withColumn(2, (row) => (row === 3 ? '0' : `${1_600_000_000_000 + row}`)) },
    interactions: { timeUnit: 'ms' },
    says: [
      'data-time-unit at dataset.interactions.time_unit: as milliseconds, the times of column "when" are from 1970-01-01 to 2020-09-13',
      'received ms',
      'allowed times from 1980 to 2200, or time_unit: auto',
      'hint mend times that are far from all others, or leave such rows out with where',
    ],
  },
  'days first': {
    files: { 'events.csv': withColumn(2, (row) => `${12 + row}/09/2020`) },
    says: [
      'data-value at dataset.interactions.columns.time: events.csv row 1: "13/09/2020" in column "when" is no such time, and so in 11 more rows',
      'received "13/09/2020"',
      'allowed seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO 8601 in all rows; empty where it is not known',
      'hint mend the file, or leave such rows out with where',
    ],
  },
  // users and items
  'an item twice': {
    files: { 'events.csv': GOOD, 'items.csv': ITEMS.replace('z,Z', 'x,Z') },
    rest: items(),
    says: [
      'data-duplicate-key at dataset.items.columns.item: items.csv row 1: "x" in column "sku" is a key, which may stand in one row, and so in 1 more row',
      'received "x"',
      'hint keep one row for each item',
    ],
  },
  'an item that is missing': {
    files: { 'events.csv': GOOD, 'items.csv': lines('sku', 'x', 'y') },
    rest: items(),
    says: [
      'data-reference at dataset.items.columns.item: item "w" of the interactions has no row in items.csv, and so have 1 more',
      'received w',
      'hint add the rows, leave the interactions out with where, or write missing: unknown under items',
    ],
  },
  'an empty key': {
    files: { 'events.csv': GOOD, 'items.csv': ITEMS.replace('z,Z', ',Z') },
    rest: items(),
    says: [
      'data-null-id at dataset.items.columns.item: items.csv row 3: nothing in column "sku" is no id',
      'received nothing',
      'hint mend the file, or leave such rows out: where: "sku" IS NOT NULL',
    ],
  },
  'a table that is empty but for its header': {
    files: { 'events.csv': GOOD, 'items.csv': lines('sku,name') },
    rest: items(),
    says: [
      'data-reference at dataset.items.columns.item: item "w" of the interactions has no row in items.csv, and so have 3 more',
      'received w',
      'hint add the rows, leave the interactions out with where, or write missing: unknown under items',
    ],
  },
  'a feature that is not there': {
    files: { 'events.csv': GOOD, 'items.csv': ITEMS },
    rest: items({ features: { brand: { kind: 'categorical' } } }),
    says: [
      'data-column at dataset.items.features.brand: items.csv has no column "brand"',
      'received brand',
      'allowed sku, name, kind, price',
    ],
  },
  'a feature that is no number': {
    files: { 'events.csv': GOOD, 'items.csv': ITEMS.replace('l,3', 'l,cheap') },
    rest: items({ features: { price: { kind: 'numeric' } } }),
    says: [
      'data-value at dataset.items.features.price: items.csv row 3: "cheap" in column "price" is no number',
      'received "cheap"',
      'allowed a number; empty where it is not known',
      'hint mend the file, or write kind: categorical',
    ],
  },
  'a list as a number': {
    files: {
      'events.csv': GOOD,
      'items.parquet': parquet(`SELECT unnest(['x', 'y', 'z', 'w']) AS sku, [1, 2] AS price`),
    },
    rest: items({ files: 'items.parquet', features: { price: { kind: 'numeric' } } }),
    says: [
      'data-type at dataset.items.features.price: column "price" is INTEGER[]',
      'received INTEGER[]',
      'allowed a number',
      'hint name another column, or cast it with sql: SELECT ...',
    ],
  },
  'a struct as a category': {
    files: {
      'events.csv': GOOD,
      'items.parquet': parquet(`SELECT unnest(['x', 'y', 'z', 'w']) AS sku, {a: 1} AS kind`),
    },
    rest: items({ files: 'items.parquet', features: { kind: { kind: 'categorical' } } }),
    says: [
      'data-type at dataset.items.features.kind: column "kind" is STRUCT(a INTEGER)',
      'received STRUCT(a INTEGER)',
      'allowed text, a number, a date, or true and false; a list is kind: multi',
      'hint name another column, or cast it with sql: SELECT ...',
    ],
  },
  'vectors of two widths': {
    files: { 'events.csv': GOOD, 'items.csv': lines('sku,at', 'x,1 2', 'y,1 2', 'z,1 2 3', 'w,1 2') },
    rest: items({ features: { at: { kind: 'vector' } } }),
    says: [
      'data-vector at dataset.items.features.at: item "z" has 3 numbers, but item "w" has 2',
      'hint give every row equally many numbers; a separator other than blanks and commas is named by separator',
    ],
  },
  'vectors that are none': {
    files: { 'events.csv': GOOD, 'items.csv': lines('sku,at', 'x,1 2', 'y,1 2', 'z,1 b', 'w,1 2') },
    rest: items({ features: { at: { kind: 'vector' } } }),
    says: [
      'data-vector at dataset.items.features.at: item "z": "1 b" is no list of numbers',
      'hint give every row equally many numbers; a separator other than blanks and commas is named by separator',
    ],
  },
  'vectors that are empty': {
    files: { 'events.csv': GOOD, 'items.csv': lines('sku,at', 'x,', 'y,', 'z,', 'w,') },
    rest: items({ features: { at: { kind: 'vector' } } }),
    says: [
      'data-vector at dataset.items.features.at: no row has numbers',
      'hint give every row equally many numbers; a separator other than blanks and commas is named by separator',
    ],
  },
  'a list as a category': {
    files: {
      'events.csv': GOOD,
      'items.parquet': parquet(`SELECT unnest(['x', 'y', 'z', 'w']) AS sku, ['a', 'b'] AS kind`),
    },
    rest: items({ files: 'items.parquet', features: { kind: { kind: 'categorical' } } }),
    says: [
      'data-type at dataset.items.features.kind: column "kind" is VARCHAR[]',
      'received VARCHAR[]',
      'allowed text, a number, a date, or true and false; a list is kind: multi',
      'hint name another column, or cast it with sql: SELECT ...',
    ],
  },
  'a vector with an infinite number': {
    files: {
      'events.csv': GOOD,
      'items.parquet': parquet(`SELECT unnest(['x', 'y', 'z', 'w']) AS sku, [1, 'inf'::FLOAT] AS at`),
    },
    rest: items({ files: 'items.parquet', features: { at: { kind: 'vector' } } }),
    says: [
      'data-vector at dataset.items.features.at: item "w": "[\\"1.0\\",\\"inf\\"]" is no list of numbers',
      'hint give every row equally many numbers; a separator other than blanks and commas is named by separator',
    ],
  },
  'a category that is no feature': {
    files: { 'events.csv': GOOD, 'items.csv': ITEMS },
    rest: items({ category: 'kind' }),
    says: [
      'data-category at dataset.items.category: the items have no categorical feature "kind"',
      'received kind',
      'allowed none: there is no categorical feature',
      'hint name it under features first: kind: { kind: categorical }',
    ],
  },
  'a category that is a number': {
    files: { 'events.csv': GOOD, 'items.csv': ITEMS },
    rest: items({ category: 'price', features: { price: { kind: 'numeric' } } }),
    says: [
      'data-category at dataset.items.category: the items have no categorical feature "price"',
      'received price',
      'allowed none: there is no categorical feature',
      'hint name it under features first: price: { kind: categorical }',
    ],
  },
  'a model that asks for what is no feature': {
    files: { 'events.csv': GOOD, 'items.csv': ITEMS },
    rest: {
      ...items({ features: { kind: { kind: 'categorical' } } }),
      features: { query: ['user_id'], candidate: ['item_id', 'price'] },
    },
    isRead: true,
    says: [
      'feature-column at dataset.features.candidate[1]: there is no column "price"',
      'received price',
      'allowed item_id, kind',
    ],
  },
  'many columns that are not there': {
    files: { 'events.csv': lines('a,b', '1,2'), 'items.csv': lines('c', '2') },
    rest: items(),
    says: [
      'data-column at dataset.interactions.columns.user: events.csv has no column "who"',
      'received who',
      'allowed a, b',
      'data-column at dataset.interactions.columns.item: events.csv has no column "what"',
      'received what',
      'allowed a, b',
      'data-column at dataset.interactions.columns.time: events.csv has no column "when"',
      'received when',
      'allowed a, b',
      'data-column at dataset.interactions.columns.rating: events.csv has no column "stars"',
      'received stars',
      'allowed a, b',
      'data-column at dataset.items.columns.item: items.csv has no column "sku"',
      'received sku',
      'allowed c',
    ],
  },
  'a file of 300 columns without the right one': {
    files: {
      'events.csv': lines(
        Array.from({ length: 300 }, (_, k) => `c${k}`).join(','),
        Array.from({ length: 300 }, (_, k) => String(k)).join(','),
      ),
    },
    says: /^data-column at dataset\.interactions\.columns\.user: events\.csv has no column "who"\nreceived who\nallowed c0, c1, .*, c29 and 270 more\n/,
  },
  // SQL
  'SQL with a mistake': {
    files: { 'events.csv': GOOD },
    interactions: { sql: `SELEC * FROM 'events.csv'` },
    says: [
      'data-sql at dataset.interactions.sql: syntax error at or near "SELEC"',
      `received SELEC * FROM 'events.csv'`,
      'hint write one SELECT of DuckDB; relative paths begin at the folder of the experiment file',
    ],
  },
  'SQL over a file that is not there': {
    interactions: { sql: `SELECT * FROM 'events.csv'` },
    says: [
      'data-sql at dataset.interactions.sql: No files found that match the pattern "events.csv"',
      `received SELECT * FROM 'events.csv'`,
      'hint write one SELECT of DuckDB; relative paths begin at the folder of the experiment file',
    ],
  },
  'SQL with a column that is not there': {
    files: { 'events.csv': GOOD },
    interactions: { sql: `SELECT who, thing FROM 'events.csv'` },
    says: [
      'data-sql at dataset.interactions.sql: Referenced column "thing" not found in FROM clause!',
      `received SELECT who, thing FROM 'events.csv'`,
      'hint write one SELECT of DuckDB; relative paths begin at the folder of the experiment file',
    ],
  },
  'SQL that drops': {
    files: { 'events.csv': GOOD },
    interactions: { sql: `DROP TABLE events` },
    says: [
      'data-sql at dataset.interactions.sql: it is no SELECT',
      'received DROP TABLE events',
      'hint write one SELECT of DuckDB; relative paths begin at the folder of the experiment file',
    ],
  },
  'SQL that writes': {
    files: { 'events.csv': GOOD },
    interactions: { sql: `COPY (SELECT 1) TO '${folder}/out.csv'` },
    says: [
      'data-sql at dataset.interactions.sql: it is no SELECT',
      `received COPY (SELECT 1) TO 'out.csv'`,
      'hint write one SELECT of DuckDB; relative paths begin at the folder of the experiment file',
    ],
  },
  'SQL that installs': {
    files: { 'events.csv': GOOD },
    interactions: { sql: `INSTALL httpfs` },
    says: [
      'data-sql at dataset.interactions.sql: it is no SELECT',
      'received INSTALL httpfs',
      'hint write one SELECT of DuckDB; relative paths begin at the folder of the experiment file',
    ],
  },
  'SQL of two statements': {
    files: { 'events.csv': GOOD },
    interactions: { sql: `SELECT * FROM 'events.csv'; COPY (SELECT 1) TO '${folder}/out.csv'` },
    says: [
      'data-sql at dataset.interactions.sql: it is 2 statements',
      `received SELECT * FROM 'events.csv'; COPY (SELECT 1) TO 'out.csv'`,
      'hint write one SELECT of DuckDB; relative paths begin at the folder of the experiment file',
    ],
  },
  'SQL that leaves its brackets': {
    files: { 'events.csv': GOOD },
    interactions: { sql: `SELECT 1 AS who); COPY (SELECT 1) TO '${folder}/out.csv'; SELECT * FROM (SELECT 1 AS who` },
    says: [
      'data-sql at dataset.interactions.sql: syntax error at or near ")"',
      `received SELECT 1 AS who); COPY (SELECT 1) TO 'out.csv'; SELECT * FROM (SELECT 1 AS who`,
      'hint write one SELECT of DuckDB; relative paths begin at the folder of the experiment file',
    ],
  },
  'SQL with an error in its rows': {
    files: { 'events.csv': withRow(3, 'a,z,soon,3') },
    interactions: {
      sql: `SELECT who, what, "when"::BIGINT AS "when", stars FROM read_csv('events.csv', all_varchar = true)`,
    },
    says: [
      `data-sql at dataset.interactions.sql: it fails on a row: Could not convert string 'soon' to INT64 when casting from source column when`,
      `received SELECT who, what, "when"::BIGINT AS "when", stars FROM read_csv('events.csv', all_varchar = true)`,
      'hint TRY_CAST gives NULL where a value cannot be converted',
    ],
  },
  'SQL with an empty id': {
    files: { 'events.csv': withRow(3, ',z,1600000200,3') },
    interactions: { sql: `SELECT * FROM 'events.csv'` },
    says: [
      'data-null-id at dataset.interactions.columns.user: row 3 of the query: nothing in column "who" is no id',
      'received nothing',
      'hint mend the file, or leave such rows out: where: "who" IS NOT NULL',
    ],
  },
  'SQL of nothing': {
    interactions: { sql: '-- nothing' },
    says: [
      'data-sql at dataset.interactions.sql: it is 0 statements',
      'received -- nothing',
      'hint write one SELECT of DuckDB; relative paths begin at the folder of the experiment file',
    ],
  },
  'where with a mistake': {
    files: { 'events.csv': GOOD },
    interactions: { where: 'stars >' },
    says: [
      'data-where at dataset.interactions.where: syntax error at or near ")"',
      'received stars >',
      `hint write a condition of SQL over the columns, which are text here: country = 'DE' AND TRY_CAST(stars AS DOUBLE) > 3`,
    ],
  },
  'where with a column that is not there': {
    files: { 'events.csv': GOOD },
    interactions: { where: 'star > 2' },
    says: [
      'data-where at dataset.interactions.where: Referenced column "star" not found in FROM clause!',
      'received star > 2',
      `hint write a condition of SQL over the columns, which are text here: country = 'DE' AND TRY_CAST(stars AS DOUBLE) > 3`,
    ],
  },
  'where that leaves its brackets': {
    files: { 'events.csv': GOOD },
    interactions: { where: `true); COPY (SELECT 1) TO '${folder}/out.csv'; SELECT (true` },
    says: [
      'data-where at dataset.interactions.where: it is 3 statements',
      `received true); COPY (SELECT 1) TO 'out.csv'; SELECT (true`,
      `hint write a condition of SQL over the columns, which are text here: country = 'DE' AND TRY_CAST(stars AS DOUBLE) > 3`,
    ],
  },
  'where that is more than a condition': {
    files: { 'events.csv': GOOD },
    interactions: { where: `true); DROP TABLE x --` },
    says: [
      'data-where at dataset.interactions.where: syntax error at or near ")"',
      'received true); DROP TABLE x --',
      `hint write a condition of SQL over the columns, which are text here: country = 'DE' AND TRY_CAST(stars AS DOUBLE) > 3`,
    ],
  },
  'where that fails on a row': {
    files: { 'events.csv': withRow(3, 'a,z,1600000200,three') },
    interactions: { where: 'stars::INTEGER > 2' },
    says: [
      `data-where at dataset.interactions.where: it fails on a row: Could not convert string 'three' to INT32 when casting from source column stars`,
      'received stars::INTEGER > 2',
      'hint TRY_CAST gives NULL where a value cannot be converted',
    ],
  },
};

describe('broken input', () => {
  it('is there in at least 60 kinds', () => {
    expect(Object.keys(BROKEN).length).toBeGreaterThanOrEqual(60);
  });

  for (const [name, { files, interactions = {}, rest, says, skip = false, isRead = false }] of Object.entries(BROKEN)) {
    it.skipIf(skip)(name, async () => {
      await makeFiles(folder, files ?? {});
      const before = readdirSync(folder).sort();
      const text = textOf(await refusalOf(sectionOf(interactions, rest)));
      if (says instanceof RegExp) expect(text).toMatch(says);
      else expect(text.split('\n')).toEqual(says);
      const left = readdirSync(cacheDir).filter((entry) => !isRead || !/^own-[0-9a-f]{64}(\.json)?$/.test(entry));
      expect(left).toEqual([]);
      expect(readdirSync(folder).sort()).toEqual([...before, 'cache'].sort());
    });
  }
});
