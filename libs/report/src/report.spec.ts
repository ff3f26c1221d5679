import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryStore, type Json, type StoreReader } from '@towerbench/tracking';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildReport } from './build.js';
import { toCsv, toJson, toLatex, toMarkdown } from './documents.js';
import { writeParquet } from './parquet.js';
import { ROW_COLUMNS, toRows } from './rows.js';
import { toTerminal } from './terminal.js';

interface SampleRun {
  readonly variant: string;
  readonly seed: number;
  /** Value of valid/auc and test/auc; a text is the error of a failed run. */
  readonly auc: number | string;
  readonly users?: readonly number[];
  /** Given up by the search. */
  readonly pruned?: boolean;
  readonly parameters?: Readonly<Record<string, Json>>;
  /** What is reported in place of test/auc. */
  readonly metric?: string;
}

/** A store with one experiment of the given runs; runs that are planned but not given stay pending. */
function storeOf(
  runs: readonly SampleRun[],
  options: {
    readonly seeds?: readonly number[];
    readonly goal?: 'maximize' | 'minimize';
    readonly objective?: string;
    readonly published?: Json;
  } = {},
): StoreReader {
  const { writer, reader } = openMemoryStore();
  const trialOf = ({ variant, parameters = {} }: SampleRun): string => `${variant}${JSON.stringify(parameters)}`;
  const trials = new Map(runs.map((run) => [trialOf(run), run]));
  const planned = writer.plan({
    name: 'gates',
    file: 'gates.yaml',
    config: {},
    dataset: 'world/field-noise',
    fingerprint: 'f00dbeef0000',
    protocol: { dataset: 'world/field-noise', split: 'fixed', candidates: 'labelled-rows' },
    metric: { name: options.objective ?? 'valid/auc', goal: options.goal ?? 'maximize' },
    report: [runs[0]?.metric ?? 'test/auc'],
    published: options.published ?? [],
    baseVariant: 'base',
    seeds: options.seeds ?? [...new Set(runs.map(({ seed }) => seed))],
    trials: [...trials].map(([id, { variant, parameters = {} }]) => ({ id, variant, parameters, config: {} })),
  });
  for (const run of runs) {
    const row = planned.find(({ trialId, seed }) => trialId === trialOf(run) && seed === run.seed);
    const claim = writer.claim(row?.id as number, { host: 'here', pid: 1, environment: {} });
    const attempt = claim?.attemptId as number;
    if (run.pruned === true) {
      writer.prune(attempt, 'worse than the median');
      continue;
    }
    if (typeof run.auc === 'string') {
      writer.fail(attempt, { error: run.auc, status: 'failed', retry: false });
      continue;
    }
    writer.finish(attempt, {
      metrics: { 'valid/auc': run.auc, [run.metric ?? 'test/auc']: run.auc },
      perUser: run.users === undefined ? {} : { [run.metric ?? 'test/auc']: Float32Array.from(run.users) },
      parameterCount: 1234,
      indexBytesPerItem: null,
      seconds: 2,
      bestStep: 10,
      artifacts: [],
    });
  }
  writer.oracle('gates', { 'test/auc': 0.9 });
  return reader;
}

const seeds = [1, 2, 3, 4, 5];
const wobble = [0.01, -0.01, 0.02, 0, -0.02];
/** The gate is better by .1 with every seed, for nearly every user. */
function fiveSeeds(): SampleRun[] {
  return seeds.flatMap((seed, k) => [
    { variant: 'base', seed, auc: 0.7 + (wobble[k] as number), users: Array.from({ length: 40 }, (_, user) => user / 40) },
    { variant: 'gate', seed, auc: 0.8 + (wobble[k] as number) * 1.1, users: Array.from({ length: 40 }, (_, user) => user / 40 + 0.1 + user / 1000) },
    { variant: 'same', seed, auc: 0.7 + (wobble[seeds.length - 1 - k] as number), users: Array.from({ length: 40 }, (_, user) => user / 40 + (user % 2 ? 0.01 : -0.01)) },
  ]); // prettier-ignore
}

describe('buildReport', () => {
  it('compares with the base over shared seeds and over users, corrected over the variants', () => {
    const { groups, oracle, runs } = buildReport(storeOf(fiveSeeds()), 'gates');
    expect(runs).toEqual({ finished: 15, failed: 0, pruned: 0, total: 15 });
    expect(oracle).toEqual({ 'test/auc': 0.9 });
    expect(groups.map(({ variant }) => variant)).toEqual(['gate', 'base', 'same']);
    const [gate, base, same] = groups;
    expect(base?.versus).toBeNull();
    const versus = gate?.versus?.['test/auc'];
    expect(versus).toMatchObject({ difference: expect.closeTo(0.1, 10) as number });
    if (typeof versus !== 'object') throw new Error('the gate is compared');
    expect(versus.pSeeds).toBeLessThan(1e-5);
    expect(versus.pHolm).toBeCloseTo(2 * (versus.pSeeds as number), 12);
    expect(versus.pUsers).toBeLessThan(1e-6);
    // differences of the five seeds: .1 + .1 · wobble, so d_z = .1 / (.1 · √(.001/4)), corrected by J(4) = .7979
    expect(versus).toMatchObject({ n: 5, std: expect.closeTo(0.1 * Math.sqrt(0.001 / 4), 10) as number });
    expect(versus.effectSize).toBeCloseTo((0.797884560802865 * 0.1) / (versus.std as number), 8);
    expect(versus.users).toMatchObject({ n: 40, wins: 40, losses: 0, ties: 0, rankBiserial: 1 });
    // over users the mean difference is .1 + 19.5 / 1000, give or take 1.96 · .0115 / √40
    expect(versus.users?.ci95?.map((end) => end.toFixed(3))).toEqual(['0.116', '0.123']);
    expect(same?.versus?.['test/auc']).toMatchObject({ pHolm: expect.closeTo(1, 0) as number });
  });

  it('has no p over seeds under five, and no interval for one', () => {
    const three = fiveSeeds().filter(({ seed }) => seed <= 3);
    const [gate] = buildReport(storeOf(three), 'gates').groups;
    expect(gate?.versus?.['test/auc']).toMatchObject({ pSeeds: null, pHolm: null, ci95: expect.any(Array) as unknown });
    const [single] = buildReport(storeOf(fiveSeeds().filter(({ seed }) => seed === 1)), 'gates').groups;
    expect(single?.metrics['test/auc']).toMatchObject({ std: null, ci95: null, values: [0.811] });
    expect(single?.versus?.['test/auc']).toMatchObject({ ci95: null, pSeeds: null });
  });

  it('pairs by seed: a seed that one side lacks is left out', () => {
    const runs = fiveSeeds().filter(({ variant, seed }) => !(variant === 'base' && seed === 5));
    const gate = buildReport(storeOf(runs, { seeds }), 'gates').groups.find(({ variant }) => variant === 'gate');
    expect(gate?.n).toBe(5);
    const differences = [0, 1, 2, 3].map((k) => 0.1 + (wobble[k] as number) * 0.1);
    const mean = differences.reduce((sum, value) => sum + value, 0) / 4;
    expect(gate?.versus?.['test/auc']).toMatchObject({ difference: expect.closeTo(mean, 10) as number, pSeeds: null });
  });

  it('stands a variant for its best trial by the validation metric, and says of how many', () => {
    const rates = [0.1, 0.01].flatMap((rate) =>
      [1, 2].map((seed): SampleRun => ({
        variant: 'base',
        seed,
        auc: rate === 0.01 ? 0.8 : 0.6,
        parameters: { 'optimizer.learning_rate': rate },
      })),
    );
    const [group] = buildReport(storeOf(rates), 'gates').groups;
    expect(group).toMatchObject({ parameters: { 'optimizer.learning_rate': 0.01 }, budget: 2, n: 2 });
  });

  it('names a setting in a table with six digits, a whole number with all', () => {
    const run = { variant: 'base', seed: 1, auc: 0.8, parameters: { rate: 0.027568802169555064, buckets: 12_345_678 } };
    const one = buildReport(storeOf([run]), 'gates');
    expect(toMarkdown([one])).toContain('base (rate=0.0275688 buckets=12345678)');
    expect(toJson([one])).toContain('0.027568802169555064');
  });

  it('lets a trial that the search gave up stand for its variant only where no other has a result', () => {
    const trial = (rate: number, auc: number, seed: number, pruned = false): SampleRun => ({ variant: 'base', seed, auc, parameters: { rate }, pruned }); // prettier-ignore
    const lucky = [trial(0.1, 0.9, 1), trial(0.1, 0, 2, true)];
    const whole = [trial(0.2, 0.8, 1), trial(0.2, 0.7, 2)];
    const { groups, runs } = buildReport(storeOf([...lucky, ...whole]), 'gates');
    expect(groups[0]).toMatchObject({ parameters: { rate: 0.2 }, n: 2, budget: 2 });
    expect(runs).toEqual({ finished: 3, failed: 0, pruned: 1, total: 4 });
    const alone = buildReport(storeOf(lucky), 'gates');
    expect(alone.groups[0]).toMatchObject({ parameters: { rate: 0.1 }, n: 1 });
    expect(toMarkdown([alone])).toContain('1 of 2 runs are finished, 1 pruned.');
  });

  it('puts the lowest first where low is good, and variants without a result last', () => {
    const runs: SampleRun[] = [
      { variant: 'base', seed: 1, auc: 0.5 },
      { variant: 'broken', seed: 1, auc: 'the loss is NaN' },
      { variant: 'low', seed: 1, auc: 0.4 },
    ];
    const { groups } = buildReport(storeOf(runs, { goal: 'minimize' }), 'gates');
    expect(groups.map(({ variant }) => variant)).toEqual(['low', 'base', 'broken']);
    expect(groups[2]).toMatchObject({ n: 0, failed: 1, seconds: null, metrics: {}, versus: { base: 'base' } });
  });

  it('keeps published cells on other protocols apart', () => {
    const cell = (split: string) => ({ variant: 'base', metric: 'test/auc', value: 0.75, source: 'paper', protocol: { dataset: 'world/field-noise', split, candidates: 'labelled-rows' } }); // prettier-ignore
    const reader = storeOf(fiveSeeds(), { published: [cell('fixed'), cell('ratio')] });
    const report = buildReport(reader, 'gates');
    expect(report.published.map(({ comparable }) => comparable)).toEqual([true, false]);
    const text = toTerminal(report, { width: 100, color: false });
    expect(text).toMatch(/base +0\.7000 ±0\.0196 .*\n +published 0\.7500/);
    expect(text).toContain(`published on other data or another protocol, not comparable:
variant  metric    published  source  differs
base     test/auc       0.75  paper   split ratio, here fixed`);
    expect(toMarkdown([report])).toContain(`published on other data or another protocol, not comparable:

| variant | metric | published | source | differs |
| --- | --- | ---: | --- | --- |
| base | test/auc | 0.75 | paper | split ratio, here fixed |
`);
    expect(toLatex([report])).toContain('    base & test/auc & 0.75 & paper & split ratio, here fixed \\\\');
    expect(toLatex([report]).match(/\\(begin|end){table}/g)).toHaveLength(4);
    expect(JSON.parse(toJson([report]))).toMatchObject([
      {
        published: [
          { comparable: true, differs: '' },
          { comparable: false, differs: 'split ratio, here fixed' },
        ],
      },
    ]);
    const [head = [], ...rows] = toCsv([report])
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/,(?! )/));
    const published = rows
      .map((row) => row.slice(head.indexOf('published'), head.indexOf('budget')))
      .filter(([value]) => value !== '');
    expect(published).toEqual([
      ['0.75', 'paper', ''],
      ['0.75', 'paper', '"split ratio, here fixed"'],
    ]);
    for (const row of rows.slice(-2)) expect(row[head.indexOf('mean')]).toBe('');
  });

  it('says everything that differs from the protocol of a published cell, and takes the candidates from its metric', () => {
    const cell = (metric: string, protocol: Json) => ({ variant: 'base', metric, value: 0.5, source: 'paper', protocol }); // prettier-ignore
    const sampled = { dataset: 'world/field-noise', split: 'fixed', candidates: 'sampled-99' };
    const reader = storeOf(fiveSeeds(), {
      published: [
        cell('test/sampled-99/hr@10', sampled),
        cell('test/hr@10', sampled),
        cell('test/hr@10', { dataset: 'movies', split: 'ratio', candidates: 'labelled-rows' }),
      ],
    });
    expect(buildReport(reader, 'gates').published.map(({ differs }) => differs)).toEqual([
      '',
      'candidates sampled-99, here labelled-rows',
      'dataset movies, here world/field-noise; split ratio, here fixed',
    ]);
  });
});

describe('marks', () => {
  const without = fiveSeeds().map(({ users: _, ...run }) => run);

  it('are none where a metric has no values by user, and the table says so', () => {
    const text = toTerminal(buildReport(storeOf(without), 'gates'), { width: 100, color: false });
    expect(text).not.toMatch(/^ +better$/m);
    expect(text).toMatch(/\ntest\/auc: without values by user, so nothing is marked there\.$/);
  });

  it('are explained by the number of seeds alone, where these are too few', () => {
    const few = without.filter(({ seed }) => seed <= 3);
    expect(toTerminal(buildReport(storeOf(few), 'gates'), { width: 100, color: false })).toMatch(
      /3 of at least 5, so nothing is marked\.$/,
    );
  });
});

describe('the faces of a report', () => {
  const report = buildReport(storeOf(fiveSeeds()), 'gates');

  it('terminal', () => {
    expect(toTerminal(report, { width: 100, color: false }))
      .toBe(`gates on world/field-noise (data f00dbeef), ordered by valid/auc

variant         test/auc  runs  parameters   time
gate      0.8000 ±0.0216     5       1,234  2.0 s
         +0.1000 ±0.0020
                  better
base      0.7000 ±0.0196     5       1,234  2.0 s
same      0.7000 ±0.0196     5       1,234  2.0 s
         +0.0000 ±0.0278
oracle            0.9000

± is half of the 95 % t interval over seeds; differences to the base are paired by seed.
better, worse: p < .05 over seeds (paired t, Holm) and over users (Wilcoxon signed-rank, Pratt).`);
  });

  it('marks only what stands over seeds and users', () => {
    const escape = String.fromCharCode(27);
    const text = toTerminal(report, { width: 100, color: true });
    expect(text).toContain(`${escape}[32m0.8000 ±0.0216`);
    expect(text).not.toContain(`${escape}[32m0.7000`);
  });

  it('marks what is worse by another colour and by a word, also where a lower value is the better one', () => {
    const escape = String.fromCharCode(27);
    const worse = fiveSeeds().map((run) => ({ ...run, variant: run.variant === 'base' ? 'gate' : run.variant === 'gate' ? 'base' : 'same' })); // prettier-ignore
    const text = toTerminal(buildReport(storeOf(worse), 'gates'), { width: 100, color: true });
    expect(text).toContain(`${escape}[31m0.7000 ±0.0196`);
    expect(text).toMatch(/−0\.1000 ±0\.0020.*\n.*worse/);
    expect(text).not.toContain(`${escape}[32m`);
    expect(toMarkdown([buildReport(storeOf(worse), 'gates')])).toContain('(−0.1000 ±0.0020, worse)');

    const losses = fiveSeeds().map((run) => ({ ...run, metric: 'test/logloss' }));
    expect(toMarkdown([buildReport(storeOf(losses), 'gates')])).toContain('(+0.1000 ±0.0020, worse)');
    const lowest = { goal: 'minimize', objective: 'test/auc' } as const;
    expect(toMarkdown([buildReport(storeOf(fiveSeeds(), lowest), 'gates')])).toContain('(+0.1000 ±0.0020, worse)');
  });

  it('splits metrics that do not fit beside each other into several tables', () => {
    const wide = { ...report, columns: ['test/auc', 'valid/auc', 'test/auc', 'valid/auc'] };
    for (const line of toTerminal(wide, { width: 100, color: false }).split('\n'))
      expect(line.length).toBeLessThanOrEqual(100);
  });

  it.each([80, 120])('is within a terminal of %i characters, long names and metrics wrapped', (width) => {
    const metrics = ['test/sampled-99/ndcg@100', 'test/mean_popularity@100', 'valid/sampled-99/precision@100'];
    const variant = 'a-name-of-eighty-characters-that-a-script-put-together-from-every-option-it-had-x';
    const groups = report.groups.map((group) => ({
      ...group,
      variant,
      metrics: Object.fromEntries(metrics.map((name) => [name, group.metrics['test/auc']!])),
    }));
    const published = [{ variant, metric: metrics[0]!, value: 0.5, source: 'A paper with a long title, table 3', comparable: false, differs: 'split ratio, here fixed' }]; // prettier-ignore
    const lines = toTerminal({ ...report, experiment: variant, groups, columns: metrics, published }, { width, color: false }).split('\n'); // prettier-ignore
    expect(lines.filter((line) => line.length > width)).toEqual([]);
    expect(lines.filter((line) => line.startsWith('variant'))).toHaveLength(width === 80 ? 4 : 2);
  });

  it('markdown', () => {
    expect(toMarkdown([report])).toContain(
      '| variant | test/auc | runs | parameters | time |\n| --- | ---: | ---: | ---: | ---: |\n| gate | **0.8000 ±0.0216** (+0.1000 ±0.0020, better) | 5 | 1,234 | 2.0 s |\n',
    );
  });

  it('latex, escaped', () => {
    const text = toLatex([{ ...report, experiment: 'a_b & 50%' }]);
    expect(text).toContain('\\caption{a\\_b \\& 50\\% on world/field-noise');
    expect(text).toContain(
      '    gate & \\textbf{0.8000 $\\pm$0.0216}$^\\dagger$ (+0.1000 $\\pm$0.0020) & 5 & 1,234 & 2.0 s \\\\',
    );
    expect(text.match(/\\(top|mid|bottom)rule/g)).toHaveLength(3);
    expect(text).toContain('$^\\dagger$ better, $^\\ddagger$ worse than base, in bold: p $<$ .05 over seeds');
  });

  it('latex, without a row that reads as an option of the line before', () => {
    const [gate, ...others] = report.groups;
    const text = toLatex([{ ...report, groups: [{ ...gate!, variant: '[2ex] *' }, ...others] }]);
    expect(text).toContain('\n    {[}2ex] {*} & ');
    expect(text).not.toMatch(/(\\\\|rule)\s*[[*]/);
  });

  it('csv, with texts that a spreadsheet would compute kept as texts, and numbers as numbers', () => {
    const [gate, ...others] = report.groups;
    for (const variant of ['=1+1', '+gate', '-gate', '@gate', '\tgate']) {
      const [, first = ''] = toCsv([{ ...report, groups: [{ ...gate!, variant }, ...others] }]).split('\n');
      expect(first.split(',')[3]).toBe(`'${variant}`);
    }
    const minus = { 'test/auc': { mean: -0.5, std: null, ci95: null, values: [-0.5] } };
    const [head = '', first = ''] = toCsv([{ ...report, groups: [{ ...gate!, metrics: minus }] }]).split('\n');
    expect(first.split(',')[head.split(',').indexOf('mean')]).toBe('-0.5');
  });

  it('parquet, with the rows of the csv, typed, to the bit', async () => {
    const [gate, ...others] = report.groups;
    const nan = { 'test/auc': { mean: NaN, std: null, ci95: null, values: [NaN] } };
    const reports = [
      { ...report, experiment: "it's ünquoted" },
      { ...report, groups: [{ ...gate!, metrics: nan }, ...others] },
    ];
    const folder = mkdtempSync(join(tmpdir(), "towerbench-parquet's-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'report.parquet');
    await writeParquet(reports, path);
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const found = await connection.runAndReadAll(`SELECT * FROM '${path.replaceAll("'", "''")}'`);
    const columns = Object.keys(ROW_COLUMNS) as (keyof typeof ROW_COLUMNS)[];
    expect(found.columnNames()).toEqual(columns);
    expect(found.getRows()).toEqual(toRows(reports).map((row) => columns.map((column) => row[column])));
    const types = Object.fromEntries(columns.map((column, k) => [column, String(found.columnTypes()[k])]));
    expect(types).toMatchObject({ variant: 'VARCHAR', n: 'INTEGER', users: 'INTEGER', mean: 'DOUBLE' });
    await expect(writeParquet(reports, join(folder, 'no', 'such', 'folder'))).rejects.toThrow(
      'No such file or directory',
    );
  });

  it('csv, in full precision and quoted', () => {
    const lines = toCsv([{ ...report, experiment: 'a,"b"' }])
      .trimEnd()
      .split('\n');
    const head = (lines[0] as string).split(',');
    expect(lines[1]).toMatch(/^"a,""b""",world\/field-noise,f00dbeef0000,gate,/);
    const gate = (toCsv([report]).split('\n')[1] as string).split(',');
    expect(Number(gate[head.indexOf('mean')])).toBe(report.groups[0]?.metrics['test/auc']?.mean);
    for (const line of toCsv([report]).trimEnd().split('\n')) expect(line.split(',')).toHaveLength(head.length);
  });

  it('json, with the keys that programs rely on', () => {
    const published = [{ variant: 'base', metric: 'test/auc', value: 0.75, source: 'paper', protocol: { dataset: 'other', split: 'fixed', candidates: 'labelled-rows' } }]; // prettier-ignore
    const [first] = JSON.parse(toJson([buildReport(storeOf(fiveSeeds(), { published }), 'gates')])) as [
      Record<string, Json> & { groups: [Record<string, Record<string, object>>]; published: [object]; metric: object },
    ];
    const [gate] = first.groups;
    expect(Object.keys(first).sort()).toEqual(
      ['experiment', 'dataset', 'fingerprint', 'protocol', 'metric', 'oracle', 'groups', 'published', 'runs', 'columns'].sort(),
    ); // prettier-ignore
    expect(Object.keys(first.metric).sort()).toEqual(['goal', 'name']);
    expect(Object.keys(gate).sort()).toEqual(
      ['variant', 'trial', 'parameters', 'seeds', 'n', 'failed', 'seconds', 'parameterCount', 'metrics', 'versus', 'budget'].sort(),
    ); // prettier-ignore
    expect(Object.keys(gate['metrics']!).sort()).toEqual(['test/auc', 'valid/auc']);
    expect(Object.keys(gate['metrics']!['test/auc']!).sort()).toEqual(['ci95', 'mean', 'std', 'values']);
    expect(Object.keys(gate['versus']!).sort()).toEqual(['base', 'test/auc']);
    expect(Object.keys(gate['versus']!['test/auc']!).sort()).toEqual(
      ['ci95', 'difference', 'effectSize', 'n', 'pHolm', 'pSeeds', 'pUsers', 'std', 'users'].sort(),
    ); // prettier-ignore
    expect(Object.keys(first.published[0]).sort()).toEqual([
      'comparable',
      'differs',
      'metric',
      'source',
      'value',
      'variant',
    ]);
  });

  it('json is the array itself', () => {
    expect(JSON.parse(toJson([report]))).toEqual(JSON.parse(JSON.stringify([report])));
  });

  it('says how far an unfinished experiment is', () => {
    const unfinished = buildReport(storeOf([{ variant: 'base', seed: 1, auc: 0.7 }], { seeds: [1, 2] }), 'gates');
    expect(toTerminal(unfinished, { width: 100, color: false })).toContain('1 of 2 runs are finished.');
  });
});
