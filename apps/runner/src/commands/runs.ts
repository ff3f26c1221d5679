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
  const objectives = new Set(rows.map(({ experiment }) => experiment.metric.name));
  const [only] = objectives.size === 1 ? objectives : [];
  const again = rows.some(({ run }) => run.attempts > 1);
  return textTable(
    [
      ...['run', 'experiment', 'variant', 'seed', only ?? 'objective', 'seconds', 'started', 'status'],
      ...(again ? ['attempts'] : []),
    ],
    rows.map(({ experiment: { name, metric }, run }) => [
      String(run.id),
      name,
      run.variant,
      String(run.seed),
      objectiveText(run.metrics[metric.name], only === undefined ? metric.name : ''),
      run.seconds === null ? '' : run.seconds.toFixed(1),
      moment(run.startedAt),
      run.status,
      ...(again ? [String(run.attempts)] : []),
    ]),
    [0, 3, 4, 5, 6, 8],
  );
}

/** `0.8912`, with the metric before it where a table has several. */
function objectiveText(value: number | undefined, metric: string): string {
  return value === undefined ? '' : `${metric} ${value.toFixed(4)}`.trimStart();
}
