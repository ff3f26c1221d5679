import { bootstrapMeans, holm, mean, pairedT, sampleStd, tInterval, wilcoxonSignedRank } from '@towerbench/metrics';
import type { ExperimentRow, Json, RunRow, StoreReader, TrialRow } from '@towerbench/tracking';
import type { ExperimentReport, MetricSummary, ReportGroup, Versus } from './contract.js';

/** Fewer shared seeds have no p value. */
const MIN_SEEDS_FOR_P = 5;

/** The finished runs of the trial that stands for a variant. */
export interface Best {
  readonly trial: TrialRow;
  readonly finished: readonly RunRow[];
  readonly failed: number;
  /** Whether the search stopped it before all seeds were done. */
  readonly isGivenUp: boolean;
  readonly budget: number;
}

/**
 * The report of an experiment: per variant its best trial by mean objective metric, with means and intervals over seeds and paired
 * comparisons with the base variant. Best first; variants without a result last. A trial that the search gave up stands for its variant
 * only where no other has a result.
 *
 * @param userIntervals whether the bootstrap over users is done, which takes most of the time; false leaves `users.ci95` null
 *
 * @throws {RangeError} when there is no such experiment
 */
export function buildReport(
  reader: StoreReader,
  experiment: string,
  { userIntervals = true }: { readonly userIntervals?: boolean } = {},
): ExperimentReport {
  const row = reader.experiment(experiment);
  if (row === null) throw new RangeError(`there is no experiment "${experiment}"`);
  const columns = row.report.length > 0 ? row.report : [row.metric.name];
  const names = [...new Set([...columns, row.metric.name])];
  const runs = reader.runs(experiment, names);
  const best = bestTrials(row, reader.trials(experiment), runs);
  const base = best.find(({ trial }) => trial.variant === row.baseVariant);
  const { versus, comparisons } = compareAll(reader, { best, base, columns });
  if (userIntervals) addUserIntervals(comparisons);

  const groups = best.map((each, index): ReportGroup => {
    const { trial, finished, failed, budget } = each;
    const metrics: Record<string, MetricSummary> = {};
    for (const name of names) {
      const values = finished.flatMap((run) => run.metrics[name] ?? []);
      if (values.length > 0) metrics[name] = summaryOf(values);
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
    runs: { finished: count('finished'), failed: count('failed'), pruned: count('pruned'), total: distinct.size },
    columns,
    oracle: row.oracle,
    groups: groups.sort((a, b) => worth(b) - worth(a)),
    published: publishedCells(row),
  };
}

/** One number per seed in short. */
export function summaryOf(values: readonly number[]): MetricSummary {
  return { mean: mean(values), std: sampleStd(values), ci95: tInterval(values), values };
}

/** Of each variant the trial with the best mean objective metric. */
export function bestTrials({ metric }: ExperimentRow, trials: readonly TrialRow[], runs: readonly RunRow[]): Best[] {
  const byVariant = new Map<string, Best[]>();
  const keyOf = (trialId: string, variant: string): string => `${trialId} ${variant}`;
  const byTrial = new Map<string, RunRow[]>();
  for (const run of runs) {
    const key = keyOf(run.trialId, run.variant);
    const of = byTrial.get(key);
    if (of === undefined) byTrial.set(key, [run]);
    else of.push(run);
  }
  for (const trial of trials) {
    const own = byTrial.get(keyOf(trial.id, trial.variant)) ?? [];
    const of = byVariant.get(trial.variant) ?? [];
    of.push({
      trial,
      finished: own.filter(({ status }) => status === 'finished'),
      failed: own.filter(({ status }) => status === 'failed').length,
      isGivenUp: own.some(({ status }) => status === 'pruned'),
      budget: 0,
    });
    byVariant.set(trial.variant, of);
  }
  const worth = ({ finished }: Best): number => {
    const value = mean(finished.flatMap((run) => run.metrics[metric.name] ?? []));
    return Number.isNaN(value) ? -Infinity : metric.goal === 'maximize' ? value : -value;
  };
  return [...byVariant.values()].map((all) => {
    const whole = all.filter(({ isGivenUp }) => !isGivenUp); // with fewer seeds than the others a trial is only luckier
    const candidates = whole.some(({ finished }) => finished.length > 0) ? whole : all;
    return {
      ...candidates.reduce((best, each) => (worth(each) > worth(best) ? each : best)),
      budget: all.length,
    };
  });
}

/** A comparison, and where it stands in the table. */
interface Comparison {
  readonly compared: Record<string, Versus>;
  readonly metric: string;
  readonly pSeeds: number | null;
  /** Differences of the users who have one; null without per-user values. */
  readonly userDifferences: Float64Array | null;
}

/** Comparisons with the base, in the order of `best`; undefined for the base itself and where there is none. */
function compareAll(
  reader: StoreReader,
  {
    best,
    base,
    columns,
  }: { readonly best: readonly Best[]; readonly base: Best | undefined; readonly columns: readonly string[] },
): {
  readonly versus: readonly (Record<string, Versus> | undefined)[];
  readonly comparisons: readonly Comparison[];
} {
  const comparisons: Comparison[] = [];
  const perUser = new Map<string, Float64Array | null>();
  const averages = ({ trial }: Best, runs: readonly RunRow[], metric: string): Float64Array | null => {
    const ids = runs.map(({ id }) => id);
    const key = JSON.stringify([trial.id, metric, ids]); // the base is asked again by every variant
    const known = perUser.get(key);
    const average = known === undefined ? seedAverage(reader, ids, metric) : known;
    perUser.set(key, average);
    return average;
  };
  const all = best.map((group) => {
    if (base === undefined || group === base) return undefined;
    const compared: Record<string, Versus> = {};
    for (const metric of columns) {
      const pairs = sharedSeeds(group, base, metric);
      if (pairs.length === 0) continue;
      const own = averages(group, pairs.map(({ run }) => run), metric); // prettier-ignore
      const others = averages(base, pairs.map(({ other }) => other), metric); // prettier-ignore
      const { versus, userDifferences } = compare(pairs, own, others);
      compared[metric] = versus;
      comparisons.push({ compared, metric, pSeeds: versus.pSeeds, userDifferences });
    }
    return compared;
  });
  correctOverVariants(comparisons);
  return { versus: all, comparisons };
}

/** A run and that of the base with the same seed. */
interface SeedPair {
  readonly run: RunRow;
  readonly other: RunRow;
  readonly values: readonly [number, number];
}

function sharedSeeds(group: Best, base: Best, metric: string): readonly SeedPair[] {
  return group.finished.flatMap((run) => {
    const other = base.finished.find(({ seed }) => seed === run.seed);
    const [own, others] = [run.metrics[metric], other?.metrics[metric]];
    if (other === undefined || own === undefined || others === undefined) return [];
    return [{ run, other, values: [own, others] as const }];
  });
}

/** A variant with the base: over seeds by the numbers of the pairs, over users by their values averaged over these seeds. */
export function compare(
  pairs: readonly Pick<SeedPair, 'values'>[],
  own: Float64Array | null,
  others: Float64Array | null,
): { readonly versus: Versus; readonly userDifferences: Float64Array | null } {
  const { p, ...difference } = pairedT(
    pairs.map(({ values }) => values[0]),
    pairs.map(({ values }) => values[1]),
  );
  const n = pairs.length;
  const seeds = { ...difference, n, pSeeds: n < MIN_SEEDS_FOR_P ? null : p, pHolm: null };
  if (own === null || others === null || own.length !== others.length) {
    return { versus: { ...seeds, pUsers: null, users: null }, userDifferences: null };
  }
  const { p: pUsers, ...users } = wilcoxonSignedRank(own, others);
  return {
    versus: { ...seeds, pUsers, users: { ...users, ci95: null } },
    userDifferences: own.map((value, user) => value - (others[user] as number)).filter((value) => !Number.isNaN(value)),
  };
}

/** Sets `pHolm`: of the variants that were tested in one metric. */
function correctOverVariants(comparisons: readonly Comparison[]): void {
  for (const metric of new Set(comparisons.map((comparison) => comparison.metric))) {
    const tested = comparisons.filter((comparison) => comparison.metric === metric && comparison.pSeeds !== null);
    const corrected = holm(tested.map(({ pSeeds }) => pSeeds as number));
    for (const [k, { compared }] of tested.entries()) {
      compared[metric] = { ...(compared[metric] as Versus), pHolm: corrected[k] as number };
    }
  }
}

/** Sets the intervals over users; comparisons of as many users share the resamples. */
function addUserIntervals(comparisons: readonly Comparison[]): void {
  const byUsers = new Map<number, (Comparison & { readonly userDifferences: Float64Array })[]>();
  for (const comparison of comparisons) {
    const { userDifferences } = comparison;
    if (userDifferences === null) continue;
    const alike = byUsers.get(userDifferences.length) ?? [];
    alike.push({ ...comparison, userDifferences });
    byUsers.set(userDifferences.length, alike);
  }
  for (const alike of byUsers.values()) {
    const intervals = bootstrapMeans(alike.map(({ userDifferences }) => userDifferences));
    for (const [k, { compared, metric }] of alike.entries()) {
      const versus = compared[metric] as Versus;
      compared[metric] = { ...versus, users: versus.users && { ...versus.users, ci95: intervals[k] ?? null } };
    }
  }
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
