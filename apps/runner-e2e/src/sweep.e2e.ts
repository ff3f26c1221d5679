import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentReport, RunDiff } from '@towerbench/report';
import { openStoreReader } from '@towerbench/tracking';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fixtures, run, towerbench, type Ended } from './command.js';

const config = join(fixtures, 'sweeps/small.yaml');
const folder = mkdtempSync(join(tmpdir(), 'towerbench-sweep-'));
const store = join(folder, 'store.sqlite');
let first: Ended;

beforeAll(async () => {
  first = await towerbench('sweep', '--config', config, '--store', store);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function reportOf(path: string): Promise<ExperimentReport> {
  const { stdout } = await towerbench('report', '--experiment', 'small', '--format', 'json', '--store', path);
  return (JSON.parse(stdout) as ExperimentReport[])[0] as ExperimentReport;
}

describe('sweep', () => {
  it('prints the leaderboard alone on standard output, with every variant and the oracle', () => {
    expect(first.code, first.stderr).toBe(0);
    for (const name of ['base', 'popularity', 'linear', 'oracle', 'test/ndcg@10', 'test/recall@20'])
      expect(first.stdout).toContain(name);
    expect(first.stdout).toContain('not enough seeds to tell');
    expect(first.stdout).not.toMatch(/finished/);
    expect(first.stderr).toContain('6 runs finished');
    expect(first.stderr).toContain('npx nx run dashboard:serve --store');
  });

  it('does nothing the second time', async () => {
    const again = await towerbench('sweep', '--config', config, '--store', store);
    expect(again.code).toBe(0);
    expect(again.stderr).toContain('0 runs finished, 6 already done');
    expect(again.stdout).toBe(first.stdout);
  });

  it('trains nothing anew when only names, comments and report columns change', async () => {
    const other = join(folder, 'renamed.yaml');
    const text = readFileSync(config, 'utf8');
    writeFileSync(
      other,
      `# another comment\n${text.replace('name: small', 'name: renamed').replace(/^report: .*$/m, 'report: [test/hr@10]')}`,
    );
    const renamed = await towerbench('sweep', '--config', other, '--store', store);
    expect(renamed.stderr).toContain('0 runs finished, 6 already done');
    expect(renamed.stdout).toContain('test/hr@10');
  });

  it('gives the same numbers with one job and with two', async () => {
    const one = join(folder, 'one/store.sqlite');
    const { code } = await towerbench('sweep', '--config', config, '--store', one, '--jobs', '1');
    expect(code).toBe(0);
    const numbers = (report: ExperimentReport) => report.groups.map(({ variant, metrics }) => ({ variant, metrics }));
    expect(numbers(await reportOf(one))).toEqual(numbers(await reportOf(store)));
  });

  it('records what a run was done under', () => {
    const reader = openStoreReader(store);
    const [run] = reader.runs('small');
    const [attempt] = reader.attempts(run?.id as number);
    expect(attempt?.environment).toMatchObject({
      source: { commit: expect.anything() as unknown },
      engine: { name: 'simd' },
      machine: { node: process.version },
      packages: { '@tensorflow/tfjs-core': '4.22.0' },
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      protocol: { dataset: 'world/movies', candidates: 'all', seen: 'removed' },
    });
    expect(reader.seriesNames(run?.id as number)).toContain('train/loss');
    reader.close();
  });
});

describe('report', () => {
  it('gives json as the design fixes it', async () => {
    const report = await reportOf(store);
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining([
        'experiment',
        'dataset',
        'fingerprint',
        'protocol',
        'metric',
        'oracle',
        'groups',
        'published',
      ]),
    );
    const base = report.groups.find(({ variant }) => variant === 'base');
    expect(base).toMatchObject({ seeds: [1, 2], n: 2, failed: 0, versus: null });
    const summary = base?.metrics['test/ndcg@10'];
    expect(summary?.values).toHaveLength(2);
    expect(summary?.mean).toBeCloseTo(((summary?.values[0] as number) + (summary?.values[1] as number)) / 2, 12);
    const popularity = report.groups.find(({ variant }) => variant === 'popularity');
    expect(popularity?.versus).toMatchObject({ base: 'base', 'test/ndcg@10': { pSeeds: null, pHolm: null } });
  });

  it.each([
    ['markdown', /^\|.*variant.*\|$/m],
    ['latex', /\\begin\{tabular\}/],
    ['csv', /^experiment,.*variant/m],
    ['table', /variant/],
  ])('prints %s', async (format, form) => {
    const { code, stdout } = await towerbench('report', '--experiment', 'small', '--format', format, '--store', store);
    expect(code).toBe(0);
    expect(stdout).toMatch(form);
  });

  it('writes a file whole', async () => {
    const out = join(folder, 'table.md');
    await towerbench('report', '--experiment', 'small', '--format', 'markdown', '--store', store, '--out', out);
    const { stdout } = await towerbench('report', '--experiment', 'small', '--format', 'markdown', '--store', store);
    expect(readFileSync(out, 'utf8')).toBe(stdout);
  });
});

describe('other commands', () => {
  it('plan says what is done and writes nothing', async () => {
    const { stdout, code } = await towerbench(
      'plan',
      '--config',
      config,
      '--store',
      store,
      '--set',
      'seeds=[1,2,3]',
      '--detect',
      '0.01',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/small: 9 runs on world\/movies, 6 done, 3 to run, about \d+ s on \d+ jobs?/);
    expect(stdout).toContain('seeds needed to see a difference of 0.01');
  });

  it('get their arguments in one piece through Nx', async () => {
    const args = ['runner:plan', '--config', config, '--store', store, '--set', 'seeds=[1, 2, 3]'];
    const { code, stdout, stderr } = await run('npx', ['nx', 'run', ...args]).ended;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('small: 9 runs');
  });

  it('runs lists them, show shows one whole', async () => {
    const { stdout } = await towerbench('runs', '--experiment', 'small', '--format', 'json', '--store', store);
    const rows = JSON.parse(stdout) as { id: number; status: string; variant: string }[];
    expect(rows.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'finished'));
    const table = await towerbench('runs', '--experiment', 'small', '--store', store);
    expect(table.stdout).toMatch(/^run +experiment +variant +seed +valid\/ndcg@10 +seconds +started +status$/m);
    expect(table.stdout).toMatch(
      /^ *\d+ +small +popularity +2 +0\.\d{4} +\d+\.\d +\d{4}-\d\d-\d\d \d\d:\d\d +finished$/m,
    );
    const base = rows.find(({ variant }) => variant === 'base');
    const shown = await towerbench('show', String(base?.id), '--store', store);
    for (const text of ['test/ndcg@10', 'embedding_dim: 8', 'commit:', 'train/loss'])
      expect(shown.stdout).toContain(text);
    const whole = await towerbench('show', String(base?.id), '--format', 'json', '--store', store);
    expect(JSON.parse(whole.stdout)).toMatchObject({ config: { model: { embedding_dim: 8, hidden_units: [16] } } });
  });

  it('evaluate gives the stored numbers under the same protocol', async () => {
    const { stdout } = await towerbench('runs', '--experiment', 'small', '--format', 'json', '--store', store);
    const base = (JSON.parse(stdout) as { id: number; variant: string; metrics: Record<string, number> }[]).find(
      ({ variant }) => variant === 'base',
    );
    const evaluated = await towerbench(
      'evaluate',
      String(base?.id),
      '--protocol',
      'full',
      '--format',
      'json',
      '--store',
      store,
    );
    expect(evaluated.code, evaluated.stderr).toBe(0);
    const { metrics } = JSON.parse(evaluated.stdout) as { metrics: Record<string, number> };
    for (const [name, value] of Object.entries(metrics)) expect(value, name).toBe(base?.metrics[name]);
    const table = await towerbench('evaluate', String(base?.id), '--protocol', 'sampled-9', '--store', store);
    expect(table.stdout).toMatch(/^Means over the \d+ users who have something to find; the other \d+ of the data are in none\.$/m); // prettier-ignore
  });

  it('report writes a page and figures that stand alone', async () => {
    const file = join(folder, 'report.html');
    const named = ['report', '--experiment', 'small', '--store', store];
    expect((await towerbench(...named, '--format', 'html', '--out', file)).code).toBe(0);
    const html = readFileSync(file, 'utf8');
    for (const text of ['<th scope="row">base</th>', 'difference to base', '>packages.zod</th>', 'by step'])
      expect(html).toContain(text);
    for (const figure of ['forest', 'means', 'curves'])
      expect((await towerbench(...named, '--figure', figure)).stdout).toMatch(/^<svg [^]*<\/svg>\n$/);
    const parquet = join(folder, 'report.parquet');
    expect((await towerbench(...named, '--format', 'parquet', '--out', parquet)).code).toBe(0);
    expect(readFileSync(parquet).subarray(0, 4).toString()).toBe('PAR1');
    const nowhere = await towerbench(...named, '--format', 'parquet');
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toContain('add --out report.parquet');
    const unnamed = await towerbench('report', '--figure', 'forest', '--store', store);
    expect(unnamed.code).toBe(2);
    expect(unnamed.stderr).toContain('name it with --experiment');
  });

  it('diff says what differs between two seeds of a variant, and as JSON the same', async () => {
    const text = await towerbench('diff', '1', '2', '--store', store);
    expect(text.code, text.stderr).toBe(0);
    expect(text.stdout).toContain('config: the same\n');
    expect(text.stdout).toMatch(/test\/ndcg@10 .*[+−]0\.\d{6}/);
    const { config, metrics } = JSON.parse(
      (await towerbench('diff', '1', '2', '--format', 'json', '--store', store)).stdout,
    ) as RunDiff;
    expect(config).toEqual([]);
    expect(metrics.find(({ metric }) => metric === 'test/ndcg@10')?.difference).not.toBe(0);
    const wrong = await towerbench('diff', '1', '4711', '--store', store);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('there is no run 4711');
  });

  it('doctor finds the engines, the store and the datasets', async () => {
    const { stdout, code } = await towerbench('doctor', '--store', store);
    expect(code, stdout).toBe(0);
    const { json, abi } = {
      json: await towerbench('doctor', '--store', store, '--format', 'json'),
      abi: process.versions.modules,
    };
    const findings = JSON.parse(json.stdout) as { what: string; state: string; detail: string; remedy?: string }[];
    const stateOf = (what: string): string[] =>
      findings.filter((each) => each.what === what).map(({ state, detail }) => `${state} ${detail}`);
    for (const { what, remedy } of findings) expect(stdout).toContain(remedy?.split('\n')[0] ?? what);
    expect(stateOf('node')).toEqual([`ok ${process.version}, ABI ${abi}, ${process.platform}-${process.arch}`]);
    expect(stateOf('engine simd')).toEqual([expect.stringMatching(/^ok \S*tfjs-wasm-/)]);
    expect(stateOf('better-sqlite3')).toEqual([`ok loads and writes, compiled for ABI ${abi}`]);
    expect(stateOf('DuckDB')).toEqual([expect.stringMatching(/^ok v\d+\.\d+\.\d+, /)]);
    expect(stateOf('store')).toEqual([
      expect.stringMatching(/^ok .*store\.sqlite, .* \d+ experiments?, \d+ finished runs, /),
    ]);
    expect(stateOf('datasets')[0]).toMatch(/^ok \d+ need no files$/);
    expect(stateOf('terminal')).toEqual(['ok none: whole lines without colours, for files and programs']);
    for (const what of ['cores', 'memory', 'disk', 'cache', 'dashboard']) expect(stateOf(what)).toHaveLength(1);
    expect(stdout).toMatch(/\+libtensorflow-[\d.]+\n|npm run setup:tensorflow/);
  });

  it('data lists, describes and checks', async () => {
    const nowhere = join(folder, 'no-data');
    mkdirSync(nowhere);
    const { stdout: list } = await towerbench('data', 'list', '--data', nowhere);
    expect(list).toContain('world/field-noise');
    expect(list).toMatch(/\nyelp-s3rec +missing +316,354 +30,431 +20,033 +2\.4 MB\n/);
    expect(list).toContain(`Files are looked for in ${nowhere}`);
    expect(list).toContain(
      '  get      npx towerbench data fetch gowalla-lightgcn\n  or put   gowalla/train.txt[.gz] or lightgcn-gowalla/train.txt[.gz]\n',
    );
    const json = JSON.parse(
      (await towerbench('data', 'list', '--data', nowhere, '--format', 'json')).stdout,
    ) as object[];
    expect(json).toContainEqual(
      expect.objectContaining({ name: 'yelp-s3rec', state: 'missing', downloadBytes: 2_414_584 }),
    );
    const { stdout: described } = await towerbench('data', 'describe', 'kuairand-pure', '--data', nowhere);
    expect(described).toContain('md5:0820331067a3784d9691136f772b35a7');
    expect(described).toContain(`or put into ${nowhere}:\n`);
    expect((await towerbench('data', 'describe', 'world/movies')).stdout).toMatch(/items +genres +multi/);
    expect((await towerbench('data', 'check', 'world/movies')).stdout).toContain('world/movies: as it should be');
  });

  it('schema prints what editors check experiment files with', async () => {
    const schema = JSON.parse((await towerbench('schema')).stdout) as { $schema: string };
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(JSON.stringify(schema)).toContain('"world/field-noise"');
  });

  it.each(['sweep', 'plan', 'report', 'runs', 'show', 'diff', 'evaluate', 'recommend', 'doctor', 'schema'])(
    '%s --help has examples',
    async (command) => {
      const { stdout, code } = await towerbench(command, '--help');
      expect(code).toBe(0);
      expect(stdout).toContain(`Examples:\n  npx towerbench ${command}`);
    },
  );
});
