import { Command, CommanderError, Option } from 'commander';
import { ConfigError } from '@towerbench/config';
import { StoreError } from '@towerbench/tracking';
import { dataCheck, dataDescribe, dataFetch, dataList } from './commands/data.js';
import { doctor } from './commands/doctor.js';
import { evaluate, type EvaluateOptions } from './commands/evaluate.js';
import { plan, type PlanOptions } from './commands/plan.js';
import { report, reportFormats, type ReportOptions } from './commands/report.js';
import { runs, type RunsOptions } from './commands/runs.js';
import { schema, type SchemaOptions } from './commands/schema.js';
import { show, type ShowOptions } from './commands/show.js';
import { sweep, type SweepOptions } from './commands/sweep.js';
import { contextOf, type CommonOptions, type Context } from './context.js';

/** Exit codes of every command. */
export const EXIT = { done: 0, runFailed: 1, wrongInput: 2, interrupted: 130 } as const;

/**
 * The command line. Results go to standard output, progress and errors to standard error.
 *
 * @returns 0 done, 1 a run failed, 2 wrong input, 130 interrupted and resumable
 */
export async function main(argv: readonly string[], { root }: { readonly root: string }): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = buildProgram(root, (code) => (exitCode = code));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongInput;
    if (error instanceof ConfigError || error instanceof StoreError) {
      process.stderr.write(`${error.message}\n`);
      return EXIT.wrongInput;
    }
    const text =
      error instanceof Error ? (process.env['TOWERBENCH_DEBUG'] ? error.stack : error.message) : String(error);
    process.stderr.write(`${text}\n\nThis should not happen. Set TOWERBENCH_DEBUG=1 to see where.\n`);
    return EXIT.runFailed;
  }
}

function buildProgram(root: string, exit: (code: number) => void): Command {
  const program = new Command('towerbench')
    .description(
      'A research workbench for two-tower retrieval: declare variants, run sweeps, compare with honest statistics.',
    )
    .exitOverride()
    .configureHelp({ sortSubcommands: false })
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for more)');

  /** A command with the options that all share. */
  const add = (parent: Command, usage: string, description: string, examples: readonly string[]): Command =>
    parent
      .command(usage)
      .description(description)
      .option('--store <path>', 'run store (default: TOWERBENCH_STORE, else .towerbench/store.sqlite)')
      .option('--data <folder>', 'folder of the data sets (default: TOWERBENCH_DATA, else data/)')
      .addHelpText('after', `\nExamples:\n${examples.map((example) => `  npx towerbench ${example}`).join('\n')}`);
  const context = (options: CommonOptions): Context => contextOf(root, options);
  const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

  add(program, 'sweep', 'Run what is missing of an experiment and print its leaderboard. Running it again resumes.', [
    'sweep --config configs/senet.yaml',
    'sweep --config configs/dssm.yaml --set training.epochs=2 --jobs 1',
  ])
    .requiredOption('--config <file>', 'experiment file')
    .option(
      '--set <path=value>',
      'change one value, +path=value to add a key, ~path to remove one; repeatable',
      collect,
      [],
    )
    .option('--jobs <number>', 'runs at once (default: one per core)')
    .action(async (options: CommonOptions & SweepOptions) => exit(await sweep(context(options), options)));

  add(
    program,
    'plan',
    'Show what would run, what is done already, and the expected time. Starts nothing, writes nothing.',
    ['plan --config configs/senet.yaml', 'plan --config configs/senet.yaml --detect 0.005'],
  )
    .requiredOption('--config <file>', 'experiment file')
    .option('--set <path=value>', 'change one value; repeatable', collect, [])
    .option('--jobs <number>', 'runs at once (default: one per core)')
    .option('--detect <difference>', 'seeds needed to see a difference of this size in the objective metric')
    .action((options: CommonOptions & PlanOptions) => plan(context(options), options));

  add(program, 'report', 'Print the ablation table with statistics.', [
    'report --experiment senet-on-field-noise',
    'report --format latex --out table.tex',
  ])
    .option('--experiment <name>', 'only this experiment (default: all)')
    .addOption(new Option('--format <format>', 'form of the table').choices([...reportFormats]).default('table'))
    .option('--out <file>', 'write to a file instead of standard output')
    .action((options: CommonOptions & ReportOptions) => report(context(options), options));

  add(program, 'runs', 'List runs.', ['runs', 'runs --experiment senet-on-field-noise --format json'])
    .option('--experiment <name>', 'only runs of this experiment')
    .addOption(
      new Option('--status <status>', 'only runs of this status').choices(['pending', 'running', 'finished', 'failed']),
    )
    .addOption(new Option('--format <format>', 'form of the list').choices(['table', 'json']).default('table'))
    .action((options: CommonOptions & RunsOptions) => runs(context(options), options));

  add(program, 'show <run>', 'Show one run whole: result, config, attempts, environment, log.', [
    'show 3',
    'show 3 --format json',
  ])
    .addOption(new Option('--format <format>', 'form').choices(['text', 'json']).default('text'))
    .action((run: string, options: CommonOptions & ShowOptions) => show(context(options), run, options));

  add(program, 'evaluate <run>', "Measure a run's stored checkpoint under another protocol.", [
    'evaluate 3 --protocol full',
    'evaluate 3 --protocol sampled-99',
  ])
    .requiredOption('--protocol <protocol>', 'full, keep-seen, or sampled-N for N random unseen items per user')
    .addOption(new Option('--format <format>', 'form').choices(['table', 'json']).default('table'))
    .action(async (run: string, options: CommonOptions & EvaluateOptions) => evaluate(context(options), run, options));

  const data = program.command('data').description('Datasets: which there are, what is missing, what they hold.');
  add(data, 'list', 'All datasets, and whether their files are there.', ['data list']).action(
    (options: CommonOptions) => dataList(context(options)),
  );
  add(data, 'check <name>', 'Read a dataset and check its counts.', ['data check movielens-1m']).action(
    (name: string, options: CommonOptions) => dataCheck(context(options), name),
  );
  add(data, 'describe <name>', 'What a dataset holds: columns, counts, terms of use, parameters.', [
    'data describe world/movies',
  ]).action((name: string, options: CommonOptions) => dataDescribe(context(options), name));
  add(data, 'fetch <name>', 'Download a dataset, or say which file to put where.', [
    'data fetch movielens-100k',
  ]).action(async (name: string, options: CommonOptions) => dataFetch(context(options), name));

  add(program, 'doctor', 'What works on this machine, what does not, and what to do.', ['doctor']).action(
    (options: CommonOptions) => exit(doctor(context(options))),
  );

  add(program, 'schema', 'Print the JSON Schema of experiment files, for editors.', [
    'schema --out configs/experiment.schema.json',
  ])
    .option('--out <file>', 'write to a file instead of standard output')
    .action((options: CommonOptions & SchemaOptions) => schema(context(options), options));

  return program;
}
