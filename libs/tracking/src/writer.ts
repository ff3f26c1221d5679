import type { Database, Statement } from 'better-sqlite3';
import type {
  ExperimentInput,
  Lease,
  LeaseHolder,
  PlannedTrial,
  RunRow,
  StoreWriter,
  SuggestedTrial,
  Target,
} from './contract.js';
import { hashJson, packFloats, parseJson, toReal } from './encoding.js';
import { asStoreError, StoreError } from './errors.js';
import { createReader } from './reader.js';

/** The writing side of an open database; `now` gives milliseconds since the epoch. */
export function createWriter(db: Database, now: () => number): StoreWriter {
  const reader = createReader(db);
  const sql = prepare(db);

  /** One transaction that takes the write lock at once, so that what it reads cannot change before it writes. */
  const transaction = <A extends readonly unknown[], R>(body: (...args: A) => R): ((...args: A) => R) => {
    const run = db.transaction((...args: unknown[]) => {
      sql.changed.run();
      return body(...(args as unknown as A));
    });
    return (...args) => {
      try {
        return run.immediate(...args);
      } catch (error) {
        throw asStoreError(error, db.name, 'be written');
      }
    };
  };

  const existingAttempt = (attemptId: number): { readonly run_id: number; readonly status: string } => {
    const attempt = sql.attempt.get(attemptId) as { run_id: number; status: string } | undefined;
    if (attempt !== undefined) return attempt;
    throw new StoreError(
      'ended',
      `attempt ${attemptId} does not exist`,
      'is this the store that the attempt was started in?',
    );
  };

  const runOfRunningAttempt = (attemptId: number, asked: string): number => {
    const attempt = existingAttempt(attemptId);
    if (attempt.status !== 'running') {
      throw new StoreError(
        'ended',
        `attempt ${attemptId} has already ended as "${attempt.status}"; it cannot become "${asked}"`,
        'another process has taken the run over; look at it with: npx towerbench runs',
      );
    }
    return attempt.run_id;
  };

  const saveExperiment = (input: ExperimentInput): number => {
    const time = now();
    const { name, file, dataset, fingerprint, metric, baseVariant } = input;
    const before = sql.experiment.get(name) as { id: number; fingerprint: string } | undefined;
    const { id } = sql.saveExperiment.get({
      name,
      file,
      dataset,
      fingerprint,
      baseVariant,
      now: time,
      metricName: metric.name,
      metricGoal: metric.goal,
      config: JSON.stringify(input.config),
      protocol: JSON.stringify(input.protocol),
      report: JSON.stringify(input.report),
      published: JSON.stringify(input.published),
      seeds: JSON.stringify(input.seeds),
      search: JSON.stringify(input.search ?? null),
    }) as { id: number };
    if (before !== undefined && before.fingerprint !== fingerprint) sql.dropOracle.run(id);
    sql.dropTrialLinks.run(id);
    saveTrials(id, input.trials, input.seeds, 0);
    return id;
  };

  const saveTrials = (
    experimentId: number,
    trials: readonly PlannedTrial[],
    seeds: readonly number[],
    from: number,
  ): void => {
    const time = now();
    for (const [k, trial] of trials.entries()) {
      sql.saveTrial.run(trial.id, JSON.stringify(trial.config), time);
      sql.linkTrial.run(experimentId, from + k, trial.id, trial.variant, JSON.stringify(trial.parameters));
      for (const seed of seeds) sql.saveRun.run(trial.id, seed);
    }
  };

  /** Ends attempts that nobody has ended or renewed meanwhile. */
  const lose = transaction((over: readonly (LeaseHolder & { readonly runId: number })[]) =>
    over.filter(({ attemptId, runId, renewals }) => {
      const isOver = sql.loseAttempt.run({ attemptId, renewals, now: now() }).changes > 0;
      if (isOver) sql.setPending.run(runId);
      return isOver;
    }),
  );

  /** One statement for an experiment and one for a run. */
  const changesTarget = (
    target: Target,
    { ofExperiment, ofRun, value }: { ofExperiment: Statement; ofRun: Statement; value: string | number },
  ): boolean =>
    'experiment' in target
      ? ofExperiment.run(value, target.experiment).changes > 0
      : ofRun.run(value, target.runId).changes > 0;

  return {
    plan: transaction((input: ExperimentInput): readonly RunRow[] => {
      const id = saveExperiment(input);
      sql.retryFailed.run({ id, hasSearch: (input.search ?? null) === null ? 0 : 1 });
      return reader.runs(input.name);
    }),

    extend: transaction((experiment: string, trials: readonly SuggestedTrial[]): readonly RunRow[] => {
      const { id, seeds } = sql.experiment.get(experiment) as { id: number; seeds: string };
      for (const trial of trials) {
        if (trial.number < (sql.countTrials.get(id, trial.variant) as number)) continue;
        saveTrials(id, [trial], parseJson<number[]>(seeds), (sql.lastOrdinal.get(id) as number) + 1);
      }
      const added = new Set(trials.map((trial) => trial.id));
      return reader.runs(experiment).filter(({ trialId }) => added.has(trialId));
    }),

    recover: (isHeld) => {
      const running = sql.runningAttempts.all() as (LeaseHolder & { readonly runId: number })[];
      const over = running.filter((holder) => !isHeld(holder));
      return over.length === 0 ? [] : lose(over); // most of the time there is nothing to write
    },

    claim: transaction((runId, { host, pid, environment, resume }) => {
      const run = sql.pendingRun.get(runId) as
        { trial_id: string; seed: number; config: string; attempts: number } | undefined;
      if (run === undefined) return null;
      const { text, hash } = hashJson(environment);
      const time = now();
      sql.saveEnvironment.run(hash, text);
      const number = run.attempts + 1;
      const resumedAtStep = resume?.step ?? 0;
      const { id } = sql.saveAttempt.get({ runId, number, host, pid, now: time, resumedAtStep, hash }) as {
        id: number;
      };
      if (resume !== undefined) {
        sql.takeSeries.run(id, resume.attemptId);
        sql.takePoints.run({ id, from: resume.attemptId, step: resume.step });
      }
      sql.setRunning.run({ runId, now: time });
      return { runId, attemptId: id, number, trialId: run.trial_id, seed: run.seed, config: parseJson(run.config) };
    }),

    renew: transaction((attemptIds) =>
      attemptIds.map((attemptId): Lease => {
        const { changes } = sql.renew.run(now(), attemptId);
        return {
          attemptId,
          isHeld: changes > 0,
          isStopRequested: (sql.stopRequested.get(attemptId) as number | undefined) === 1,
        };
      }),
    ),

    points: transaction((attemptId, points) => {
      existingAttempt(attemptId);
      const ids = new Map<string, number>();
      const idOf = (series: string): number => {
        const { id } = (sql.series.get(attemptId, series) ?? sql.saveSeries.get(attemptId, series)) as { id: number };
        ids.set(series, id);
        return id;
      };
      const { savePoint, savePoints } = sql;
      for (let from = 0; from < points.length; from += ROWS_AT_ONCE) {
        const some = points.slice(from, from + ROWS_AT_ONCE);
        const values: (number | null)[] = [];
        for (const { series, step, value, time } of some) {
          values.push(ids.get(series) ?? idOf(series), step, toReal(value), Math.round(time));
        }
        if (some.length === ROWS_AT_ONCE) savePoints.run(values);
        else for (let row = 0; row < values.length; row += 4) savePoint.run(values.slice(row, row + 4));
      }
    }),

    log: transaction((attemptId, text) => {
      existingAttempt(attemptId);
      sql.saveLog.run(attemptId, text);
    }),

    progress: transaction((attemptId, progress) => {
      sql.saveProgress.run({ attemptId, ...progress });
    }),

    finish: transaction((attemptId, result) => {
      const runId = runOfRunningAttempt(attemptId, 'finished');
      const time = now();
      sql.endAttempt.run({ id: attemptId, status: 'finished', now: time, error: null });
      sql.finishRun.run({
        runId,
        now: time,
        seconds: result.seconds,
        cpuSeconds: result.cost?.cpuSeconds ?? null,
        peakBytes: result.cost?.peakBytes ?? null,
        parameterCount: result.parameterCount,
        indexBytesPerItem: result.indexBytesPerItem,
        bestStep: result.bestStep,
      });
      for (const [name, value] of Object.entries(result.metrics)) sql.saveMetric.run(runId, name, toReal(value));
      for (const [metric, values] of Object.entries(result.perUser)) {
        sql.savePerUser.run(runId, metric, values.length, packFloats(values));
      }
      for (const { kind, sha256, sizeBytes } of result.artifacts) {
        sql.saveArtifact.run(sha256, sizeBytes);
        sql.linkArtifact.run(runId, kind, sha256);
      }
    }),

    fail: transaction((attemptId, { error, status, retry }) => {
      const runId = runOfRunningAttempt(attemptId, status);
      const time = now();
      sql.endAttempt.run({ id: attemptId, status, now: time, error });
      if (retry) sql.setPending.run(runId);
      else sql.failRun.run({ runId, now: time, error });
    }),

    prune: transaction((attemptId, reason) => {
      const runId = runOfRunningAttempt(attemptId, 'pruned');
      const time = now();
      sql.endAttempt.run({ id: attemptId, status: 'pruned', now: time, error: reason });
      sql.pruneRun.run({ runId, now: time, reason });
    }),

    skip: transaction((runIds, reason) =>
      runIds.reduce((skipped, runId) => skipped + sql.skipRun.run({ runId, now: now(), reason }).changes, 0),
    ),

    requestStop: transaction((target) =>
      changesTarget(target, { ofExperiment: sql.stopExperiment, ofRun: sql.stopRun, value: 1 }),
    ),

    retry: transaction((runId) => sql.retry.run(runId).changes > 0),

    drop: transaction((runIds) => {
      const dropped = runIds.reduce((sum, runId) => sum + sql.dropRun.run(runId).changes, 0);
      sql.dropTrials.run();
      sql.dropArtifacts.run();
      sql.dropEnvironments.run();
      return dropped;
    }),

    note: transaction((target, text) =>
      changesTarget(target, { ofExperiment: sql.noteExperiment, ofRun: sql.noteRun, value: text }),
    ),

    oracle: transaction((experiment, metrics) => {
      const { id } = sql.experiment.get(experiment) as { id: number };
      sql.dropOracle.run(id);
      for (const [metric, value] of Object.entries(metrics)) sql.saveOracle.run(id, metric, toReal(value));
    }),

    together: transaction((body: () => void) => {
      body();
    }),

    close: () => {
      db.close();
    },
  };
}

/** Points that one statement inserts: 64 take two thirds of the time of 64 statements. */
const ROWS_AT_ONCE = 64;

function insertPoints(rows: number): string {
  const places = Array.from({ length: rows }, () => '(?, ?, ?, ?)').join(', ');
  return `INSERT INTO points (series_id, step, value, time) VALUES ${places} ON CONFLICT DO NOTHING`;
}

function prepare(db: Database) {
  return {
    changed: db.prepare('UPDATE changes SET version = version + 1'),
    experiment: db.prepare('SELECT id, fingerprint, seeds FROM experiments WHERE name = ?'),
    saveExperiment: db.prepare(`
      INSERT INTO experiments (name, file, config, dataset, fingerprint, protocol, metric_name, metric_goal, report, published,
                               base_variant, seeds, search, created_at, updated_at)
      VALUES (@name, @file, @config, @dataset, @fingerprint, @protocol, @metricName, @metricGoal, @report, @published,
              @baseVariant, @seeds, @search, @now, @now)
      ON CONFLICT (name) DO UPDATE SET
        file = excluded.file, config = excluded.config, dataset = excluded.dataset, fingerprint = excluded.fingerprint,
        protocol = excluded.protocol, metric_name = excluded.metric_name, metric_goal = excluded.metric_goal,
        report = excluded.report, published = excluded.published, base_variant = excluded.base_variant,
        seeds = excluded.seeds, search = excluded.search, stop_requested = 0, updated_at = excluded.updated_at
      RETURNING id`),
    lastOrdinal: db.prepare('SELECT coalesce(max(ordinal), -1) FROM experiment_trials WHERE experiment_id = ?').pluck(),
    countTrials: db.prepare('SELECT count(*) FROM experiment_trials WHERE experiment_id = ? AND variant = ?').pluck(),
    dropTrialLinks: db.prepare('DELETE FROM experiment_trials WHERE experiment_id = ?'),
    saveTrial: db.prepare('INSERT INTO trials (id, config, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    linkTrial: db.prepare(
      'INSERT INTO experiment_trials (experiment_id, ordinal, trial_id, variant, parameters) VALUES (?, ?, ?, ?, ?)',
    ),
    saveRun: db.prepare('INSERT INTO runs (trial_id, seed) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    retryFailed: db.prepare(`
      UPDATE runs SET status = 'pending', error = NULL
      WHERE (status = 'failed' OR status = 'pruned' AND NOT @hasSearch)
        AND trial_id IN (SELECT trial_id FROM experiment_trials WHERE experiment_id = @id)
        AND seed IN (SELECT value FROM experiments, json_each(experiments.seeds) WHERE experiments.id = @id)`),
    runningAttempts: db.prepare(
      "SELECT id AS attemptId, run_id AS runId, host, pid, renewals FROM attempts WHERE status = 'running'",
    ),
    attempt: db.prepare('SELECT run_id, status FROM attempts WHERE id = ?'),
    pendingRun: db.prepare(`
      SELECT runs.trial_id, runs.seed, trials.config,
             (SELECT coalesce(max(number), 0) FROM attempts WHERE run_id = runs.id) AS attempts
      FROM runs JOIN trials ON trials.id = runs.trial_id
      WHERE runs.id = ? AND runs.status = 'pending'`),
    saveEnvironment: db.prepare('INSERT INTO environments (hash, content) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    saveAttempt: db.prepare(`
      INSERT INTO attempts (run_id, number, host, pid, heartbeat_at, started_at, resumed_at_step, environment_hash)
      VALUES (@runId, @number, @host, @pid, @now, @now, @resumedAtStep, @hash) RETURNING id`),
    takeSeries: db.prepare('INSERT INTO series (attempt_id, name) SELECT ?, name FROM series WHERE attempt_id = ?'),
    takePoints: db.prepare(`
      INSERT INTO points (series_id, step, value, time)
      SELECT new.id, points.step, points.value, points.time
      FROM series AS old
      JOIN series AS new ON new.attempt_id = @id AND new.name = old.name
      JOIN points ON points.series_id = old.id AND points.step <= @step
      WHERE old.attempt_id = @from`),
    endAttempt: db.prepare('UPDATE attempts SET status = @status, ended_at = @now, error = @error WHERE id = @id'),
    loseAttempt: db.prepare(`
      UPDATE attempts SET status = 'lost', ended_at = @now, error = 'its process ended without a word'
      WHERE id = @attemptId AND status = 'running' AND renewals = @renewals`),
    renew: db.prepare(
      "UPDATE attempts SET renewals = renewals + 1, heartbeat_at = ? WHERE id = ? AND status = 'running'",
    ),
    stopRequested: db.prepare('SELECT stop_requested FROM attempts WHERE id = ?').pluck(),
    setRunning: db.prepare(`
      UPDATE runs SET status = 'running', step = 0, total_steps = 0, started_at = @now, ended_at = NULL, error = NULL
      WHERE id = @runId`),
    setPending: db.prepare(
      "UPDATE runs SET status = 'pending', step = 0, total_steps = 0 WHERE id = ? AND status = 'running'",
    ),
    finishRun: db.prepare(`
      UPDATE runs SET status = 'finished', ended_at = @now, seconds = @seconds, cpu_seconds = @cpuSeconds,
                      peak_bytes = @peakBytes, parameter_count = @parameterCount,
                      index_bytes_per_item = @indexBytesPerItem, best_step = @bestStep, error = NULL
      WHERE id = @runId`),
    failRun: db.prepare("UPDATE runs SET status = 'failed', ended_at = @now, error = @error WHERE id = @runId"),
    pruneRun: db.prepare("UPDATE runs SET status = 'pruned', ended_at = @now, error = @reason WHERE id = @runId"),
    skipRun: db.prepare(
      "UPDATE runs SET status = 'pruned', ended_at = @now, error = @reason WHERE id = @runId AND status = 'pending'",
    ),
    retry: db.prepare(
      "UPDATE runs SET status = 'pending', error = NULL WHERE id = ? AND status IN ('failed', 'pruned')",
    ),
    dropRun: db.prepare("DELETE FROM runs WHERE id = ? AND status <> 'running'"),
    dropTrials: db.prepare(`
      DELETE FROM trials
      WHERE id NOT IN (SELECT trial_id FROM runs) AND id NOT IN (SELECT trial_id FROM experiment_trials)`),
    dropArtifacts: db.prepare('DELETE FROM artifacts WHERE sha256 NOT IN (SELECT sha256 FROM run_artifacts)'),
    dropEnvironments: db.prepare('DELETE FROM environments WHERE hash NOT IN (SELECT environment_hash FROM attempts)'),
    stopExperiment: db.prepare(`
      UPDATE experiments SET stop_requested = ?
      WHERE name = ? AND EXISTS (
        SELECT 1 FROM attempts
        JOIN runs ON runs.id = attempts.run_id
        JOIN experiment_trials ON experiment_trials.trial_id = runs.trial_id
        WHERE attempts.status = 'running' AND experiment_trials.experiment_id = experiments.id)`),
    stopRun: db.prepare("UPDATE attempts SET stop_requested = ? WHERE run_id = ? AND status = 'running'"),
    noteExperiment: db.prepare('UPDATE experiments SET notes = ? WHERE name = ?'),
    noteRun: db.prepare('UPDATE runs SET notes = ? WHERE id = ?'),
    saveProgress: db.prepare(`
      UPDATE runs SET step = @step, total_steps = @totalSteps, steps_per_epoch = @stepsPerEpoch, batch_size = @batchSize
      WHERE id = (SELECT run_id FROM attempts WHERE id = @attemptId AND status = 'running')`),
    series: db.prepare('SELECT id FROM series WHERE attempt_id = ? AND name = ?'),
    saveSeries: db.prepare('INSERT INTO series (attempt_id, name) VALUES (?, ?) RETURNING id'),
    savePoint: db.prepare(insertPoints(1)),
    savePoints: db.prepare(insertPoints(ROWS_AT_ONCE)),
    saveLog: db.prepare('INSERT INTO logs (attempt_id, text) VALUES (?, ?)'),
    saveMetric: db.prepare('INSERT INTO run_metrics (run_id, name, value) VALUES (?, ?, ?)'),
    savePerUser: db.prepare('INSERT INTO per_user (run_id, metric, length, content) VALUES (?, ?, ?, ?)'),
    saveArtifact: db.prepare('INSERT INTO artifacts (sha256, size_bytes) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    linkArtifact: db.prepare(
      'INSERT INTO run_artifacts (run_id, kind, sha256) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    dropOracle: db.prepare('DELETE FROM oracles WHERE experiment_id = ?'),
    saveOracle: db.prepare('INSERT INTO oracles (experiment_id, metric, value) VALUES (?, ?, ?)'),
  };
}
