import { createHash } from 'node:crypto';
import type { Json, PlannedTrial, Point, RunResult, StoreReader, StoreWriter } from '@towerbench/tracking';
import { addTrials, type ExperimentDescription } from '../experiment-description.js';
import type { MlflowClient, MlflowMetric, MlflowRun } from './client.js';
import { documentIn, type RunDocument } from './document.js';
import { nameOf } from './names.js';

/** What became of the runs that were to be imported. */
export interface ImportOutcome {
  readonly imported: number;
  /** Runs that the store has already. */
  readonly alreadyThere: number;
  /** Runs that are not FINISHED in MLflow, which are left out. */
  readonly unfinished: number;
  readonly points: number;
  /** Experiments of the store that the runs are in. */
  readonly experiments: readonly { readonly name: string; readonly metric: Objective }[];
  /** Metrics with several values at one step, whose points are numbered in order of time instead. */
  readonly renumbered: readonly string[];
}

/** The metric that orders runs of another program; MLflow does not know one. */
export interface Objective {
  readonly name: string;
  readonly goal: 'maximize' | 'minimize';
}

/** A run of MLflow as a run of ours. */
interface Arrival {
  readonly run: MlflowRun;
  readonly document: RunDocument | null;
  readonly trial: PlannedTrial;
  readonly seed: number;
}

/** Arrivals that share an experiment of the store. */
interface Group {
  readonly description: ExperimentDescription;
  readonly arrivals: readonly Arrival[];
}

interface OpenGroup extends Group {
  readonly arrivals: Arrival[];
}

/** Host of attempts that are imported: no worker's, so that no sweep takes one for its own. */
const HOST = 'mlflow';

/**
 * Takes the finished runs of one experiment of MLflow into the store.
 *
 * Runs that Towerbench has exported come back as they were: same trial, seed, data and protocol, into the experiment that they are from.
 * Runs of other programs become the experiment `mlflow:NAME`. Its dataset is `mlflow`, its fingerprint and protocol name the server and
 * the experiment, because MLflow does not say what was measured on what; so their numbers are never beside numbers measured here.
 * Runs of one are one trial when their parameters differ in `seed` only.
 *
 * @throws {MlflowError}
 * @throws {ConfigError} when the store has an experiment of the name that was measured on something else
 * @throws {StoreError}
 */
export async function importRuns({
  writer,
  reader,
  client,
  experiment,
  objective,
  setTime,
  isAlive,
  onProgress,
}: {
  readonly writer: StoreWriter;
  readonly reader: StoreReader;
  readonly client: MlflowClient;
  readonly experiment: { readonly experiment_id: string; readonly name: string };
  readonly objective: Objective | null;
  /** Sets the clock of the writer, so that attempts begin and end when they did; null is the time of day. */
  readonly setTime: (milliseconds: number | null) => void;
  readonly isAlive: (pid: number) => boolean;
  readonly onProgress: (done: number, total: number) => void;
}): Promise<ImportOutcome> {
  const all = await client.runs(experiment.experiment_id);
  const finished = all.filter(({ info }) => info.status === 'FINISHED');
  writer.recover(({ host, pid }) => host !== HOST || isAlive(pid)); // what an import that was cut off left behind
  const groups = groupsOf(finished, { client, experiment, objective });
  const outcome = { imported: 0, alreadyThere: 0, points: 0, renumbered: new Set<string>() };
  let done = 0;
  for (const { description, arrivals } of groups) {
    const pending = planned(writer, reader, description, arrivals);
    for (const arrival of arrivals) {
      const runId = pending.get(`${arrival.trial.id}/${arrival.seed}`);
      if (runId === undefined) outcome.alreadyThere++;
      else {
        const { points, result, renumbered } = await contentOf(client, arrival);
        for (const name of renumbered) outcome.renumbered.add(name);
        setTime(arrival.run.info.start_time ?? null);
        const claim = writer.claim(runId, {
          host: HOST,
          pid: process.pid,
          environment: environmentOf(client, arrival),
        });
        if (claim !== null) {
          for (let at = 0; at < points.length; at += POINTS_AT_ONCE) {
            writer.points(claim.attemptId, points.slice(at, at + POINTS_AT_ONCE));
          }
          setTime(arrival.run.info.end_time ?? null);
          writer.finish(claim.attemptId, result);
          outcome.imported++;
          outcome.points += points.length;
        }
        setTime(null);
      }
      onProgress(++done, finished.length);
    }
    if (description.dataset === HOST) {
      const missing = reader.runs(description.name).filter(({ status }) => status === 'pending');
      writer.skip(
        missing.map(({ id }) => id),
        'MLflow has no such run',
      );
    }
  }
  return {
    ...outcome,
    unfinished: all.length - finished.length,
    experiments: groups.map(({ description: { name, metric } }) => ({ name, metric })),
    renumbered: [...outcome.renumbered],
  };
}

/** Points of one transaction. */
const POINTS_AT_ONCE = 50_000;
/** Columns of a report of runs of another program, which may have hundreds of metrics. */
const MAX_COLUMNS = 20;

/** Runs of ours by what their experiment was measured on, and those of other programs. */
function groupsOf(
  runs: readonly MlflowRun[],
  { client, experiment, objective }: Pick<Parameters<typeof importRuns>[0], 'client' | 'experiment' | 'objective'>,
): readonly Group[] {
  const ours = new Map<string, OpenGroup>();
  const others: MlflowRun[] = [];
  for (const run of runs) {
    const document = documentIn(run);
    if (document === null) {
      others.push(run);
      continue;
    }
    const { name, dataset, fingerprint, protocol, metric } = document.experiment;
    const key = JSON.stringify([name, dataset, fingerprint, protocol, metric]);
    const group: OpenGroup = ours.get(key) ?? { description: document.experiment, arrivals: [] };
    group.arrivals.push({ run, document, trial: document.trial, seed: document.run.seed });
    ours.set(key, group);
  }
  for (const { arrivals } of ours.values()) {
    arrivals.sort((a, b) => (a.document?.trial.ordinal ?? 0) - (b.document?.trial.ordinal ?? 0)); // as they were planned
  }
  if (others.length === 0) return [...ours.values()];
  const source = `${client.url}/#/experiments/${experiment.experiment_id}`;
  const metrics = metricNamesOf(others);
  const description = {
    name: `mlflow:${experiment.name}`,
    file: source,
    config: { imported: source },
    dataset: HOST,
    fingerprint: `mlflow-${createHash('sha256').update(source).digest('hex').slice(0, 32)}`,
    protocol: { imported: source },
    metric: objective ?? objectiveOf(metrics[0] ?? 'none'),
    report: metrics.slice(0, MAX_COLUMNS),
    published: [],
    baseVariant: '',
    oracle: null,
  };
  return [...ours.values(), { description, arrivals: arrivalsOf(others) }];
}

/** Runs of other programs: those with the same parameters but for a `seed` are one trial. */
function arrivalsOf(runs: readonly MlflowRun[]): readonly Arrival[] {
  const taken = new Set<string>();
  const variants = new Map<string, string>();
  return runs.map((run): Arrival => {
    const { run_id: runId, run_name: runName } = run.info;
    const params = Object.fromEntries(run.data.params.map(({ key, value }) => [nameOf(key), value]));
    const { seed: seedText = '', ...parameters } = params;
    const hasSeed = /^-?\d{1,15}$/.test(seedText);
    const seed = hasSeed ? Number(seedText) : 0;
    const shared = hashOf({ imported: HOST, parameters });
    const isShared = hasSeed && !taken.has(`${shared}/${seed}`);
    const id = isShared ? shared : hashOf({ imported: HOST, runId });
    taken.add(`${id}/${seed}`);
    const variant = variants.get(id) ?? (runName || runId);
    variants.set(id, variant);
    return { run, document: null, trial: { id, variant, parameters, config: { imported: HOST, parameters } }, seed };
  });
}

function hashOf(value: Json): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function objectiveOf(name: string): Objective {
  return { name, goal: /loss|error|mse|mae|perplexity/i.test(name) ? 'minimize' : 'maximize' };
}

/** Names of the metrics of runs, those that most runs have first. */
function metricNamesOf(runs: readonly MlflowRun[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { data } of runs) {
    for (const { key } of data.metrics) counts.set(nameOf(key), (counts.get(nameOf(key)) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
}

/** Adds trials and seeds that the store does not have; returns the pending runs by trial and seed. */
function planned(
  writer: StoreWriter,
  reader: StoreReader,
  description: Group['description'],
  arrivals: readonly Arrival[],
): ReadonlyMap<string, number> {
  const seeds = arrivals.map(({ seed }) => seed);
  addTrials({ writer, reader }, { description, trials: arrivals.map(({ trial }) => trial), seeds, path: '--from' });
  const wanted = new Set(arrivals.map(({ trial, seed }) => `${trial.id}/${seed}`));
  const runs = reader
    .runs(description.name)
    .filter(({ trialId, seed }) => wanted.has(`${trialId}/${seed}`))
    .filter(({ id, status }) => status === 'pending' || writer.retry(id)); // given up here, or skipped by an import before
  return new Map(runs.map(({ trialId, seed, id }) => [`${trialId}/${seed}`, id]));
}

/** All that a run leaves behind, from MLflow's histories of its metrics. */
async function contentOf(
  client: MlflowClient,
  { run, document }: Arrival,
): Promise<{ points: readonly Point[]; result: RunResult; renumbered: readonly string[] }> {
  const results = new Map(Object.entries(document?.run.results ?? {}));
  const cut = new Map(Object.entries(document?.run.cut ?? {}));
  const metrics: Record<string, number> = {};
  const points: Point[] = [];
  const renumbered: string[] = [];
  for (const { key, value } of run.data.metrics) {
    const result = document === null ? nameOf(key) : results.get(key);
    if (result !== undefined) metrics[result] = value;
    if (document !== null && result !== undefined) continue; // a result of ours, no curve
    const series = nameOf(key, cut);
    const { history, isRenumbered } = withOwnSteps(await client.history(run.info.run_id, key));
    if (isRenumbered) renumbered.push(series);
    for (const { step, value: at, timestamp } of history) points.push({ series, step, value: at, time: timestamp });
  }
  const { start_time: start = 0, end_time: end = start } = run.info;
  const result: RunResult = {
    metrics,
    perUser: {},
    parameterCount: document?.run.parameterCount ?? null,
    indexBytesPerItem: document?.run.indexBytesPerItem ?? null,
    seconds: document?.run.seconds ?? (end - start) / 1000,
    bestStep: document?.run.bestStep ?? Math.max(0, ...run.data.metrics.map(({ step }) => step)),
    artifacts: [],
  };
  return { points, result, renumbered };
}

/** A history with one value per step: whoever logs without a step has all of them at 0, and means the order of time. */
function withOwnSteps(history: readonly MlflowMetric[]): { history: readonly MlflowMetric[]; isRenumbered: boolean } {
  const distinct = new Map(history.map((point) => [`${point.step} ${point.timestamp} ${point.value}`, point]));
  const steps = new Set([...distinct.values()].map(({ step }) => step));
  if (steps.size === distinct.size) return { history: [...distinct.values()], isRenumbered: false };
  const inTime = [...distinct.values()].sort((a, b) => a.step - b.step || a.timestamp - b.timestamp);
  return { history: inTime.map((point, step) => ({ ...point, step })), isRenumbered: true };
}

/** What is known of where a run was made: its tags, and for one of ours the environment it had. */
function environmentOf(client: MlflowClient, { run, document }: Arrival): Json {
  const from = { imported: client.url, run: run.info.run_id };
  const environment = document?.run.environment;
  if (typeof environment === 'object' && environment !== null) return { ...environment, ...from };
  const tags = Object.fromEntries(run.data.tags.map(({ key, value }) => [key, value]));
  return { ...from, tags };
}
