import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStoreWriter } from '@towerbench/tracking';
import { fixtures, towerbench, withFolder } from './command.js';

const yamlFiles = (folder: string): string[] =>
  readdirSync(join(fixtures, folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name));
const files = yamlFiles('malformed');
/** Well-formed, but what they ask for does not fit the data: found when it is read, and said with the same places. */
const misfits = yamlFiles('misfits');

function expectNoStack(text: string): void {
  expect(text).not.toMatch(/^\s+at .*\(.*:\d+:\d+\)|node:internal|This should not happen/m);
}

/** What may be at the place of a store and is none, and what is said about it. */
const noStores: readonly [string, (path: string) => void, RegExp][] = [
  ['a text', (path) => writeFileSync(path, 'no database '.repeat(100)), /cannot be used as a run store: file is not a database/],
  ['a folder', (path) => mkdirSync(path), /cannot be used as a run store: it is a folder/],
  ['of a newer version', (path) => copyFileSync(join(fixtures, 'stores/newer.sqlite'), path), /has schema 99, and this program knows schemas up to \d+/],
  ['of another program', (path) => copyFileSync(join(fixtures, 'stores/foreign.sqlite'), path), /is a SQLite file of another program/],
]; // prettier-ignore

describe.concurrent('a malformed experiment file', () => {
  it('is there in at least 20 kinds', ({ expect: localExpect }) => {
    localExpect(files.length).toBeGreaterThanOrEqual(20);
  });

  it.for([...files, ...misfits])(
    '%s: exit code 2, every issue with place and hint, no stack trace, nothing written',
    async (file, context) => {
      await withFolder(async (place) => {
        const store = join(place, 'store.sqlite');
        const { code, stdout, stderr } = await towerbench('sweep', '--config', join(fixtures, file), '--store', store);
        const issues = stderr.trim().split('\n\n');
        context.expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
        for (const issue of issues) {
          context.expect(issue).toMatch(/\n {2}at {7}\S+\.yaml:\d+:\d+(\n|$)/);
          context.expect(issue).toMatch(/\n {2}hint {5}\S/);
        }
        expectNoStack(stderr);
        context.expect(readdirSync(place)).toEqual([]);
      });
    },
  );
});

describe('other wrong input', () => {
  it.each([
    [
      ['sweep', '--config', 'no-such-file.yaml'],
      /--config: there is no file "no-such-file\.yaml"\n {2}allowed {2}configs\/baselines\.yaml, .*\n {2}hint/,
    ],
    [['sweep'], /sweep: needs --config <experiment\.yaml>\n {2}allowed {2}configs\/baselines\.yaml/],
    ...['many', '0', '-1', '1.5', ''].map((jobs): [string[], RegExp] => [
      ['sweep', '--config', 'configs/senet.yaml', '--jobs', jobs],
      new RegExp(`--jobs: received "${jobs}"\\n {2}allowed {2}a whole number from 1`),
    ]),
    [
      ['sweep', '--config', 'configs/senet.yaml', '--set', 'dataset.name=movielens-1b'],
      /dataset\.name: received "movielens-1b"\n {2}at {7}--set dataset\.name=movielens-1b\n {2}allowed {2}.*movielens-1m/,
    ],
    [['plan', '--config', 'configs/senet.yaml', '--detect', 'much'], /--detect: received "much"/],
    [
      ['report', '--format', 'csv', '--out', 'no/such/folder/table.csv'],
      /--out: .*table\.csv cannot be written: ENOENT/,
    ],
    [['sweep', '--config', 'configs/senet.yaml', '--set', 'training.epoch=2'], /did you mean "epochs"/],
    [['sweeps'], /did you mean "sweep"\?/],
    [
      ['evaluate', '1', '--protocol', 'halves'],
      /--protocol: received "halves"\n {2}allowed {2}full, keep-seen, sampled-N/,
    ],
    [['data', 'check', 'movielens-1b'], /did you mean "movielens-1m"/],
    [['report', '--format', 'word'], /--format: received "word"\n {2}allowed {2}table, markdown, latex, csv, json/],
  ] as [string[], RegExp][])('%j is refused with what is allowed', async (args, message) => {
    await withFolder(async (place) => {
      const store = join(place, 'store.sqlite');
      if (args[0] === 'report') openStoreWriter(store).close();
      const before = readdirSync(place);
      const { code, stderr, stdout } = await towerbench(...args, '--store', store);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(message);
      expectNoStack(stderr);
      expect(readdirSync(place).filter((name) => !/-(shm|wal)$/.test(name))).toEqual(before);
    });
  });

  it.each(noStores)('a store that is %s is refused by every command and stays as it is', async (_, make, message) => {
    await withFolder(async (place) => {
      const store = join(place, 'store.sqlite');
      make(store);
      const content = (): unknown => (statSync(store).isFile() ? readFileSync(store) : readdirSync(store));
      const before = content();
      for (const command of [['sweep', '--config', 'configs/senet.yaml'], ['report'], ['runs'], ['show', '1']]) {
        const { code, stdout, stderr } = await towerbench(...command, '--store', store);
        expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
        expect(stderr).toMatch(message);
        expect(stderr).toMatch(/\n {2}hint {5}\S/);
        expectNoStack(stderr);
        expect(content()).toEqual(before);
      }
    });
  });

  it.runIf(existsSync('/proc'))('a store that cannot be made is refused', async () => {
    const { code, stdout, stderr } = await towerbench(
      ...['sweep', '--config', join(fixtures, 'sweeps/small.yaml'), '--store', '/proc/towerbench/store.sqlite'],
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/cannot be used as a run store: ENOENT.*\n {2}hint {5}choose another path with --store/);
    expectNoStack(stderr);
  });

  it('names the files that a dataset lacks', async () => {
    await withFolder(async (place) => {
      const args = ['plan', '--config', 'experiments/ncf-movielens-1m/experiment.yaml', '--data', place];
      const { code, stderr } = await towerbench(...args);
      expect(code).toBe(2);
      expect(stderr).toContain('ncf-ml-1m/ml-1m.test.rating');
      expect(stderr).toMatch(/\n {2}at {7}\S+ncf-movielens-1m\/experiment\.yaml:6:9\n/);
    });
  });

  it('says which command fills a store that is not there', async () => {
    await withFolder(async (place) => {
      const { code, stderr } = await towerbench('report', '--store', join(place, 'store.sqlite'));
      expect(code).toBe(2);
      expect(stderr).toContain('npx nx run runner:sweep --config configs/senet.yaml');
    });
  });
});
