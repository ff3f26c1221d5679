import { isLogScaled, mean, parameterImportance } from '@towerbench/metrics';
import type { ExperimentRow, Json, RunRow, StoreReader, TrialRow } from '@towerbench/tracking';
import type { ExperimentAnalysis } from '../contract/payloads.js';
import { RequestProblem } from './problem.js';

/** What an experiment's trials say about its parameters. */
export interface AnalysisQueries {
  analysis(reader: StoreReader, name: string): ExperimentAnalysis;
}

/** Makes the query. An analysis is remembered until the experiment's row changes. */
export function createAnalysis(): AnalysisQueries {
  const kept = new WeakMap<StoreReader, Map<string, { readonly row: string; readonly analysis: ExperimentAnalysis }>>();
  return {
    analysis(reader, name) {
      const experiment = reader.experiment(name);
      if (experiment === null) throw new RequestProblem('not-found', `the store has no experiment "${name}"`);
      const byName = kept.get(reader) ?? new Map<string, { readonly row: string; readonly analysis: ExperimentAnalysis }>(); // prettier-ignore
      kept.set(reader, byName);
      const row = JSON.stringify(experiment);
      const known = byName.get(name);
      if (known?.row === row) return known.analysis;
      const analysis = analyse(experiment, { trials: reader.trials(name), runs: reader.runs(name) });
      byName.set(name, { row, analysis });
      return analysis;
    },
  };
}

function analyse(
  { metric }: ExperimentRow,
  { trials, runs }: { readonly trials: readonly TrialRow[]; readonly runs: readonly RunRow[] },
): ExperimentAnalysis {
  const reached = new Map<string, number[]>();
  const firstRun = new Map<string, number>();
  const failed = new Map<string, number>();
  for (const { id, trialId, variant, status, metrics } of runs) {
    const key = `${variant}\n${trialId}`;
    if (!firstRun.has(key)) firstRun.set(key, id);
    if (status === 'failed') failed.set(key, (failed.get(key) ?? 0) + 1);
    const value = metrics[metric.name];
    if (status !== 'finished' || value === undefined) continue;
    reached.set(key, [...(reached.get(key) ?? []), value]);
  }
  const isSearched = new Set(trials.map(({ variant }) => variant)).size > 1;
  const settings = trials.map(({ variant, parameters }): Readonly<Record<string, Json>> => ({
    ...(isSearched && { variant }),
    ...parameters,
  }));
  const names = [...new Set(settings.flatMap((each) => Object.keys(each)))];
  const columns = names.map((name) => {
    const values = settings.map((each) => settingOf(Object.hasOwn(each, name) ? each[name] : undefined));
    const there = values.filter((value) => value !== null);
    const isNumber = there.every((value) => typeof value === 'number');
    const kind = !isNumber ? ('category' as const) : isLogScaled(there) ? ('log' as const) : ('linear' as const);
    return { name, kind, values: isNumber ? values : values.map((value) => (value === null ? null : String(value))) };
  });
  const objective = trials.map(({ id, variant }) => {
    const values = reached.get(`${variant}\n${id}`);
    return values === undefined ? NaN : mean(values);
  });
  const whole = columns.flatMap(({ name, values }) =>
    values.every((value) => value !== null) ? [{ name, values: values }] : [],
  );
  return {
    metric,
    parameters: columns.map(({ name, kind }) => ({ name, kind })),
    trials: trials.map(({ id, variant }, k) => ({
      variant,
      runId: firstRun.get(`${variant}\n${id}`) ?? null,
      n: reached.get(`${variant}\n${id}`)?.length ?? 0,
      failed: failed.get(`${variant}\n${id}`) ?? 0,
      values: columns.map(({ values }) => values[k] ?? null),
      objective: Number.isFinite(objective[k]) ? (objective[k] as number) : null,
    })),
    importance: parameterImportance(whole, objective),
    leftOut: columns.filter(({ name }) => !whole.some((column) => column.name === name)).map(({ name }) => name),
  };
}

/** Numbers and texts as they are, anything else as its JSON; null where the trial has no such parameter. */
function settingOf(value: Json | undefined): number | string | null {
  if (value === undefined) return null;
  return typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);
}
