import { stringify } from 'yaml';
import { withYamlKeys } from '@towerbench/config';
import type { StoreReader } from '@towerbench/tracking';
import { inputError, wholeNumber, withReader, type Context } from '../context.js';
import { bytes, indented, moment, textTable } from '../text.js';

type StoredRun = NonNullable<ReturnType<StoreReader['run']>>;

/** The run that an argument names. */
export function findRun(reader: StoreReader, argument: string): StoredRun {
  const id = wholeNumber('run', argument, { min: 1 });
  const run = reader.run(id);
  if (run === null) throw inputError('run', `there is no run ${id}`, { hint: 'npx towerbench runs lists them' });
  return run;
}

export interface ShowOptions {
  readonly format: 'text' | 'json';
}

/** `towerbench show` */
export function show(context: Context, argument: string, { format }: ShowOptions): void {
  const text = withReader(context, (reader) => {
    const stored = findRun(reader, argument);
    const run = { ...stored, config: withYamlKeys(stored.config) };
    const attempts = reader.attempts(run.id);
    const curves = reader.seriesNames(run.id).map((name) => ({ name, points: reader.curve(run.id, name) }));
    if (format === 'json') return JSON.stringify({ ...run, attempts, curves }, null, 2);

    const sections = [
      textTable(
        ['run', String(run.id)],
        [
          ['experiments', run.experiments.join(', ')],
          ['variant', `${run.variant}, seed ${run.seed}`],
          ['trial', run.trialId],
          ['status', `${run.status}${run.status === 'running' ? `, step ${run.step} of ${run.totalSteps}` : ''}`],
          ['time', run.seconds === null ? '' : `${run.seconds.toFixed(1)} s, from ${moment(run.startedAt)}`],
          ['parameters', run.parameterCount === null ? '' : run.parameterCount.toLocaleString('en')],
          ['processor', run.cost === null ? '' : `${run.cost.cpuSeconds.toFixed(1)} s`],
          ['memory', run.cost === null ? '' : `at most ${bytes(run.cost.peakBytes)}`],
          ['index', run.indexBytesPerItem === null ? '' : `${run.indexBytesPerItem} bytes per item`],
          ['best step', run.bestStep === null ? '' : String(run.bestStep)],
          [
            'checkpoint',
            run.artifacts.map(({ kind, sha256, sizeBytes }) => `${kind} ${sha256} (${sizeBytes} bytes)`).join(', '),
          ],
          ...(run.error === null ? [] : [['error', run.error]]),
        ],
      ),
      textTable(
        ['metric', 'value'],
        Object.entries(run.metrics).map(([name, value]) => [name, value.toFixed(6)]),
        [1],
      ),
      textTable(
        ['series', 'points', 'last step', 'last value'],
        curves.map(({ name, points }) => [
          name,
          String(points.length),
          String(points.at(-1)?.step ?? ''),
          points.at(-1)?.value.toFixed(6) ?? '',
        ]),
        [1, 2, 3],
      ),
      `config\n${indented(stringify(run.config))}`,
      ...attempts.map(({ number, status, pid, startedAt, environment, error, log }) =>
        [
          `attempt ${number}: ${status}, pid ${pid}, ${moment(startedAt)}`,
          ...(error === null ? [] : [indented(error)]),
          ...(log === '' ? [] : [indented(log)]),
          ...(number === attempts.at(-1)?.number ? [`environment\n${indented(stringify(environment))}`] : []),
        ].join('\n'),
      ),
    ];
    return sections.join('\n\n');
  });
  process.stdout.write(`${text}\n`);
}
