import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '@towerbench/config';
import { engineNames, startEngine, type EngineName } from '@towerbench/engine';
import type { Bench } from './bench.js';
import { dssmStep } from './benches/dssm-step.js';
import { gemm, type Product } from './benches/gemm.js';
import { input } from './benches/input.js';
import { memory } from './benches/memory.js';
import { modelStep, stepModels } from './benches/model-step.js';
import { ready } from './benches/ready.js';
import { soak } from './benches/soak.js';
import { topK, type Search } from './benches/top-k.js';
import { twoAtOnce } from './benches/two-at-once.js';
import { vocabulary } from './benches/vocabulary.js';
import { exportInputs } from './export-inputs.js';
import { measureInTurns, measureWindow, rateFields, type Subject } from './measure.js';
import { reference } from './reference.js';
import type { Settings } from './settings.js';

const benches: readonly Bench[] = [dssmStep, modelStep, vocabulary, memory, gemm, topK, input, ready, soak, twoAtOnce];

interface Options {
  readonly bench: string;
  readonly backend: EngineName;
  readonly data?: string;
  readonly ids?: 'zipf' | 'movielens-1m';
  readonly batchSize?: number;
  readonly embedding?: 'dense' | 'lazy';
  readonly embeddingDim: number;
  readonly users?: number;
  readonly model?: string;
  readonly steps?: number;
  readonly separateRows?: boolean;
  readonly product?: Product;
  readonly search?: Search;
  readonly cache?: string;
  readonly windows: number;
  readonly windowSeconds: number;
  readonly export?: string;
  readonly onRequest?: boolean;
  readonly json?: boolean;
}

/**
 * The benches' command line. Records go to standard output, all else to standard error.
 *
 * @returns 0 done, 1 it could not be measured, 2 wrong input
 */
export async function main(argv: readonly string[], { root }: { readonly root: string }): Promise<number> {
  process.stdout.on('error', ignoreClosedPipe);
  try {
    const program = buildProgram();
    await program
      .action(async (options: Options) => run(options, root))
      .parseAsync(withBatchSize(argv, process.env['NX_COMMAND_LINE']), { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof ConfigError ? 2 : 1;
  }
}

/** Whoever reads our output may stop reading, as `head` does. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** Adds the `--batch-size` that Nx keeps for itself when it is given in front of a task's options; see tools/nx/command-line.mjs. */
function withBatchSize(argv: readonly string[], nxCommandLine: string | undefined): string[] {
  const isBatchSize = (argument: string): boolean => /^--batch-size(=|$)/.test(argument);
  if (nxCommandLine === undefined || argv.some(isBatchSize)) return [...argv];
  const given = JSON.parse(nxCommandLine) as string[];
  const at = given.findIndex(isBatchSize);
  return at < 0 ? [...argv] : [...argv, ...given.slice(at, given[at] === '--batch-size' ? at + 2 : at + 1)];
}

function buildProgram(): Command {
  const from = (min: number) => (text: string) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min) throw new InvalidArgumentError(`a whole number from ${min}`);
    return value;
  };
  return new Command('engine:bench')
    .description(
      `Measures the speed of training, one thread.\n\n${benches.map(({ name, summary }) => `  ${name.padEnd(14)} ${summary}`).join('\n')}`,
    )
    .exitOverride()
    .addOption(
      new Option('--bench <name>', 'what to measure').choices(benches.map(({ name }) => name)).makeOptionMandatory(),
    )
    .addOption(new Option('--backend <name>', 'what computes').choices([...engineNames]).default('simd'))
    .option('--batch-size <number>', 'rows per step (default: those of the published tables)', from(2))
    .addOption(new Option('--embedding <update>', 'how tables are updated').choices(['dense', 'lazy']))
    .option('--embedding-dim <number>', 'width of an embedding', from(1), 16)
    .option('--users <number>', 'size of the user vocabulary, of made-up ids', from(2))
    .addOption(new Option('--model <name>', 'one model of model-step').choices(stepModels))
    .option('--steps <number>', 'steps of soak (default: a million)', from(20))
    .addOption(
      new Option('--ids <source>', 'default: MovieLens-1M where it is found').choices(['zipf', 'movielens-1m']),
    )
    .option('--data <folder>', 'folder of the data sets (default: TOWERBENCH_DATA, else data/)')
    .option('--separate-rows', 'equal users and items of a batch are not encoded once')
    .option('--product <form-m-k-n>', 'one product of gemm, e.g. NT-512-32-512', parseProduct)
    .option('--search <queries-candidates-dim>', 'one search of topk, e.g. 6040-3706-32', parseSearch)
    .option('--cache <folder>', 'where prepared data is kept (default: .towerbench/cache)')
    .option('--windows <number>', 'windows per measurement', from(1), 5)
    .option('--window-seconds <number>', 'length of a window', Number, 1)
    .option('--export <folder>', 'write the ids or vectors that are worked on for other programs instead of measuring')
    .option('--on-request', 'measure one window for each line of standard input')
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      '\nExamples:\n  npx nx run engine:bench --bench dssm-step --batch-size 512 --json\n' +
        '  npx nx run engine:bench --bench memory --users 10000000 --embedding-dim 64',
    );
}

function parseProduct(text: string): Product {
  const [, form, m, k, n] = /^(NN|NT|TN)-(\d+)-(\d+)-(\d+)$/.exec(text) ?? [];
  if (form === undefined) throw new InvalidArgumentError('NN, NT or TN and three sizes, e.g. NT-512-32-512');
  return { form: form as Product['form'], m: Number(m), k: Number(k), n: Number(n) };
}

function parseSearch(text: string): Search {
  const [, queries, candidates, dim] = /^(\d+)-(\d+)-([1-9]\d*)$/.exec(text) ?? [];
  if (queries === undefined) throw new InvalidArgumentError('three sizes, e.g. 6040-3706-32');
  return { queries: Number(queries), candidates: Number(candidates), dim: Number(dim) };
}

async function run(options: Options, root: string): Promise<void> {
  const bench = benches.find(({ name }) => name === options.bench) as Bench;
  const settings: Settings = {
    root,
    places: {
      dataDir: resolve(root, options.data ?? process.env['TOWERBENCH_DATA'] ?? 'data'),
      cacheDir: resolve(root, options.cache ?? '.towerbench/cache'),
    },
    backend: options.backend,
    ids: options.ids ?? null,
    batchSize: options.batchSize ?? null,
    embedding: options.embedding ?? null,
    embeddingDim: options.embeddingDim,
    numUsers: options.users ?? null,
    model: options.model ?? null,
    steps: options.steps ?? null,
    product: options.product ?? null,
    search: options.search ?? null,
    separateRows: options.separateRows ?? false,
    windows: options.windows,
    windowSeconds: options.windowSeconds,
  };
  const { build } = await startEngine(settings.backend);
  if (options.export !== undefined) {
    const folder = resolve(process.env['INIT_CWD'] ?? root, options.export);
    if (bench.exportInputs) bench.exportInputs(settings, folder);
    else
      exportInputs(
        reference({ batchSize: 512, embedding: 'dense', numUsers: settings.numUsers }, settings).data,
        folder,
      );
    return;
  }
  const environment = { bench: bench.name, backend: settings.backend, build, node: process.version };
  if (options.onRequest === true) {
    await answerRequests(subjectsOf(bench, settings), { environment, windowSeconds: settings.windowSeconds });
    return;
  }
  for (const record of await recordsOf(bench, settings)) {
    const whole = { ...environment, ...record, peer: null, ratio: null };
    process.stdout.write(options.json === true ? `${JSON.stringify(whole)}\n` : `${lineOf(whole)}\n`);
  }
}

async function recordsOf(bench: Bench, settings: Settings): Promise<readonly object[]> {
  if ('records' in bench) return bench.records(settings);
  const subjects = bench.subjects(settings);
  return measureInTurns(subjects, settings).map((windows, index) => {
    const { unit, facts } = subjects[index] as Subject;
    return { ...facts, ...rateFields(unit, windows) };
  });
}

/** The work of a bench that is measured in windows, when it is one. */
function subjectsOf(bench: Bench, settings: Settings): Subject {
  const subjects = 'subjects' in bench ? bench.subjects(settings) : [];
  const [only] = subjects;
  if (only === undefined || subjects.length > 1) {
    throw new Error(
      `--on-request measures one thing; ${bench.name} has ${subjects.length}: choose with the other options`,
    );
  }
  return only;
}

/** One window for each line of standard input, after a warm-up. */
async function answerRequests(
  subject: Subject,
  { environment, windowSeconds }: { readonly environment: object; readonly windowSeconds: number },
): Promise<void> {
  measureWindow(subject, windowSeconds);
  for await (const _line of createInterface({ input: process.stdin })) {
    const { amount, seconds, cpuSeconds } = measureWindow(subject, windowSeconds);
    const answer = { name: 'towerbench', ...environment, unit: subject.unit, amount, seconds, cpu_seconds: cpuSeconds };
    process.stdout.write(`${JSON.stringify({ ...answer, ...subject.facts })}\n`);
  }
}

/** A record for people. */
function lineOf(record: Readonly<Record<string, unknown>>): string {
  return Object.entries(record)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => (typeof value === 'string' ? value : `${name} ${JSON.stringify(value)}`))
    .join('  ');
}
