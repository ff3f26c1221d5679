import type { ExperimentRow, RunRow, RunStatus } from '@towerbench/tracking';
import { inputError, withReader, type Context } from '../context.js';
import { moment, textTable } from '../text.js';

export interface RunsOptions {
  readonly experiment?: string;
  readonly status?: RunStatus;
  readonly format: 'table' | 'json';
}

/** `towerbench runs` */
export function runs(context: Context, options: RunsOptions): void {
  const rows = withReader(context, (reader) => {
    const experiments = reader.experiments();
    const wanted = experiments.filter(({ name }) => options.experiment === undefined || name === options.experiment);
    if (wanted.length === 0 && options.experiment !== undefined) {
      throw inputError('--experiment', `there is no experiment "${options.experiment}"`, {
        allowed: experiments.map(({ name }) => name).join(', ') || 'none: run a sweep first',
      });
    }
    return wanted.flatMap((experiment) => reader.runs(experiment.name).map((run) => ({ experiment, run })));
  }).filter(({ run }) => options.status === undefined || run.status === options.status);
  if (options.format === 'json') {
    const json = rows.map(({ experiment, run }) => ({ experiment: experiment.name, ...run }));
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${runTable(rows)}\n`);
}

function runTable(rows: readonly { readonly experiment: ExperimentRow; readonly run: RunRow }[]): string {
  return textTable(
    ['run', 'experiment', 'variant', 'seed', 'status', 'attempts', 'objective', 'seconds', 'started'],
    rows.map(({ experiment: { name, metric }, run }) => [
      String(run.id),
      name,
      run.variant,
      String(run.seed),
      run.status,
      String(run.attempts),
      run.metrics[metric.name] === undefined ? '' : `${metric.name} ${(run.metrics[metric.name] as number).toFixed(4)}`,
      run.seconds === null ? '' : run.seconds.toFixed(1),
      moment(run.startedAt),
    ]),
    [0, 3, 5, 7],
  );
}
