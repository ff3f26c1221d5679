import { readFileSync } from 'node:fs';
import { Argument, Command, CommanderError, Option } from 'commander';
import { ConfigError } from '@towerbench/config';
import { StoreError } from '@towerbench/tracking';
import { completion, SHELLS, type Shell } from './commands/completion.js';
import type { DiffOptions } from './commands/diff.js';
import type { DataListOptions, DatasetOptions, DescribeOptions } from './commands/data.js';
import type { DoctorOptions } from './commands/doctor.js';
import type { EvaluateOptions } from './commands/evaluate.js';
import type { GarbageOptions } from './commands/gc.js';
import type { MlflowExportOptions, MlflowImportOptions } from './commands/mlflow.js';
import type { PlanOptions } from './commands/plan.js';
import type { RecommendOptions } from './commands/recommend.js';
import type { ReportOptions } from './commands/report.js';
import type { RunsOptions } from './commands/runs.js';
import type { SchemaOptions } from './commands/schema.js';
import type { ShowOptions } from './commands/show.js';
import type { SweepOptions } from './commands/sweep.js';
import { contextOf, type CommonOptions, type Context } from './context.js';
import { withExamples } from './examples.js';
import { MlflowError } from './mlflow/client.js';
import { typedArguments } from './typed-arguments.js';
import { commandOf, unknownCommand, wrongWords } from './wrong-words.js';

/** Exit codes of every command. */
export const EXIT = { done: 0, runFailed: 1, wrongInput: 2, interrupted: 130 } as const;

/**
 * The command line. Results go to standard output, progress and errors to standard error. Without `acts` the words are only read: unknown
 * commands and options, missing and wrong values are refused as ever, and nothing is done.
 *
 * @returns 0 done, 1 a run failed, 2 wrong input, 130 interrupted and resumable
 */
export async function main(
  argv: readonly string[],
  { root, acts = true }: { readonly root: string; readonly acts?: boolean },
): Promise<number> {
  let exitCode: number = EXIT.done;
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.listeners('error').includes(ignoreClosedPipe)) stream.on('error', ignoreClosedPipe);
  }
  const program = buildProgram(root, (code) => (exitCode = code));
  let refusing = program;
  each(program, (command) =>
    command.exitOverride((error) => {
      refusing = command;
      throw error;
    }),
  );
  if (!acts) each(program, (command) => command.commands.length > 0 || command.action(() => undefined));
  const words = asMeant(program, typedArguments(argv, process.env));
  try {
    const { command, numWords } = commandOf(program, words);
    const rest = words.slice(numWords);
    if (command.commands.length > 0) {
      if (rest.length === 0) return (command.outputHelp(), EXIT.done);
      if (!rest[0]?.startsWith('-')) throw unknownCommand(command, rest);
    }
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (caught) {
    if (caught instanceof CommanderError && caught.exitCode === 0) return EXIT.done;
    const error =
      caught instanceof CommanderError ? await wrongWords(caught, refusing, words, contextOf(root, {})) : caught;
    if (error instanceof ConfigError || error instanceof StoreError || error instanceof MlflowError) {
      process.stderr.write(`${error.message}\n`);
      return EXIT.wrongInput;
    }
    const text =
      error instanceof Error ? (process.env['TOWERBENCH_DEBUG'] ? error.stack : error.message) : String(error);
    process.stderr.write(`${text}\n\nThis should not happen. Set TOWERBENCH_DEBUG=1 to see where.\n`);
    return EXIT.runFailed;
  }
}

/** `help sweep` is `sweep --help`, the version has more names than one, and what `import` gets with a slash is the folder of a study. */
function asMeant(program: Command, words: readonly string[]): readonly string[] {
  if (words[0] === 'import' && words[1]?.includes('/') === true) return ['import', 'study', ...words.slice(1)];
  if (['-V', '-version', 'version'].includes(words[0] ?? '')) return ['--version'];
  const { numWords } = commandOf(program, words);
  return words[numWords] === 'help' ? [...words.slice(0, numWords), ...words.slice(numWords + 1), '--help'] : words;
}

/** `towerbench 0.1.0, node v20.19.0, linux-x64` */
function versionText(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return `towerbench ${manifest.version}, node ${process.version}, ${process.platform}-${process.arch}`;
}

/** A command and all that are below it. */
function each(command: Command, use: (command: Command) => void): void {
  use(command);
  for (const below of command.commands) each(below, use);
}

/** Whoever reads our output may stop reading, as `head` does; a sweep goes on all the same. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function buildProgram(root: string, exit: (code: number) => void): Command {
  const program = new Command('towerbench')
    .description(
      'A research workbench for two-tower retrieval: declare variants, run sweeps, compare with honest statistics.',
    )
    .version(versionText(), '-v, --version', 'print the version')
    .configureHelp({ sortSubcommands: false })
    .configureOutput({ outputError: () => undefined }); // wrong-words.ts says it
  withExamples(program, ['sweep --config configs/senet.yaml', 'dashboard', 'report --format markdown', 'doctor']);

  /** A command with the options that all share. */
  const add = (parent: Command, usage: string, description: string, commands: readonly string[]): Command =>
    withExamples(parent.command(usage), commands)
      .description(description)
      .option('--store <path>', 'run store (default: TOWERBENCH_STORE, else .towerbench/store.sqlite)')
      .option('--data <folder>', 'folder of the data sets (default: TOWERBENCH_DATA, else data/)');
  const context = (options: CommonOptions, which?: { makesData: boolean }): Context => contextOf(root, options, which);
  const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

  add(program, 'sweep', 'Run what is missing of an experiment and print its leaderboard. Running it again resumes.', [
    'sweep --config configs/senet.yaml',
    'sweep --config configs/dssm.yaml --set training.epochs=2 --jobs 1',
  ])
    .requiredOption('--config <experiment.yaml>', 'experiment file')
    .option(
      '--set <path=value>',
      'change one value, +path=value to add a key, ~path to remove one; repeatable',
      collect,
      [],
    )
    .option('--jobs <number>', 'runs at once (default: one per core)')
    .option('--save-every <seconds>', 'how often a run saves what it can go on from when it is killed (default: 30)')
    .option('--record <folder>', 'add each run to this folder as it finishes, for `import` and for version control')
    .action(async (options: CommonOptions & SweepOptions) =>
      exit(await (await import('./commands/sweep.js')).sweep(context(options), options)),
    );

  add(
    program,
    'plan',
    'Show what would run, what is done already, and the expected time. Starts nothing, writes nothing.',
    ['plan --config configs/senet.yaml', 'plan --config configs/senet.yaml --detect 0.005'],
  )
    .requiredOption('--config <experiment.yaml>', 'experiment file')
    .option('--set <path=value>', 'change one value; repeatable', collect, [])
    .option('--jobs <number>', 'runs at once (default: one per core)')
    .option('--detect <difference>', 'seeds needed to see a difference of this size in the objective metric')
    .action(async (options: CommonOptions & PlanOptions) =>
      (await import('./commands/plan.js')).plan(context(options), options),
    );

  add(program, 'report', 'Print the ablation table with statistics.', [
    'report --experiment senet-on-field-noise',
    'report --format latex --out table.tex',
    'report --format html --out report.html',
    'report --format parquet --out report.parquet',
    'report --experiment senet-on-field-noise --figure forest --out forest.svg',
  ])
    .option('--experiment <experiment>', 'only this experiment (default: all)')
    .addOption(
      new Option('--format <format>', 'form of the table')
        .choices(['table', 'markdown', 'latex', 'csv', 'json', 'html', 'parquet'] satisfies ReportOptions['format'][])
        .default('table'),
    )
    .addOption(
      new Option(
        '--figure <figure>',
        'a figure as SVG instead: differences to the base, means, or learning curves',
      ).choices(['forest', 'means', 'curves'] satisfies ReportOptions['figure'][]),
    )
    .option('--out <file>', 'write to a file instead of standard output')
    .action(async (options: CommonOptions & ReportOptions) =>
      (await import('./commands/report.js')).report(context(options), options),
    );

  add(program, 'runs', 'List runs.', ['runs', 'runs --experiment senet-on-field-noise --format json'])
    .option('--experiment <experiment>', 'only runs of this experiment')
    .addOption(
      new Option('--status <status>', 'only runs of this status').choices([
        'pending',
        'running',
        'finished',
        'failed',
        'pruned',
      ]),
    )
    .addOption(new Option('--format <format>', 'form of the list').choices(['table', 'json']).default('table'))
    .action(async (options: CommonOptions & RunsOptions) =>
      (await import('./commands/runs.js')).runs(context(options), options),
    );

  add(program, 'show <run>', 'Show one run whole: result, config, attempts, environment, log.', [
    'show 3',
    'show 3 --format json',
  ])
    .addOption(new Option('--format <format>', 'form').choices(['text', 'json']).default('text'))
    .action(async (run: string, options: CommonOptions & ShowOptions) =>
      (await import('./commands/show.js')).show(context(options), run, options),
    );

  add(program, 'diff <run> <run>', 'Show what differs between two runs: config, environment, source, metrics, users.', [
    'diff 3 7',
    'diff 3 7 --format json',
  ])
    .addOption(new Option('--format <format>', 'form').choices(['text', 'json']).default('text'))
    .action(async (first: string, second: string, options: CommonOptions & DiffOptions) =>
      (await import('./commands/diff.js')).diff(context(options), first, second, options),
    );

  add(program, 'evaluate <run>', "Measure a run's stored checkpoint under another protocol.", [
    'evaluate 3 --protocol full',
    'evaluate 3 --protocol sampled-99',
  ])
    .requiredOption('--protocol <protocol>', 'full, keep-seen, or sampled-N for N random unseen items per user')
    .addOption(new Option('--format <format>', 'form').choices(['table', 'json']).default('table'))
    .action(async (run: string, options: CommonOptions & EvaluateOptions) =>
      (await import('./commands/evaluate.js')).evaluate(context(options), run, options),
    );

  add(program, 'recommend <run>', 'List the best items of users by a stored run, with the reasons that it has.', [
    'recommend 3 --user 12',
    'recommend 3 --user 12 --user 40 --k 20 --with-seen',
    `recommend 3 --features '{"age": 25, "gender": "F"}' --history 50,181`,
  ])
    .option('--user <id>', 'a user by the id of the data; repeatable', collect, [])
    .option('--features <json>', 'user features of somebody new, by name')
    .option('--history <ids>', 'items that somebody new had, parted by commas, the oldest first')
    .option('--k <number>', 'items to list', '10')
    .option(
      '--with-seen',
      'list items that the user had before, too, marked (default: leave them out, as evaluation does)',
    )
    .addOption(new Option('--format <format>', 'form').choices(['table', 'json', 'csv']).default('table'))
    .action(async (run: string, options: CommonOptions & RecommendOptions) =>
      (await import('./commands/recommend.js')).recommend(context(options), run, options),
    );

  const data = withExamples(program.command('data'), [
    'data list',
    'data describe world/movies',
    'data check movielens-1m',
  ]).description('Datasets: which there are, what is missing, what they hold.');
  add(data, 'list', 'All datasets, whether their files are there, and which to put where.', [
    'data list',
    'data list --format json',
  ])
    .addOption(new Option('--format <format>', 'form of the list').choices(['table', 'json']).default('table'))
    .action(async (options: CommonOptions & DataListOptions) =>
      (await import('./commands/data.js')).dataList(context(options), options),
    );
  add(data, 'check [dataset]', 'Read a dataset, or that of an experiment, and check its counts.', [
    'data check movielens-1m',
    'data check --config configs/own-data.yaml',
  ])
    .option('--config <experiment.yaml>', 'the dataset that an experiment file names')
    .action(async (name: string | undefined, options: CommonOptions & DatasetOptions) =>
      (await import('./commands/data.js')).dataCheck(context(options), name, options),
    );
  add(
    data,
    'describe [dataset|file...]',
    'What a dataset holds: columns, counts, terms of use, parameters. Of your own files or folders: what they seem to be, and an experiment that reads them, to edit.',
    [
      'data describe world/movies',
      'data describe logs/*.parquet items.csv --out mine.yaml',
      'data describe --config configs/own-data.yaml',
    ],
  )
    .option('--config <experiment.yaml>', 'the dataset that an experiment file names')
    .option('--out <file>', 'write the experiment to a file, with paths relative to it, instead of standard output')
    .addOption(new Option('--format <format>', 'form').choices(['text', 'json']).default('text'))
    .action(async (names: readonly string[], options: CommonOptions & DescribeOptions) =>
      (await import('./commands/data.js')).dataDescribe(context(options), names, options),
    );
  add(data, 'fetch <dataset>', 'Download a dataset, or say which file to put where.', [
    'data fetch movielens-100k',
  ]).action(async (name: string, options: CommonOptions) =>
    (await import('./commands/data.js')).dataFetch(context(options, { makesData: true }), name),
  );

  add(program, 'gc', 'List what nothing refers to, and remove it when asked.', ['gc', 'gc --unplanned', 'gc --delete'])
    .option('--unplanned', 'also runs that no experiment names any more')
    .option('--delete', 'remove what is listed')
    .action(async (options: CommonOptions & GarbageOptions) =>
      (await import('./commands/gc.js')).gc(context(options), options),
    );

  const exports = withExamples(program.command('export'), ['export mlflow --to http://localhost:5000']).description(
    'Runs out, to other programs.',
  );
  add(exports, 'mlflow', 'Send finished runs to an MLflow server. Running it again sends what is missing.', [
    'export mlflow --to http://localhost:5000',
    'export mlflow --to http://localhost:5000 --experiment senet-on-field-noise',
  ])
    .requiredOption('--to <url>', 'address of the server')
    .option('--experiment <experiment>', 'only this experiment (default: all)')
    .action(async (options: CommonOptions & MlflowExportOptions) =>
      (await import('./commands/mlflow.js')).exportToMlflow(context(options), options),
    );

  const imports = withExamples(program.command('import'), [
    'import experiments/ncf-movielens-1m',
    'import mlflow --from http://localhost:5000',
  ]).description('Runs in, from the folder of a study or from other programs.');
  add(
    imports,
    'study',
    'Restore the runs of a study, to report them or to go on. Running it again takes what is missing.',
    ['import study experiments/ncf-movielens-1m', 'import experiments/ncf-movielens-1m --store ncf.sqlite'],
  )
    .argument('<folder>', 'folder that `sweep --record` has written')
    .action(async (folder: string, options: CommonOptions) =>
      (await import('./commands/study.js')).importFromStudy(context(options), folder),
    );
  add(imports, 'mlflow', 'Take finished runs from an MLflow server. Running it again takes what is missing.', [
    'import mlflow --from http://localhost:5000',
    'import mlflow --from http://localhost:5000 --experiment baselines --metric rmse --goal minimize',
  ])
    .requiredOption('--from <url>', 'address of the server')
    .option('--experiment <name>', 'only this experiment of the server (default: all)')
    .option('--metric <name>', 'what orders runs of other programs (default: the metric that most of them have)')
    .addOption(
      new Option('--goal <goal>', 'which values of it are better (default: by its name)').choices([
        'maximize',
        'minimize',
      ]),
    )
    .action(async (options: CommonOptions & MlflowImportOptions) =>
      (await import('./commands/mlflow.js')).importFromMlflow(context(options), options),
    );

  add(program, 'doctor', 'What works on this machine, what does not, and what to do.', [
    'doctor',
    'doctor --format json',
  ])
    .addOption(new Option('--format <format>', 'form').choices(['table', 'json']).default('table'))
    .action(async (options: CommonOptions & DoctorOptions) =>
      exit(await (await import('./commands/doctor.js')).doctor(context(options), options)),
    );

  withExamples(program.command('dashboard'), ['dashboard', 'dashboard --store elsewhere/store.sqlite --port 8080'])
    .description('Show runs in the browser, live while a sweep runs. Listens on this machine alone.')
    .option('--store <path>', 'run store (default: TOWERBENCH_STORE, else .towerbench/store.sqlite)')
    .option('--port <number>', 'first port to try (default: 4400); a busy one gives the next free one, 0 any')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1); another one needs a token')
    .option('--token <text>', 'what reading and changing need (default: TOWERBENCH_TOKEN)')
    .action(async (options: CommonOptions & Readonly<Record<string, string>>) =>
      exit(await (await import('./commands/dashboard.js')).dashboard(context(options), typedOptions(options))),
    );

  withExamples(program.command('completion'), ['completion bash > ~/.towerbench-completion'])
    .description('Print what makes a shell complete commands, options, datasets and experiments.')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => completion(root, shell));
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: readonly string[]) => {
      const { complete, offersText } = await import('./complete.js');
      process.stdout.write(offersText(await complete(program, words, root)));
    });

  add(program, 'schema', 'Print the JSON Schema of experiment files, for editors.', [
    'schema --out configs/experiment.schema.json',
  ])
    .option('--out <file>', 'write to a file instead of standard output')
    .action(async (options: CommonOptions & SchemaOptions) => (await import('./commands/schema.js')).schema(options));

  return program;
}

/** Options without a default, as words. */
function typedOptions(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
}
