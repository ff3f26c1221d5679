import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { loadExperiment } from '@towerbench/config';
import { preparingOnce } from '@towerbench/data';
import { buildReport, toTerminal } from '@towerbench/report';
import { planSweep, runSweep, storedPlan, vocabulary, type StoredPlan, type SweepPlan } from '@towerbench/sweep';
import { openStoreReader, openStoreWriter } from '@towerbench/tracking';
import { rehearseTrial } from '@towerbench/training';
import { typedPath, wholeNumber, withReaderOfAny, type Context } from '../context.js';
import { readingProgress, readingText } from '../reading-view.js';
import { studyRecorder } from '../study/record.js';
import { SweepProgressView } from '../sweep-progress-view.js';
import { plural } from '../text.js';
import { experimentFile } from '../values.js';
import { finishedRuns } from './plan.js';
import { terminal } from './report.js';

export interface SweepOptions {
  readonly config: string;
  readonly set: readonly string[];
  readonly jobs?: string;
  readonly saveEvery?: string;
  /** The folder of a study. */
  readonly record?: string;
}

/** How often a run saves what it can go on from, in seconds. */
const SAVE_EVERY = '30';

/** Reads and plans the experiment file of `plan` and `sweep`; what `auto` became before is `stored`, and stays. */
export async function planFile(
  context: Context,
  { config, set }: SweepOptions,
): Promise<{ readonly sweep: SweepPlan; readonly stored: StoredPlan }> {
  const experiment = loadExperiment({ file: experimentFile(context, config), overrides: set, vocabulary });
  const stored = withReaderOfAny(context, (reader) => storedPlan(reader, experiment)) ?? storedPlan(null, experiment);
  const progress = readingProgress(process.stderr);
  const planned = planSweep(experiment, { ...context, stored, onReading: progress.show });
  const sweep = await planned.finally(() => progress.clear());
  if (sweep.reading !== null) process.stderr.write(`${readingText(sweep.reading)}\n\n`);
  return { sweep, stored };
}

/** One run per core, unless `--jobs` says otherwise. */
export function jobsOf({ jobs }: SweepOptions): number {
  return jobs === undefined ? availableParallelism() : wholeNumber('--jobs', jobs, { min: 1 });
}

/** `towerbench sweep`: everything that can be wrong with the input is found before anything is written. */
export async function sweep(context: Context, options: SweepOptions): Promise<number> {
  const { root, storePath, places } = context;
  const jobs = jobsOf(options);
  const saveEvery = wholeNumber('--save-every', options.saveEvery ?? SAVE_EVERY, { min: 0 });
  const { sweep: plan } = await planFile(context, options);
  await rehearse(context, plan);

  const writer = openStoreWriter(storePath);
  const reader = openStoreReader(storePath);
  const view = new SweepProgressView({ stream: process.stderr, metric: plan.input.metric.name });
  const recorder =
    options.record === undefined
      ? null
      : studyRecorder({ reader, storePath }, plan.input.name, typedPath(options.record));
  const interruption = new AbortController();
  const interrupt = (): void => {
    if (interruption.signal.aborted) {
      view.close();
      process.exit(130);
    }
    view.say('stopping; run the same command again to go on');
    interruption.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const outcome = await runSweep({
      plan,
      storePath,
      writer,
      reader,
      places,
      root,
      jobs,
      saveEveryMs: saveEvery * 1000,
      onEvent: (event) => {
        view.show(event);
        if (event.type === 'finished') recorder?.add(event.run.id);
      },
      signal: interruption.signal,
    });
    view.close();
    recorder?.addAll(); // also the oracle
    const { skipped, finished, failed, pruned, interrupted, isTimeUp } = outcome;
    const parts = [`${plural(finished, 'run')} finished`];
    if (skipped > 0) parts.push(`${skipped} already done`);
    if (failed > 0) parts.push(`${failed} failed`);
    if (pruned > 0) parts.push(`${pruned} given up by the search`);
    process.stderr.write(
      `${parts.join(', ')}${interrupted || isTimeUp ? `; ${interrupted ? 'interrupted' : 'time_cap is over'}, run the same command again to go on` : ''}\n\n`,
    );
    process.stdout.write(`${toTerminal(buildReport(reader, plan.input.name), terminal())}\n`);
    process.stderr.write(`\nSee it in the browser: ${dashboardCommand(context)}  (http://127.0.0.1:4400)\n`);
    return interrupted ? 130 : failed > 0 ? 1 : 0;
  } finally {
    view.close();
    for (const signal of signals) process.off(signal, interrupt);
    reader.close();
    writer.close();
  }
}

/** Builds data and model of every trial that has something to run, so that what does not fit is said before the store is touched. */
async function rehearse(context: Context, plan: SweepPlan): Promise<void> {
  const finished = finishedRuns(context, plan);
  const prepare = preparingOnce();
  for (const [trialId, { config, placed }] of plan.trials) {
    const done = finished.filter((run) => run.trialId === trialId).length;
    if (done === plan.input.seeds.length) continue;
    await rehearseTrial(config, context.places, prepare).catch((error: unknown) => {
      throw placed(error);
    });
  }
}

function dashboardCommand({ root, storePath }: Context): string {
  const inside = relative(root, storePath);
  if (inside === join('.towerbench', 'store.sqlite')) return 'npx nx run dashboard:serve';
  const path = inside.startsWith('..') ? storePath : inside;
  return `npx nx run dashboard:serve --store ${path.includes(' ') ? JSON.stringify(path) : path}`;
}
