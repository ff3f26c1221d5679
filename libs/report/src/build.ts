import { holm, mean, pairedT, sampleStd, tInterval, wilcoxonSignedRank } from '@towerbench/metrics';
import type { ExperimentRow, Json, RunRow, StoreReader, TrialRow } from '@towerbench/tracking';
import type { ExperimentReport, MetricSummary, ReportGroup, Versus } from './contract.js';

/** Fewer shared seeds have no p value. */
const MIN_SEEDS_FOR_P = 5;

/** The finished runs of the trial that stands for a variant. */
interface Best {
  readonly trial: TrialRow;
  readonly finished: readonly RunRow[];
  readonly failed: number;
  readonly budget: number;
}

/**
 * The report of an experiment: per variant its best trial by mean objective metric, with means and intervals over seeds and paired
 * comparisons with the base variant. Best first; variants without a result last.
 *
 * @throws {RangeError} when there is no such experiment
 */
export function buildReport(reader: StoreReader, experiment: string): ExperimentReport {
  const row = reader.experiment(experiment);
  if (row === null) throw new RangeError(`there is no experiment "${experiment}"`);
  const runs = reader.runs(experiment);
  const columns = row.report.length > 0 ? row.report : [row.metric.name];
  const best = bestTrials(row, reader.trials(experiment), runs);
  const base = best.find(({ trial }) => trial.variant === row.baseVariant);
  const versus = compareAll(reader, best, base, columns);

  const groups = best.map((each, index): ReportGroup => {
    const { trial, finished, failed, budget } = each;
    const metrics: Record<string, MetricSummary> = {};
    for (const name of new Set([...columns, row.metric.name])) {
      const values = finished.flatMap((run) => run.metrics[name] ?? []);
      if (values.length > 0)
        metrics[name] = { mean: mean(values), std: sampleStd(values), ci95: tInterval(values), values };
    }
    const seconds = finished.flatMap((run) => run.seconds ?? []);
    const compared = versus[index];
    return {
      variant: trial.variant,
      trial: trial.id,
      parameters: trial.parameters,
      seeds: finished.map(({ seed }) => seed),
      n: finished.length,
      failed,
      budget,
      seconds: seconds.length === 0 ? null : mean(seconds),
      parameterCount: finished[0]?.parameterCount ?? null,
      metrics,
      versus: compared === undefined ? null : { base: row.baseVariant, ...compared },
    };
  });
  const worth = ({ metrics }: ReportGroup): number => {
    const value = metrics[row.metric.name]?.mean ?? NaN;
    return Number.isNaN(value) ? -Infinity : row.metric.goal === 'maximize' ? value : -value;
  };
  const distinct = new Map(runs.map((run) => [run.id, run]));
  const count = (status: RunRow['status']): number =>
    [...distinct.values()].filter((run) => run.status === status).length;
  return {
    experiment,
    dataset: row.dataset,
    fingerprint: row.fingerprint,
    protocol: row.protocol,
    metric: row.metric,
    runs: { finished: count('finished'), failed: count('failed'), total: distinct.size },
    columns,
    oracle: row.oracle,
    groups: groups.sort((a, b) => worth(b) - worth(a)),
    published: publishedCells(row),
  };
}

function bestTrials({ metric }: ExperimentRow, trials: readonly TrialRow[], runs: readonly RunRow[]): Best[] {
  const byVariant = new Map<string, Best[]>();
  for (const trial of trials) {
    const own = runs.filter((run) => run.variant === trial.variant && run.trialId === trial.id);
    const of = byVariant.get(trial.variant) ?? [];
    of.push({
      trial,
      finished: own.filter(({ status }) => status === 'finished'),
      failed: own.filter(({ status }) => status === 'failed').length,
      budget: 0,
    });
    byVariant.set(trial.variant, of);
  }
  const worth = ({ finished }: Best): number => {
    const values = finished.flatMap((run) => run.metrics[metric.name] ?? []);
    if (values.length === 0) return -Infinity;
    return metric.goal === 'maximize' ? mean(values) : -mean(values);
  };
  return [...byVariant.values()].map((candidates) => ({
    ...candidates.reduce((best, each) => (worth(each) > worth(best) ? each : best)),
    budget: candidates.length,
  }));
}

/** Comparisons with the base, in the order of `best`; undefined for the base itself and where there is none. */
function compareAll(
  reader: StoreReader,
  best: readonly Best[],
  base: Best | undefined,
  columns: readonly string[],
): (Record<string, Versus> | undefined)[] {
  const all = best.map((group) => {
    if (base === undefined || group === base) return undefined;
    const compared: Record<string, Versus> = {};
    for (const metric of columns) {
      const versus = compare(reader, { group, base, metric });
      if (versus !== null) compared[metric] = versus;
    }
    return compared;
  });
  for (const metric of columns) {
    const tested = all.flatMap((compared) => (typeof compared?.[metric]?.pSeeds === 'number' ? [compared] : []));
    const corrected = holm(tested.map((compared) => compared[metric]?.pSeeds as number));
    for (const [k, compared] of tested.entries()) {
      compared[metric] = { ...(compared[metric] as Versus), pHolm: corrected[k] as number };
    }
  }
  return all;
}

function compare(
  reader: StoreReader,
  { group, base, metric }: { readonly group: Best; readonly base: Best; readonly metric: string },
): Versus | null {
  const pairs = group.finished.flatMap((run) => {
    const other = base.finished.find(({ seed }) => seed === run.seed);
    const values = [run.metrics[metric], other?.metrics[metric]];
    return other === undefined || values.includes(undefined)
      ? []
      : [{ run, other, values: values as [number, number] }];
  });
  if (pairs.length === 0) return null;
  const { difference, ci95, p } = pairedT(
    pairs.map(({ values }) => values[0]),
    pairs.map(({ values }) => values[1]),
  );
  const own = seedAverage(
    reader,
    pairs.map(({ run }) => run.id),
    metric,
  );
  const others = seedAverage(
    reader,
    pairs.map(({ other }) => other.id),
    metric,
  );
  return {
    difference,
    ci95,
    pSeeds: pairs.length < MIN_SEEDS_FOR_P ? null : p,
    pUsers: own === null || others === null || own.length !== others.length ? null : wilcoxonSignedRank(own, others).p,
    pHolm: null,
  };
}

/** Per-user values averaged over runs; null where a run has none. */
function seedAverage(reader: StoreReader, runIds: readonly number[], metric: string): Float64Array | null {
  let sum: Float64Array | null = null;
  for (const id of runIds) {
    const values = reader.perUser(id, metric);
    if (values === null || (sum !== null && sum.length !== values.length)) return null;
    sum ??= new Float64Array(values.length);
    for (let user = 0; user < values.length; user++) sum[user]! += (values[user] as number) / runIds.length;
  }
  return sum;
}

interface StoredCell {
  readonly variant: string;
  readonly metric: string;
  readonly value: number;
  readonly source: string;
  readonly protocol: { readonly dataset: string; readonly split: string; readonly candidates: string };
}

function publishedCells({ published, protocol }: ExperimentRow): ExperimentReport['published'] {
  const ours = protocol as { readonly [key: string]: Json };
  return (published as unknown as readonly StoredCell[]).map(({ variant, metric, value, source, protocol: theirs }) => {
    const here: { readonly [key: string]: Json | undefined } = {
      dataset: ours['dataset'],
      split: ours['split'],
      candidates: /\/(sampled-\d+)\//.exec(metric)?.[1] ?? ours['candidates'],
    };
    const differs = (['dataset', 'split', 'candidates'] as const)
      .filter((rule) => theirs[rule] !== here[rule])
      .map((rule) => `${rule} ${theirs[rule]}, here ${typeof here[rule] === 'string' ? here[rule] : 'unknown'}`)
      .join('; ');
    return { variant, metric, value, source, comparable: differs === '', differs };
  });
}
