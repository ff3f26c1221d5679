import type { Database } from 'better-sqlite3';
import type { AttemptRow, ExperimentRow, Json, RunningAttempt, RunRow, RunStatus, StoreReader } from './contract.js';
import { createCurves } from './curves.js';
import { fromReal, parseJson, unpackFloats } from './encoding.js';
import { createRunGroups } from './run-groups.js';

interface StoredExperiment {
  readonly id: number;
  readonly name: string;
  readonly file: string;
  readonly config: string;
  readonly dataset: string;
  readonly fingerprint: string;
  readonly protocol: string;
  readonly metric_name: string;
  readonly metric_goal: 'maximize' | 'minimize';
  readonly report: string;
  readonly published: string;
  readonly base_variant: string;
  readonly seeds: string;
  readonly search: string | null;
  readonly stop_requested: number;
  readonly notes: string;
  readonly created_at: number;
  readonly updated_at: number;
}

interface StoredRun {
  readonly id: number;
  readonly trial_id: string;
  readonly variant: string;
  readonly seed: number;
  readonly status: RunStatus;
  readonly attempts: number;
  readonly step: number;
  readonly total_steps: number;
  readonly steps_per_epoch: number | null;
  readonly batch_size: number | null;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly seconds: number | null;
  readonly cpu_seconds: number | null;
  readonly peak_bytes: number | null;
  readonly parameter_count: number | null;
  readonly index_bytes_per_item: number | null;
  readonly best_step: number | null;
  readonly error: string | null;
  readonly notes: string;
}

interface StoredMetric {
  readonly owner: number;
  readonly name: string;
  readonly value: number | null;
}

/** A StoredMetric as its cells: of 200,000 rows that is read in half the time. */
type StoredMetricCells = readonly [StoredMetric['owner'], StoredMetric['name'], StoredMetric['value']];

/** The reading side of an open database. */
export function createReader(db: Database): StoreReader {
  const sql = prepare(db);
  /** Several statements that see one state of the store. */
  const snapshot = <A extends readonly unknown[], R>(body: (...args: A) => R): ((...args: A) => R) => {
    const run = db.transaction((...args: unknown[]) => body(...(args as unknown as A)));
    return (...args) => run(...args);
  };

  const allExperiments = snapshot((): ExperimentRow[] => {
    const counts = new Map<number, Record<RunStatus, number>>();
    for (const row of sql.counts.all() as { experiment_id: number; status: RunStatus; runs: number }[]) {
      const of = counts.get(row.experiment_id) ?? noRuns();
      of[row.status] = row.runs;
      counts.set(row.experiment_id, of);
    }
    const oracles = byOwner(sql.oracles.all() as StoredMetric[]);
    return (sql.experiments.all() as StoredExperiment[]).map((row) => ({
      id: row.id,
      name: row.name,
      file: row.file,
      config: parseJson(row.config),
      dataset: row.dataset,
      fingerprint: row.fingerprint,
      protocol: parseJson(row.protocol),
      metric: { name: row.metric_name, goal: row.metric_goal },
      report: parseJson(row.report),
      published: parseJson(row.published),
      baseVariant: row.base_variant,
      seeds: parseJson(row.seeds),
      search: parseJson(row.search ?? 'null'),
      notes: row.notes,
      isStopRequested: row.stop_requested === 1,
      oracle: oracles.get(row.id) ?? null,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      counts: counts.get(row.id) ?? noRuns(),
    }));
  });

  return {
    experiments: allExperiments,
    experiment: (name) => allExperiments().find((experiment) => experiment.name === name) ?? null,

    trials: (experiment) =>
      (
        sql.trials.all(experiment) as {
          trial_id: string;
          variant: string;
          ordinal: number;
          parameters: string;
          config: string;
        }[]
      ).map(({ trial_id, variant, ordinal, parameters, config }) => ({
        id: trial_id,
        experiment,
        variant,
        ordinal,
        parameters: parseJson(parameters),
        config: parseJson(config),
      })),

    runs: snapshot((experiment: string, only?: readonly string[]): RunRow[] => {
      const stored = only === undefined ? sql.metricsOfExperiment.all(experiment) : sql.someMetricsOfExperiment.all(JSON.stringify(only), experiment); // prettier-ignore
      const metrics = byOwner((stored as StoredMetricCells[]).map(([owner, name, value]) => ({ owner, name, value })));
      return (sql.runs.all(experiment) as StoredRun[]).map((row) => runRow(row, metrics.get(row.id)));
    }),

    run: snapshot((id: number) => {
      const row = sql.run.get(id) as (StoredRun & { readonly config: string }) | undefined;
      if (row === undefined) return null;
      return {
        ...runRow(row, byOwner(sql.metricsOfRun.all(id) as StoredMetric[]).get(id)),
        config: parseJson<Json>(row.config),
        experiments: sql.experimentsOfRun.all(id) as string[],
        artifacts: (sql.artifacts.all(id) as { kind: string; sha256: string; size_bytes: number }[]).map(
          ({ kind, sha256, size_bytes }) => ({ kind, sha256, sizeBytes: size_bytes }),
        ),
      };
    }),

    attempts: snapshot((runId: number): AttemptRow[] =>
      (
        sql.attempts.all(runId) as {
          id: number;
          number: number;
          status: AttemptRow['status'];
          host: string;
          pid: number;
          started_at: number;
          ended_at: number | null;
          resumed_at_step: number;
          error: string | null;
          content: string;
        }[]
      ).map(({ id, number, status, host, pid, started_at, ended_at, resumed_at_step, error, content }) => ({
        id,
        number,
        status,
        host,
        pid,
        startedAt: started_at,
        endedAt: ended_at,
        resumedAtStep: resumed_at_step,
        error,
        environment: parseJson<Json>(content),
        log: (sql.logs.all(id) as string[]).join(''),
      })),
    ),

    attemptIds: (runId) => sql.attemptIds.all(runId) as number[],

    runningAttempts: (experiment) => sql.runningAttempts.all(experiment) as RunningAttempt[],

    logTail: (runId, length) => {
      let tail = '';
      for (const text of sql.logFromEnd.iterate(runId) as IterableIterator<string>) {
        tail = text + tail;
        if (tail.length >= length) break;
      }
      return tail.slice(-length);
    },

    runOfAttempt: (attemptId) =>
      (sql.runOfAttempt.get(attemptId) as { runId: number; status: RunStatus } | undefined) ?? null,

    statuses: (experiment) => sql.statuses.all(experiment) as { id: number; status: RunStatus }[],

    isStopRequested: (experiment) => sql.isStopRequested.get(experiment) === 1,

    seriesNames: (runId) => sql.seriesNames.all(runId) as string[],

    curve: (runId, series) =>
      (sql.curve.all(runId, series) as { step: number; value: number | null; time: number }[]).map(
        ({ step, value, time }) => ({ step, value: fromReal(value), time }),
      ),

    ...createCurves(db),

    points: (attemptId) =>
      (sql.points.all(attemptId) as { series: string; step: number; value: number | null; time: number }[]).map(
        ({ series, step, value, time }) => ({ series, step, value: fromReal(value), time }),
      ),

    perUser: (runId, metric) => {
      const content = sql.perUser.get(runId, metric) as Buffer | undefined;
      return content === undefined ? null : unpackFloats(content);
    },

    runningHosts: () => sql.runningHosts.all() as string[],

    artifactHashes: () => sql.artifactHashes.all() as string[],

    unplannedRuns: () => sql.unplannedRuns.all() as { id: number; status: RunStatus; seed: number }[],

    integrity: () =>
      (db.pragma('integrity_check') as { integrity_check: string }[]).map((row) => row.integrity_check).join('\n'),

    ...createRunGroups(db),

    countPoints: () => sql.countPoints.get() as number,

    version: () => sql.version.get() as number,

    close: () => {
      db.close();
    },
  };
}

function noRuns(): Record<RunStatus, number> {
  return { pending: 0, running: 0, finished: 0, failed: 0, pruned: 0 };
}

function byOwner(rows: readonly StoredMetric[]): Map<number, Record<string, number>> {
  const owners = new Map<number, Record<string, number>>();
  for (const { owner, name, value } of rows) {
    const metrics = owners.get(owner) ?? {};
    metrics[name] = fromReal(value);
    owners.set(owner, metrics);
  }
  return owners;
}

function runRow(row: StoredRun, metrics: Readonly<Record<string, number>> = {}): RunRow {
  return {
    id: row.id,
    trialId: row.trial_id,
    variant: row.variant,
    seed: row.seed,
    status: row.status,
    attempts: row.attempts,
    step: row.step,
    totalSteps: row.total_steps,
    stepsPerEpoch: row.steps_per_epoch,
    batchSize: row.batch_size,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    seconds: row.seconds,
    cost: row.cpu_seconds === null || row.peak_bytes === null ? null : { cpuSeconds: row.cpu_seconds, peakBytes: row.peak_bytes }, // prettier-ignore
    parameterCount: row.parameter_count,
    indexBytesPerItem: row.index_bytes_per_item,
    bestStep: row.best_step,
    metrics,
    error: row.error,
    notes: row.notes,
  };
}

/** The runs of an experiment: its trials × its seeds. One row per variant, also where two variants share a trial. */
const RUNS_OF_EXPERIMENT = `
  experiments
  JOIN experiment_trials ON experiment_trials.experiment_id = experiments.id
  JOIN runs ON runs.trial_id = experiment_trials.trial_id
    AND runs.seed IN (SELECT value FROM json_each(experiments.seeds))`;
const RUN_COLUMNS = `
  runs.*, (SELECT count(*) FROM attempts WHERE attempts.run_id = runs.id) AS attempts`;
const NEWEST_ATTEMPT = 'SELECT id FROM attempts WHERE run_id = ? ORDER BY number DESC LIMIT 1';

function prepare(db: Database) {
  return {
    experiments: db.prepare('SELECT * FROM experiments ORDER BY updated_at DESC, id DESC'),
    counts: db.prepare(`
      SELECT experiments.id AS experiment_id, runs.status, count(DISTINCT runs.id) AS runs
      FROM ${RUNS_OF_EXPERIMENT} GROUP BY experiments.id, runs.status`),
    oracles: db.prepare('SELECT experiment_id AS owner, metric AS name, value FROM oracles'),
    trials: db.prepare(`
      SELECT experiment_trials.trial_id, experiment_trials.variant, experiment_trials.ordinal, experiment_trials.parameters,
             trials.config
      FROM experiments
      JOIN experiment_trials ON experiment_trials.experiment_id = experiments.id
      JOIN trials ON trials.id = experiment_trials.trial_id
      WHERE experiments.name = ? ORDER BY experiment_trials.ordinal`),
    runs: db.prepare(`
      SELECT ${RUN_COLUMNS}, experiment_trials.variant FROM ${RUNS_OF_EXPERIMENT}
      WHERE experiments.name = ? ORDER BY experiment_trials.ordinal, runs.seed`),
    metricsOfExperiment: db
      .prepare(
        `
      SELECT run_id AS owner, name, value FROM run_metrics
      WHERE run_id IN (SELECT runs.id FROM ${RUNS_OF_EXPERIMENT} WHERE experiments.name = ?)`,
      )
      .raw(),
    someMetricsOfExperiment: db
      .prepare(
        `
      SELECT run_id AS owner, name, value FROM run_metrics
      WHERE name IN (SELECT value FROM json_each(?))
        AND run_id IN (SELECT runs.id FROM ${RUNS_OF_EXPERIMENT} WHERE experiments.name = ?)`,
      )
      .raw(),
    metricsOfRun: db.prepare('SELECT run_id AS owner, name, value FROM run_metrics WHERE run_id = ?'),
    run: db.prepare(`
      SELECT ${RUN_COLUMNS}, trials.config,
             coalesce((SELECT variant FROM experiment_trials WHERE trial_id = runs.trial_id LIMIT 1), '') AS variant
      FROM runs JOIN trials ON trials.id = runs.trial_id WHERE runs.id = ?`),
    experimentsOfRun: db
      .prepare(
        `SELECT DISTINCT experiments.name FROM ${RUNS_OF_EXPERIMENT} WHERE runs.id = ? ORDER BY experiments.name`,
      )
      .pluck(),
    artifacts: db.prepare(`
      SELECT run_artifacts.kind, run_artifacts.sha256, artifacts.size_bytes
      FROM run_artifacts JOIN artifacts USING (sha256) WHERE run_artifacts.run_id = ? ORDER BY kind, sha256`),
    runningHosts: db.prepare("SELECT DISTINCT host FROM attempts WHERE status = 'running' ORDER BY host").pluck(),
    artifactHashes: db.prepare('SELECT DISTINCT sha256 FROM run_artifacts').pluck(),
    unplannedRuns: db.prepare(`
      SELECT id, status, seed FROM runs
      WHERE id NOT IN (SELECT runs.id FROM ${RUNS_OF_EXPERIMENT}) ORDER BY id`),
    attempts: db.prepare(`
      SELECT attempts.*, environments.content
      FROM attempts JOIN environments ON environments.hash = attempts.environment_hash WHERE run_id = ? ORDER BY number`),
    attemptIds: db.prepare('SELECT id FROM attempts WHERE run_id = ? ORDER BY number').pluck(),
    runningAttempts: db.prepare(`
      SELECT DISTINCT attempts.id, attempts.run_id AS runId, attempts.started_at AS startedAt, attempts.heartbeat_at AS aliveAt,
             attempts.resumed_at_step AS resumedAtStep
      FROM ${RUNS_OF_EXPERIMENT} JOIN attempts ON attempts.run_id = runs.id AND attempts.status = 'running'
      WHERE experiments.name = ? ORDER BY attempts.started_at, attempts.id`),
    runOfAttempt: db.prepare(
      'SELECT runs.id AS runId, runs.status FROM attempts JOIN runs ON runs.id = attempts.run_id WHERE attempts.id = ?',
    ),
    statuses: db.prepare(`
      SELECT DISTINCT runs.id, runs.status FROM ${RUNS_OF_EXPERIMENT} WHERE experiments.name = ? ORDER BY runs.id`),
    isStopRequested: db.prepare('SELECT stop_requested FROM experiments WHERE name = ?').pluck(),
    logs: db.prepare('SELECT text FROM logs WHERE attempt_id = ? ORDER BY id').pluck(),
    logFromEnd: db.prepare(`SELECT text FROM logs WHERE attempt_id = (${NEWEST_ATTEMPT}) ORDER BY id DESC`).pluck(),
    seriesNames: db.prepare(`SELECT name FROM series WHERE attempt_id = (${NEWEST_ATTEMPT}) ORDER BY name`).pluck(),
    curve: db.prepare(`
      SELECT points.step, points.value, points.time FROM points
      WHERE series_id = (SELECT id FROM series WHERE attempt_id = (${NEWEST_ATTEMPT}) AND name = ?) ORDER BY step`),
    points: db.prepare(`
      SELECT series.name AS series, points.step, points.value, points.time
      FROM series JOIN points ON points.series_id = series.id WHERE series.attempt_id = ? ORDER BY name, step`),
    perUser: db.prepare('SELECT content FROM per_user WHERE run_id = ? AND metric = ?').pluck(),
    countPoints: db.prepare('SELECT count(*) FROM points').pluck(),
    version: db.prepare('SELECT version FROM changes').pluck(),
  };
}
