import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ConfigError } from '@towerbench/config';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dataset } from '../../contract.js';
import { copyOf, makeFiles, type SampleContent } from '../sample-files.js';
import { describeFiles, type Description } from './describe.js';
import { loadedDraft } from './loaded-draft.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-describe-'));
const places = { dataDir: folder, cacheDir: join(folder, '.cache') };
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

type Files = Readonly<Record<string, SampleContent>>;

async function described(files: Files, names: readonly string[] = ['.']): Promise<Description> {
  await makeFiles(folder, files);
  return describeFiles(names, { folder, cacheDir: places.cacheDir });
}

const loaded = (description: Description): Promise<Dataset> => loadedDraft(description, folder, places);

/** `user: uid`, `feature genre: multi` ... of one table, in the order of its columns. */
function rolesOf({ tables }: Description, role = 'interactions'): Record<string, string> {
  const table = tables.find((each) => each.role === role);
  const columns = table?.columns.filter((column) => column.role !== null) ?? [];
  return Object.fromEntries(columns.map((column) => [column.name, column.kind ?? (column.role as string)]));
}

const isUnsure = ({ tables }: Description, name: string): boolean | undefined =>
  tables.flatMap(({ columns }) => columns).find((column) => column.name === name)?.isUnsure;

const reasonOf = (description: Description, ...path: string[]): string | undefined =>
  description.draft(folder).reasons.find((reason) => reason.path.join() === path.join())?.text;

/** Cells of 60 rows: 10 users with 6 rows each, 12 items. */
const CELLS: Readonly<Record<string, (row: number) => string | number>> = {
  user: (row) => 100 + (row % 10),
  item: (row) => 5000 + ((row * 7) % 12),
  hash: (row) => `A${(row % 10) * 7919}KX`,
  seconds: (row) => 1_420_243_200 + row * 86_400,
  ms: (row) => (1_420_243_200 + row * 86_400) * 1000,
  iso: (row) => new Date((1_420_243_200 + row * 86_400) * 1000).toISOString(),
  day: (row) => new Date((1_420_243_200 + row * 86_400) * 1000).toISOString().slice(0, 10),
  words: (row) => `0${(row % 9) + 1} 13, 2015`,
  stars: (row) => 1 + ((row * row + (row >> 3)) % 5),
  flag: (row) => (row % 3 === 0 ? 1 : 0),
  amount: (row) => 5.5 + row,
  unique: (row) => row + 700_000,
  number: (row) => row,
  kind: (row) => ['view', 'addtocart', 'transaction'][row % 3] as string,
  text: (row) => `it was good, and the ${row}th that I had`,
  name: (row) => `Ada L. no ${row % 10}`,
};
const ROWS = [...Array(60).keys()];

function csv(columns: Readonly<Record<string, keyof typeof CELLS>>, delimiter = ','): string {
  const cell = (value: string | number): string => (/[",;\n]/.test(String(value)) ? `"${value}"` : String(value));
  const lines = [Object.keys(columns), ...ROWS.map((row) => Object.values(columns).map((kind) => (CELLS[kind] as (row: number) => string | number)(row)))]; // prettier-ignore
  return lines.map((line) => `${line.map(cell).join(delimiter)}\n`).join('');
}

/** Columns of well-known sets, what is in them, and what they are. */
const KNOWN: Readonly<Record<string, { readonly columns: Record<string, string>; readonly roles: Record<string, string>; readonly delimiter?: string }>> = {
  MovieLens: { columns: { userId: 'user', movieId: 'item', rating: 'stars', timestamp: 'seconds' }, roles: { userId: 'user', movieId: 'item', rating: 'rating', timestamp: 'time' } },
  'Amazon reviews': { columns: { reviewerID: 'hash', asin: 'item', reviewerName: 'name', reviewText: 'text', overall: 'stars', unixReviewTime: 'seconds', reviewTime: 'words' }, roles: { reviewerID: 'user', asin: 'item', overall: 'rating', unixReviewTime: 'time' } },
  RetailRocket: { columns: { timestamp: 'ms', visitorid: 'user', event: 'kind', itemid: 'item', transactionid: 'unique' }, roles: { timestamp: 'time', visitorid: 'user', itemid: 'item' } },
  'H&M': { columns: { t_dat: 'day', customer_id: 'hash', article_id: 'item', price: 'amount', sales_channel_id: 'flag' }, roles: { t_dat: 'time', customer_id: 'user', article_id: 'item', price: 'number', sales_channel_id: 'number' } },
  YooChoose: { columns: { session_id: 'user', timestamp: 'iso', item_id: 'item', category: 'stars' }, roles: { session_id: 'user', timestamp: 'time', item_id: 'item' } },
  'Book-Crossing': { columns: { 'User-ID': 'user', ISBN: 'hash', 'Book-Rating': 'stars' }, roles: { 'User-ID': 'user', ISBN: 'item', 'Book-Rating': 'rating' }, delimiter: ';' },
  KuaiRec: { columns: { user_id: 'user', video_id: 'item', play_duration: 'amount', video_duration: 'amount', time: 'iso', watch_ratio: 'amount' }, roles: { user_id: 'user', video_id: 'item', play_duration: 'watch_time', video_duration: 'number', time: 'time' } },
  'online retail': { columns: { InvoiceNo: 'unique', StockCode: 'item', Description: 'text', Quantity: 'stars', InvoiceDate: 'iso', UnitPrice: 'amount', CustomerID: 'user' }, roles: { StockCode: 'item', Quantity: 'number', InvoiceDate: 'time', UnitPrice: 'number', CustomerID: 'user' } },
  RecBole: { columns: { 'user_id:token': 'user', 'item_id:token': 'item', 'rating:float': 'stars', 'timestamp:float': 'seconds' }, roles: { 'user_id:token': 'user', 'item_id:token': 'item', 'rating:float': 'rating', 'timestamp:float': 'time' }, delimiter: '\t' },
  'a click log': { columns: { '': 'number', uid: 'hash', sku: 'item', ts: 'ms', isClicked: 'flag', like: 'flag', play_time_ms: 'amount' }, roles: { uid: 'user', sku: 'item', ts: 'time', isClicked: 'label', like: 'number', play_time_ms: 'watch_time' } },
  'names that say nothing': { columns: { a: 'hash', b: 'item', c: 'seconds', d: 'amount' }, roles: { a: 'user', b: 'item', c: 'time' } },
}; // prettier-ignore

describe('columns', () => {
  it.each(Object.entries(KNOWN))('of %s are told, and the draft loads', async (_, { columns, roles, delimiter }) => {
    const found = await described({ 'data.csv': csv(columns, delimiter) });
    expect(rolesOf(found)).toEqual(roles);
    const { interactions } = await loaded(found);
    const isTaken = (row: number): boolean =>
      Object.entries(roles).every(([name, role]) => {
        const value = Number(CELLS[columns[name] as string]?.(row));
        return role === 'rating' ? value >= 4 : role === 'label' ? value === 1 : true;
      });
    expect(interactions.user.length).toBe(ROWS.filter(isTaken).length);
  });
});

/** Ways to write the same 60 rows. */
const ROLES = { uid: 'user', sku: 'item', ts: 'time', stars: 'rating' };
const CSV = csv({ uid: 'hash', sku: 'item', ts: 'seconds', stars: 'stars' });
const [HEADER = '', ...LINES] = CSV.trimEnd().split('\n');
const OBJECTS = LINES.map((line) => {
  const [uid = '', sku, ts, stars] = line.split(',');
  return { uid, sku: Number(sku), ts: Number(ts), stars: Number(stars) };
});
const JSON_LINES = OBJECTS.map((row) => `${JSON.stringify(row)}\n`).join('');
const VALUES = `(VALUES ${OBJECTS.map(({ uid, sku, ts, stars }, k) => `(${k}, '${uid}', ${sku}, ${ts}, ${stars})`).join(', ')}) v(k, uid, sku, ts, stars)`;
const QUERY = `SELECT uid, sku, ts, stars FROM ${VALUES} ORDER BY k`;
const partOf = (from: number, to: number): string => `${[HEADER, ...LINES.slice(from, to)].join('\n')}\n`;

const FORMS: Readonly<Record<string, { readonly files: Files; readonly names?: readonly string[]; readonly hasNoNames?: true }>> = {
  CSV: { files: { 'e.csv': CSV } },
  'a BOM in front': { files: { 'e.csv': `\uFEFF${CSV}` } },
  'lines that end in CR and LF': { files: { 'e.csv': CSV.replaceAll('\n', '\r\n') } },
  'no end of the last line': { files: { 'e.csv': CSV.trimEnd() } },
  tabs: { files: { 'e.tsv': CSV.replaceAll(',', '\t') } },
  semicolons: { files: { 'e.csv': CSV.replaceAll(',', ';') } },
  bars: { files: { 'e.txt': CSV.replaceAll(',', '|') } },
  'two colons': { files: { 'e.dat': CSV.replaceAll(',', '::') } },
  'two colons and no names': { files: { 'e.dat': LINES.join('\n').replaceAll(',', '::') }, hasNoNames: true },
  'no names': { files: { 'e.csv': LINES.join('\n') }, hasNoNames: true },
  'quotes around all': { files: { 'e.csv': CSV.replaceAll(/[^,\n]+/g, '"$&"') } },
  'UTF-16': { files: { 'e.csv': Buffer.from(`\uFEFF${CSV}`, 'utf16le') } },
  'Latin-1': { files: { 'e.csv': Buffer.from(CSV.replaceAll(/KX(?=,)/g, 'KÄ'), 'latin1') } },
  gzip: { files: { 'e.csv.gz': gzipSync(CSV) } },
  Zstandard: { files: { 'e.csv.zst': copyOf(QUERY, 'FORMAT csv, COMPRESSION zstd') } },
  'a name that says nothing': { files: { events: CSV }, names: ['events'] },
  Parquet: { files: { 'e.parquet': copyOf(QUERY, 'FORMAT parquet') } },
  'Parquet with another name': { files: { 'e.snappy': copyOf(QUERY, 'FORMAT parquet') }, names: ['e.snappy'] },
  'Parquet with moments': { files: { 'e.parquet': copyOf(`SELECT uid, sku, make_timestamp(ts::BIGINT * 1000000) AS ts, stars::DOUBLE AS stars FROM ${VALUES} ORDER BY k`, 'FORMAT parquet') } },
  'JSON lines': { files: { 'e.jsonl': JSON_LINES } },
  'packed JSON lines': { files: { 'e.jsonl.gz': gzipSync(JSON_LINES) } },
  'a list of JSON': { files: { 'e.json': JSON.stringify(OBJECTS, null, 2) } },
  'ISO 8601': { files: { 'e.csv': CSV.replaceAll(/14\d{8}/g, (s) => new Date(Number(s) * 1000).toISOString()) } },
  milliseconds: { files: { 'e.csv': CSV.replaceAll(/14\d{8}/g, '$&000') } },
  'three files of a folder': { files: { 'logs/a.csv': partOf(0, 20), 'logs/b.csv': partOf(20, 40), 'logs/c.csv': partOf(40, 60) } },
  'a pattern': { files: { 'x/2024.csv': partOf(0, 30), 'x/2025.csv': partOf(30, 60), 'x/notes.md': 'no data' }, names: ['x/*.csv'] },
  'folders in a folder': { files: { 'day=1/e.csv': partOf(0, 30), 'day=2/e.csv': partOf(30, 60) } },
  'three Parquet files of two widths': { files: { 'p/a.parquet': copyOf(`SELECT uid, sku, ts, stars FROM ${VALUES} WHERE k < 30 ORDER BY k`, 'FORMAT parquet'), 'p/b.parquet': copyOf(`SELECT uid, sku::BIGINT AS sku, ts::BIGINT AS ts, stars FROM ${VALUES} WHERE k >= 30 ORDER BY k`, 'FORMAT parquet') } },
  'a path with quotes, blanks, brackets, umlauts and an emoji': { files: { [`it's "my" [1] {dir} ü/e (é) 🎈.csv`]: CSV } },
}; // prettier-ignore

describe('the same rows', () => {
  const taken = OBJECTS.filter(({ stars }) => stars >= 4).map(({ uid, sku, ts, stars }) => [
    uid,
    String(sku),
    ts,
    stars,
  ]);

  it.each(Object.entries(FORMS))(
    'in %s are told, and the draft reads them',
    async (form, { files, names, hasNoNames }) => {
      const found = await described(files, names);
      expect(Object.values(rolesOf(found))).toEqual(Object.values(ROLES));
      if (hasNoNames !== true) expect(rolesOf(found)).toEqual(ROLES);
      const { interactions, userIds, itemIds } = await loaded(found);
      const rows = Array.from(interactions.user, (user, row) => [
        (userIds?.at(user) ?? '').replace('Ä', 'X'),
        itemIds?.at(interactions.item[row] as number),
        interactions.time?.[row],
        interactions.rating?.[row],
      ]);
      expect(rows, form).toEqual(taken);
    },
  );
});

const LOG = csv({ user_id: 'user', item_id: 'item', ts: 'seconds' });
const USERS = ['user_id,age,gender,zip,signup,nothing', ...[...Array(10).keys()].map((k) => `${100 + k},${20 + 3 * k},${k % 2 === 0 ? 'f' : 'm'},0${k},2015-01-0${(k % 9) + 1},`)].join('\n'); // prettier-ignore
const ITEMS = ['item_id,title,genres,price,year,category,vector,"Größe, in cm"', ...[...Array(12).keys()].map((k) => `${5000 + k},"The ${k}th one",a|b${k % 3 === 0 ? '|c' : ''},${k + 0.5},${1990 + (k % 4)},${['x', 'y'][k % 2]},"0.5,${k}.25,1",${30 + k}`)].join('\n'); // prettier-ignore

describe('tables', () => {
  it('of users and items are told by their keys, and each feature by what is in it', async () => {
    const found = await described({ 'log.csv': LOG, 'users.csv': USERS, 'items.csv': ITEMS });
    expect(rolesOf(found, 'users')).toEqual({
      user_id: 'user',
      age: 'numeric',
      gender: 'categorical',
      zip: 'categorical',
    });
    expect(rolesOf(found, 'items')).toEqual({
      ...{ item_id: 'item', title: 'title', genres: 'multi', price: 'numeric', year: 'categorical' },
      ...{ category: 'categorical', vector: 'vector', 'Größe, in cm': 'categorical' },
    });
    const { dataset } = found.draft(folder);
    expect(dataset['items']).toMatchObject({
      files: 'items.csv',
      category: 'category',
      features: { genres: { kind: 'multi', separator: '|' }, gr_e_in_cm: { column: 'Größe, in cm' } },
    });
    expect(dataset['features']).toEqual({
      query: ['user_id', 'age', 'gender', 'zip'],
      candidate: ['item_id', 'genres', 'price', 'year', 'category', 'vector', 'gr_e_in_cm'],
    });
    const { users, items, itemTitles } = await loaded(found);
    expect(Object.keys(users.columns)).toEqual(['age', 'gender', 'zip']);
    expect(items.columns['vector']).toMatchObject({ kind: 'vector', width: 3 });
    expect(itemTitles?.at(3)).toBe('The 3th one');
  });

  it('say in how many rows ids are missing', async () => {
    const found = await described({ 'log.csv': LOG, 'items.csv': ITEMS.split('\n').slice(0, 10).join('\n') });
    expect(found.draft(folder).dataset['items']).toMatchObject({ missing: 'unknown' });
    expect(reasonOf(found, 'items', 'missing')).toBe(
      '25 % of the items of the interactions have no row here: their features are unknown; refuse would be an error',
    );
    expect((await loaded(found)).items.numRows).toBe(12);
  });

  it('without names of columns are told by whose ids stand in which', async () => {
    const bare = (text: string): string => text.slice(text.indexOf('\n') + 1);
    const found = await described({ 'x.data': bare(LOG), 'x.user': bare(USERS), 'x.item': bare(ITEMS) }, ['x.*']);
    expect(found.tables.map(({ role }) => role)).toEqual(['interactions', 'items', 'users']);
    expect([isUnsure(found, 'column0'), reasonOf(found, 'interactions', 'columns', 'user')]).toEqual([
      false,
      '100 % of its values have a row in x.user; 10 different in 60 rows',
    ]);
    expect((await loaded(found)).users.columns).toHaveProperty('column1');
  });

  it('of what was shown are told by the name of the file', async () => {
    const shown = csv({ user_id: 'user', item_id: 'number', ts: 'seconds' });
    const found = await described({ 'clicks.csv': LOG, 'impressions.csv': shown });
    expect(found.tables.map(({ role }) => role)).toEqual(['interactions', 'exposures']);
    const { interactions } = await loaded(found);
    expect(new Set(interactions.label)).toEqual(new Set([0, 1]));
  });

  it('that nobody asked for are said not to be used, and why', async () => {
    const again = csv({ user_id: 'user', product: 'hash' });
    const found = await described({
      'log.csv': LOG,
      'other.csv': again,
      'colours.csv': 'colour,hex\nred,f00\nblue,00f\n',
    });
    expect(found.tables.map(({ role, why }) => [role, why])).toEqual([
      [null, 'none of its columns has the ids of the interactions'],
      ['interactions', 'a user and an item in each row, and users and items in many rows'],
      [null, expect.stringMatching(/^a second table of users and items: if it is more of the same, name its files/)],
    ]);
  });
});

describe('what is not sure is said', () => {
  it('where no column is named as users or items are', async () => {
    const found = await described({ 'e.csv': csv({ a: 'hash', b: 'item' }) });
    expect([isUnsure(found, 'a'), isUnsure(found, 'b')]).toEqual([true, true]);
    expect(reasonOf(found, 'interactions', 'columns', 'user')).toBe(
      'no column is named as users or items are, so the first two that can be ids are taken: users mostly come first; 10 different in 60 rows',
    );
  });

  it('where a session stands for a user', async () => {
    const found = await described({ 'e.csv': csv({ session: 'user', item: 'item' }) });
    expect(reasonOf(found, 'interactions', 'columns', 'user')).toMatch(
      /^no column is named as users are, so each session/,
    );
  });

  it('where times are no dates', async () => {
    const found = await described({ 'e.csv': csv({ user: 'user', item: 'item', time: 'number' }) });
    expect(isUnsure(found, 'time')).toBe(true);
    expect(reasonOf(found, 'interactions', 'columns', 'time')).toBe(
      'named as times are; numbers from 0 to 59 are no dates, but an order',
    );
  });
});

describe('times', () => {
  it.each([
    ['seconds', '10-digit whole numbers, as seconds since 1970 they are 2015-01-03 to 2015-03-03'],
    ['ms', '13-digit whole numbers, as milliseconds since 1970 they are 2015-01-03 to 2015-03-03'],
    ['iso', 'ISO 8601, 2015-01-03 to 2015-03-03'],
  ])('in %s have their unit and their range', async (kind, text) => {
    const found = await described({ 'e.csv': csv({ user: 'user', item: 'item', ts: kind }) });
    expect(reasonOf(found, 'interactions', 'columns', 'time')).toBe(`named as times are; ${text}`);
  });

  it('of another form than is read are left out, with what reads them', async () => {
    const found = await described({ 'e.csv': csv({ user: 'user', item: 'item', date: 'words' }) });
    const left = found.tables[0]?.columns[2];
    expect(left).toMatchObject({ role: null, isUnsure: true });
    expect(left?.why).toMatch(/"01 13, 2015" is not ISO 8601; sql: .*strptime/);
    expect(found.draft(folder).dataset['split']).toEqual({ protocol: 'ratio' });
  });
});

describe('rows', () => {
  it('without an id, or with one that mostly means "unknown", are left out by a condition', async () => {
    const [head = '', ...lines] = LOG.trimEnd().split('\n');
    const text = [head, ...lines, ',5001,1420243200', 'NULL,5001,1420243200', '101,-1,1420243200'].join('\n');
    const found = await described({ 'e.csv': text });
    expect(reasonOf(found, 'interactions', 'where')).toBe('leaves out 2 rows without user, 1 row with an item below 0, which mostly means "unknown"'); // prettier-ignore
    expect((await loaded(found)).interactions.user).toHaveLength(60);
  });

  it('are divided by two moments where users have few, and at random without times', async () => {
    const few = ['user,item,ts', ...ROWS.map((row) => `u${row >> 1},i${row % 7},${1_420_243_200 + row}`)].join('\n');
    const timed = await described({ 'e.csv': few });
    expect(timed.draft(folder).dataset['split']).toEqual({ protocol: 'global-time' });
    rmSync(join(folder, 'e.csv'));
    const untimed = await described({ 'e.csv': csv({ user: 'user', item: 'item' }) });
    expect(untimed.draft(folder).dataset['split']).toEqual({ protocol: 'ratio' });
  });

  it('of large files are looked at in part: Parquet says how many there are, and the range of its times', async () => {
    const query = `SELECT k % 5000 AS user_id, k * 7 % 900 AS item_id, 1420243200 + k * 60 AS ts FROM range(250000) t(k)`;
    const found = await described({ 'e.parquet': copyOf(query, 'FORMAT parquet') });
    expect(found.tables[0]?.profile).toMatchObject({ rows: 250_000, isCounted: true, sampled: 100_000 });
    expect(reasonOf(found, 'interactions', 'columns', 'time')).toMatch(/they are 2015-01-03 to 2015-06-25$/);
  });
});

describe('what cannot be described', () => {
  const refusal = async (files: Files, names?: readonly string[]): Promise<string> => {
    const error: unknown = await described(files, names).catch((caught: unknown) => caught);
    return (error as ConfigError).message.replaceAll(`${folder}/`, '');
  };

  it('is a file that is not there', async () => {
    expect(await refusal({ 'events.csv': LOG }, ['event.csv'])).toBe('there is no file "event.csv"\n  hint     did you mean "events.csv"?'); // prettier-ignore
    expect(await refusal({}, ['*.parquet'])).toMatch(/^no file matches "\*\.parquet"\n {2}hint {5}correct the pattern/);
  });

  it('is a file without rows', async () => {
    expect(await refusal({ 'e.csv': '' }, ['e.csv'])).toBe(
      '"e.csv" is empty\n  hint     leave it out, or get it again',
    );
    expect(await refusal({ 'e.csv': 'user,item\n' }, ['e.csv'])).toBe('there is no row in "e.csv"\n  hint     take files with rows'); // prettier-ignore
  });

  it('is an empty folder', async () => {
    expect(await refusal({ 'x/notes.md': 'none' }, ['x'])).toBe('there is nothing to read in x\n  allowed  CSV, TSV, Parquet or JSON (lines), plain, .gz or .zst\n  hint     name files with rows'); // prettier-ignore
  });

  it('is a file that is cut off, and all such files are named at once', async () => {
    const text = await refusal({ 'a.parquet': 'PAR1 and no end', 'b.csv': 'a,b\n1,2\n3\n' }, ['a.parquet', 'b.csv']);
    expect(text).toMatch(/^a\.parquet is cut off: Parquet ends in PAR1\n/);
    expect(text).toMatch(/\n\nb\.csv:3: 1 columns, but the first line has 2\n/);
  });

  it('is a table in which no column could be a user', async () => {
    expect(await refusal({ 'e.csv': 'item,price\na,1.5\nb,2.5\n' })).toBe(
      'e.csv: no column could be a user beside one that could be an item\n' +
        '  allowed  an id in each row for who and one for what: whole numbers or short texts. There are item (a, b), price (1.5, 2.5)\n' +
        '  hint     add the file that says which user did something with which item, or write the section by hand, as docs/how-to/your-own-data.md shows',
    );
    expect(await refusal({ 'e.csv': 'user~item\na~1\nb~2\n' })).toMatch(/if another character parts its columns, write the section by hand with delimiter/); // prettier-ignore
  });

  it('is left out where it was found in a folder, and said', async () => {
    const { left } = await described({ 'e.csv': LOG, 'broken.parquet': 'none', 'picture.png': 'none' });
    expect(left.map(({ file, why }) => `${file.slice(folder.length + 1)}: ${why}`)).toEqual([
      'picture.png: what it holds cannot be told from its name; name it itself to have it described',
      expect.stringMatching(/^broken\.parquet: .* is no Parquet file/),
    ]);
  });
});

describe('any table', () => {
  const kinds = [
    'user',
    'item',
    'seconds',
    'ms',
    'iso',
    'stars',
    'flag',
    'amount',
    'kind',
    'text',
    'unique',
    'words',
  ] as const;
  const name = fc.oneof(fc.constantFrom('value', 'Größe', 'a b', 'x"y', "it's", 'SELECT', '数', 'no', '1a'), fc.stringMatching(/^[a-z][a-z0-9_ -]{0,8}$/)); // prettier-ignore

  it('with a user and an item has a draft that loads, whatever else is in it', async () => {
    let numRun = 0;
    const others = fc.uniqueArray(fc.tuple(name, fc.constantFrom(...kinds)), { maxLength: 6, selector: ([each]) => each.trim().toLowerCase() }); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(others, fc.constantFrom(',', ';', '\t', '|'), async (more, delimiter) => {
        const columns = Object.fromEntries([['user_id', 'user'], ...more.filter(([each]) => each.trim() !== '').map(([each, kind]) => [each.replaceAll('"', ''), kind]), ['item_id', 'item']]) as Record<string, string>; // prettier-ignore
        const found = await described({ [`run${numRun}/e.csv`]: csv(columns, delimiter) }, [`run${numRun++}`]);
        expect(rolesOf(found)).toMatchObject({ user_id: 'user', item_id: 'item' });
        expect((await loaded(found)).interactions.user.length).toBeGreaterThan(0);
      }),
      { numRuns: 15, examples: [[[['u', 'ms']], ',']] },
    );
  });
});
