import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { start, towerbench, withFolder } from './command.js';

const ROWS = ['a', 'b', 'c'].flatMap((user, u) =>
  ['x', 'y', 'z', 'w'].map((item, k) => `${user},${item},${1_600_000_000 + 100 * k + u}`),
);
const EVENTS = ['who,what,when', ...ROWS, ''].join('\n');

/** An experiment whose interactions are told by `source`, on line 4. */
function experiment(source: string, more = ''): string {
  return `name: own
dataset:
  name: custom
  interactions: { ${source}, columns: { user: who, item: what, time: when } }
${more}model: { type: popularity }
objective: { type: in-batch-softmax }
training: { epochs: 1 }
seeds: [1]
variants: { base: {} }
metric: { name: valid/ndcg@10, goal: maximize }
`;
}

interface Broken {
  readonly yaml: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly says: RegExp;
  /** `line:column` of the experiment file. */
  readonly at: string;
}

const FILE = 'files: events.csv';
const BROKEN: Readonly<Record<string, Broken>> = {
  'a row that is too short': {
    yaml: experiment(FILE),
    files: { 'events.csv': EVENTS.replace('a,z,1600000200', 'a,z') },
    says: /dataset\.interactions\.files: \S+events\.csv:4: 2 columns, but the first line has 3\n/,
    at: '4:26',
  },
  'an empty id': {
    yaml: experiment(FILE),
    files: { 'events.csv': EVENTS.replace('a,z', ',z') },
    says: /dataset\.interactions\.columns\.user: \S+events\.csv row 3: nothing in column "who" is no id\n/,
    at: '4:55',
  },
  'a file that is cut off': {
    yaml: experiment('files: events.csv.gz'),
    files: { 'events.csv.gz': gzipSync(EVENTS).subarray(0, -8) },
    says: /events\.csv\.gz is cut off or damaged: unexpected end of file\n/,
    at: '4:26',
  },
  'a file that is not there': {
    yaml: experiment(FILE),
    says: /there is no file "\S+events\.csv"\n/,
    at: '4:26',
  },
  'SQL that writes': {
    yaml: experiment(`sql: "COPY (SELECT 1) TO 'out.csv'"`),
    says: /dataset\.interactions\.sql: it is no SELECT\n/,
    at: '4:24',
  },
  'files and sql': {
    yaml: experiment(`${FILE}, sql: SELECT 1`),
    files: { 'events.csv': EVENTS },
    says: /one of files and sql says where the rows come from, and only one/,
    at: '4:17',
  },
  'neither files nor sql': {
    yaml: experiment('format: csv'),
    says: /one of files and sql says where the rows come from, and only one/,
    at: '4:17',
  },
  'a key that is none': {
    yaml: experiment(`${FILE}, delimeter: ";"`),
    files: { 'events.csv': EVENTS },
    says: /did you mean "delimiter"\?/,
    at: '4:38',
  },
  'a delimiter that is too long': {
    yaml: experiment(`${FILE}, delimiter: "-----"`),
    files: { 'events.csv': EVENTS },
    says: /dataset\.interactions\.delimiter: received "-----"/,
    at: '4:49',
  },
  'a filter that keeps nothing': {
    yaml: experiment(FILE, '  time_range: { from: 2021-01-01 }\n'),
    files: { 'events.csv': EVENTS },
    says: /dataset\.time_range: it keeps none of 12 rows\n/,
    at: '5:15',
  },
  'too few rows for the split': {
    yaml: experiment(FILE),
    files: { 'events.csv': EVENTS.split('\n').slice(0, 3).join('\n') },
    says: /dataset\.split: the split leave-one-out leaves no row for validation\n/,
    at: '3:3',
  },
};

describe.concurrent('own files that are broken', () => {
  it.for(Object.entries(BROKEN))(
    '%s: exit code 2, place in the experiment file, no stack trace, nothing written',
    async ([, { yaml, files = {}, says, at }], { expect: localExpect }) => {
      await withFolder(async (folder) => {
        writeFileSync(join(folder, 'own.yaml'), yaml);
        for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
        mkdirSync(join(folder, 'store'));
        const before = readdirSync(folder);
        const args = ['sweep', '--config', join(folder, 'own.yaml'), '--store', join(folder, 'store/runs.sqlite')];
        const { code, stdout, stderr } = await towerbench(...args);
        localExpect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
        localExpect(stderr).toMatch(says);
        localExpect(stderr).toMatch(new RegExp(`\n {2}at {7}\\S+own\\.yaml:${at}\n`));
        localExpect(stderr).not.toMatch(/^\s+at .*\(.*:\d+:\d+\)|node:internal|This should not happen/m);
        localExpect(readdirSync(folder)).toEqual(before);
        localExpect(readdirSync(join(folder, 'store'))).toEqual([]);
      });
    },
  );

  it('are read where they are sound', async () => {
    await withFolder(async (folder) => {
      writeFileSync(join(folder, 'own.yaml'), experiment(FILE));
      writeFileSync(join(folder, 'events.csv'), EVENTS);
      const { code, stdout, stderr } = await towerbench('plan', '--config', join(folder, 'own.yaml'), '--store', join(folder, 'runs.sqlite')); // prettier-ignore
      expect(code, stderr).toBe(0);
      expect(`${stdout}${stderr}`).toMatch(/^read +12 +3 +4$/m);
    });
  });
});

describe('own files that change', () => {
  it('stop the runs of a sweep when another command has read them again in between, with what to do', async () => {
    await withFolder(async (folder) => {
      const yaml = experiment(FILE)
        .replace('popularity', 'dssm')
        .replace('epochs: 1', 'epochs: 4000') // long enough for the other command
        .replace('seeds: [1]', 'seeds: [1, 2]');
      writeFileSync(join(folder, 'own.yaml'), yaml);
      writeFileSync(join(folder, 'events.csv'), EVENTS);
      const common = ['--config', join(folder, 'own.yaml'), '--store', join(folder, 'runs.sqlite'), '--jobs', '1'];
      const sweep = start(['sweep', ...common]);
      await vi.waitFor(() => expect(readdirSync(join(folder, 'runs.sqlite-spool'))).toContainEqual(expect.stringMatching(/points$/)), 30_000); // prettier-ignore
      writeFileSync(join(folder, 'events.csv'), EVENTS.replace('a,w', 'a,v'));
      const other = await towerbench('plan', ...common);
      expect(other.code, other.stderr).toBe(0);
      const { code, stdout, stderr } = await sweep.ended;
      expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: expect.stringContaining('base') as string });
      const [text] =
        /dataset\.name: the run was planned on custom with the fingerprint [^]*?plans anew[^]*?\n/.exec(stderr) ?? [];
      expect(text, stderr).toBeDefined();
    });
  }, 60_000);

  it('of the example are found better by what is known of the items than by popularity', async () => {
    await withFolder(async (folder) => {
      const args = ['--config', 'configs/own-data.yaml', '--store', join(folder, 'runs.sqlite')];
      const { code, stdout, stderr } = await towerbench('sweep', ...args);
      expect(code, stderr).toBe(0);
      const valueOf = (variant: string): number => Number(new RegExp(`^${variant} +(\\S+)`, 'm').exec(stdout)?.[1]);
      expect(valueOf('popularity')).toBeGreaterThan(0);
      expect(valueOf('base'), stdout).toBeGreaterThan(2 * valueOf('popularity'));
    });
  });
});
