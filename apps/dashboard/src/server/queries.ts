import { withYamlKeys } from '@towerbench/config';
import { isLargerBetter } from '@towerbench/metrics';
import { buildReport, buildRunDiff, type RunDiff, type ExperimentReport } from '@towerbench/report';
import type { ExperimentRow, Json, RunRow, StoreReader } from '@towerbench/tracking';
import type { Curves, CurveView, ExperimentDetail, ExperimentSummary, RunDetail } from '../contract/payloads.js';
import { meanLine, notOffered, runLine } from './curves.js';
import { configDifferences } from './differences.js';
import { RequestProblem } from './problem.js';

/** Characters of an attempt's log that are sent. */
const LOG_TAIL = 64 * 1024;

/** What the pages ask of a store. Numbers of the leaderboard are the report's own. */
export interface Queries {
  experiments(reader: StoreReader): readonly ExperimentSummary[];
  /** The name, of which there is an experiment. */
  nameOf(reader: StoreReader, name: string): string;
  experiment(reader: StoreReader, name: string): ExperimentDetail;
  report(reader: StoreReader, name: string): ExperimentReport;
  /** Lines of the variants that are named, and where those of the others end. */
  experimentCurves(
    reader: StoreReader,
    name: string,
    series: string,
    variants: readonly string[],
    view: CurveView,
  ): Curves;
  run(reader: StoreReader, id: number): RunDetail;
  runDiff(reader: StoreReader, id: number, other: number): RunDiff;
  runCurve(reader: StoreReader, id: number, series: string, view: CurveView): Curves;
}

function found<T>(thing: T | null, what: string): T {
  if (thing === null) throw new RequestProblem('not-found', `the store has no ${what}`);
  return thing;
}

function runsByTrial(reader: StoreReader, name: string): ReadonlyMap<string, readonly RunRow[]> {
  const byTrial = new Map<string, RunRow[]>();
  for (const run of reader.runs(name)) {
    const runs = byTrial.get(run.trialId);
    if (runs) runs.push(run);
    else byTrial.set(run.trialId, [run]);
  }
  return byTrial;
}

/** The trial that stands for each variant: the report's choice, or the first one while the variant has no finished run. */
function leaderboardTrials(reader: StoreReader, report: ExperimentReport) {
  const chosen = new Map(report.groups.map(({ variant, trial }) => [variant, trial]));
  const trials = reader.trials(report.experiment);
  const byVariant = new Map<string, (typeof trials)[number]>();
  for (const trial of trials) {
    if (!byVariant.has(trial.variant) || chosen.get(trial.variant) === trial.id) byVariant.set(trial.variant, trial);
  }
  return [...byVariant.values()];
}

function best(report: ExperimentReport): ExperimentSummary['best'] {
  const { name, goal } = report.metric;
  const sign = goal === 'maximize' ? 1 : -1;
  let winner: ExperimentSummary['best'] = null;
  for (const { variant, n, metrics } of report.groups) {
    const mean = metrics[name]?.mean;
    if (mean !== undefined && (winner === null || sign * mean > sign * winner.mean)) winner = { variant, mean, n };
  }
  return winner;
}

/** The run whose config a run names as its teacher's. */
function teacherOf(
  reader: StoreReader,
  { config, seed }: { readonly config: Json; readonly seed: number },
  experiment: string,
): RunDetail['teacher'] {
  const taught = (config as { readonly teacher?: Json }).teacher;
  if (taught === undefined) return null;
  const text = JSON.stringify(taught);
  const trial = reader.trials(experiment).find((other) => JSON.stringify(other.config) === text);
  const run = reader.runs(experiment, []).find((other) => other.trialId === trial?.id && other.seed === seed);
  return run === undefined ? null : { id: run.id, variant: run.variant };
}

/** Of the objective the experiment itself says what is better. */
function lowerIsBetter({ metric, report }: ExperimentRow): readonly string[] {
  const others = report.filter((name) => name !== metric.name && !isLargerBetter(name));
  return metric.goal === 'minimize' ? [metric.name, ...others] : others;
}

function describe(config: Json): string {
  const description = typeof config === 'object' && config !== null && 'description' in config && config.description;
  return typeof description === 'string' ? description : '';
}

/**
 * Makes the queries. They remember each experiment's report until its row changes: a result, a failure and a new plan all change the
 * counts or the time of the row, so a sweep's progress does not make every report anew.
 */
export function createQueries(): Queries {
  const reports = new WeakMap<StoreReader, Map<string, { readonly row: string; readonly report: ExperimentReport }>>();

  const report = (reader: StoreReader, experiment: ExperimentRow): ExperimentReport => {
    const byName =
      reports.get(reader) ?? new Map<string, { readonly row: string; readonly report: ExperimentReport }>();
    reports.set(reader, byName);
    const row = JSON.stringify(experiment);
    const known = byName.get(experiment.name);
    if (known?.row === row) return known.report;
    const built = buildReport(reader, experiment.name);
    byName.set(experiment.name, { row, report: built });
    return built;
  };

  const experiment = (reader: StoreReader, name: string) => found(reader.experiment(name), `experiment "${name}"`);
  const run = (reader: StoreReader, id: number) => found(reader.run(id), `run ${id}`);

  return {
    experiments: (reader) =>
      reader.experiments().map((row) => ({
        name: row.name,
        dataset: row.dataset,
        seeds: row.seeds.length,
        variants: new Set(reader.trials(row.name).map(({ variant }) => variant)).size,
        counts: row.counts,
        metric: row.metric,
        best: best(report(reader, row)),
        plannedAt: row.updatedAt,
      })),

    experiment(reader, name) {
      const row = experiment(reader, name);
      const runs = runsByTrial(reader, name);
      const trials = reader.trials(name);
      const chosen = leaderboardTrials(reader, report(reader, row));
      const started = chosen.flatMap(({ id }) => (runs.get(id) ?? []).filter(({ attempts }) => attempts > 0));
      return {
        name,
        file: row.file,
        description: describe(row.config),
        notes: row.notes,
        isStopRequested: row.isStopRequested,
        dataset: row.dataset,
        baseVariant: row.baseVariant,
        metric: row.metric,
        lowerIsBetter: lowerIsBetter(row),
        counts: row.counts,
        variants: [...new Set(trials.map(({ variant }) => variant))],
        trials: trials.map(({ id, variant, parameters }) => ({
          id,
          variant,
          parameters,
          runs: (runs.get(id) ?? []).map(({ id, seed, status, step, totalSteps, seconds, error, metrics }) => ({
            id,
            seed,
            status,
            step,
            totalSteps,
            seconds,
            error,
            objective: metrics[row.metric.name] ?? null,
          })),
        })),
        series: [...new Set(started.flatMap(({ id }) => reader.seriesNames(id)))].sort(),
        differences: configDifferences(
          chosen.map(({ variant, config }) => ({ variant, config: withYamlKeys(config) })),
        ),
      };
    },

    nameOf: (reader, name) => experiment(reader, name).name,

    report: (reader, name) => report(reader, experiment(reader, name)),

    experimentCurves(reader, name, series, variants, view) {
      const row = experiment(reader, name);
      const byTrial = runsByTrial(reader, name);
      const trials = leaderboardTrials(reader, report(reader, row));
      const runsOf = (id: string) => byTrial.get(id) ?? [];
      const drawn = trials.filter(({ variant }) => variants.includes(variant)).flatMap(({ id }) => runsOf(id));
      return {
        series,
        notOffered: notOffered(drawn),
        lines: trials.map(({ id, variant }) => ({
          name: variant,
          trial: id,
          ...meanLine(reader, runsOf(id), series, { view, isDrawn: variants.includes(variant) }),
        })),
      };
    },

    run(reader, id) {
      const row = run(reader, id);
      const name = row.experiments[0];
      const experiment = name === undefined ? null : reader.experiment(name);
      return {
        run: { ...row, config: withYamlKeys(row.config) },
        metric: experiment?.metric.name ?? null,
        report: experiment?.report ?? [],
        attempts: reader.attempts(id).map((attempt) => ({
          ...attempt,
          log: attempt.log.slice(-LOG_TAIL),
          logLength: attempt.log.length,
        })),
        series: reader.seriesNames(id),
        teacher: name === undefined ? null : teacherOf(reader, row, name),
      };
    },

    runDiff: (reader, id, other) => buildRunDiff(reader, run(reader, id).id, run(reader, other).id),

    runCurve(reader, id, series, view) {
      const row = run(reader, id);
      return {
        series,
        notOffered: notOffered([row]),
        lines: [{ name: series, trial: row.trialId, ...runLine(reader, row, series, view) }],
      };
    },
  };
}
