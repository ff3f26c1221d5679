import { openStoreReader, openStoreWriter } from '@towerbench/tracking';
import { inputError, type Context } from '../context.js';
import { MlflowClient } from '../mlflow/client.js';
import { exportRuns, type ExportOutcome } from '../mlflow/export-runs.js';
import { importRuns, type ImportOutcome } from '../mlflow/import-runs.js';

export interface MlflowExportOptions {
  readonly to: string;
  readonly experiment?: string;
}

export interface MlflowImportOptions {
  readonly from: string;
  readonly experiment?: string;
  readonly metric?: string;
  readonly goal?: 'maximize' | 'minimize';
}

/** What takes longer than this says how far it is, and says it again as often. */
const PROGRESS_EVERY_MS = 2000;

/** `towerbench export mlflow` */
export async function exportToMlflow({ storePath }: Context, { to, experiment }: MlflowExportOptions): Promise<void> {
  const client = new MlflowClient(to, process.env);
  const reader = openStoreReader(storePath);
  try {
    const all = reader.experiments();
    const experiments = all.filter(({ name, dataset }) =>
      experiment === undefined ? dataset !== 'mlflow' : name === experiment,
    );
    if (experiments.length === 0 && experiment !== undefined) {
      throw inputError('--experiment', `there is no experiment "${experiment}" in ${storePath}`, {
        allowed: all.map(({ name }) => name).join(', ') || 'none: run a sweep first',
      });
    }
    const outcome = await withProgress(async (onProgress) => exportRuns({ reader, client, experiments, onProgress }));
    process.stdout.write(exportText(outcome, client.url));
  } finally {
    reader.close();
  }
}

/** `towerbench import mlflow` */
export async function importFromMlflow({ storePath }: Context, options: MlflowImportOptions): Promise<void> {
  const { from, metric, goal } = options;
  if (metric === undefined && goal !== undefined) {
    throw inputError('--goal', 'is given without --metric', { hint: 'name the metric that it is the goal of' });
  }
  const client = new MlflowClient(from, process.env);
  const all = await client.experiments();
  const experiments = all.filter(({ name }) => options.experiment === undefined || name === options.experiment);
  if (experiments.length === 0 && options.experiment !== undefined) {
    throw inputError('--experiment', `${client.url} has no experiment "${options.experiment}"`, {
      allowed: all.map(({ name }) => name).join(', ') || 'none',
    });
  }
  let time: number | null = null;
  const writer = openStoreWriter(storePath, { now: () => time ?? Date.now() });
  const reader = openStoreReader(storePath);
  try {
    for (const experiment of experiments) {
      const outcome = await withProgress(async (onProgress) =>
        importRuns({
          ...{ writer, reader, client, experiment, isAlive, onProgress },
          objective: metric === undefined ? null : { name: metric, goal: goal ?? 'maximize' },
          setTime: (milliseconds) => (time = milliseconds),
        }),
      );
      process.stdout.write(importText(outcome, experiment.name));
    }
  } finally {
    reader.close();
    writer.close();
  }
}

async function withProgress<T>(work: (onProgress: (done: number, total: number) => void) => Promise<T>): Promise<T> {
  let state = '';
  const timer = setInterval(() => process.stderr.write(`${state || 'asking for what is there'}\n`), PROGRESS_EVERY_MS);
  try {
    return await work((done, total) => (state = `${done} of ${total} runs`));
  } finally {
    clearInterval(timer);
  }
}

function exportText({ exported, alreadyThere, unfinished, points, cutParams }: ExportOutcome, url: string): string {
  return lines([
    `exported ${exported} runs with ${points} points to ${url}`,
    alreadyThere > 0 && `${alreadyThere} runs were there already`,
    unfinished > 0 && `${unfinished} runs have no result yet and were left out`,
    cutParams.length > 0 &&
      `too long for a parameter of MLflow, and cut; whole in the tags towerbench.document.*: ${cutParams.join(', ')}`,
  ]);
}

function importText(
  { imported, alreadyThere, unfinished, points, experiments, renumbered }: ImportOutcome,
  from: string,
): string {
  return lines([
    `imported ${imported} runs with ${points} points from ${from}`,
    alreadyThere > 0 && `${alreadyThere} runs were there already`,
    unfinished > 0 && `${unfinished} runs are not finished there and were left out`,
    renumbered.length > 0 &&
      `several values at one step, so their points are numbered in order of time: ${renumbered.join(', ')}`,
    ...experiments.map(
      ({ name, metric }) =>
        `see them: npx towerbench report --experiment ${name} (ordered by ${metric.name}, ${metric.goal})`,
    ),
  ]);
}

function lines(parts: readonly (string | false)[]): string {
  return `${parts.filter((part) => part !== false).join('\n')}\n`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
