import type { Database } from 'better-sqlite3';
import type { ExperimentInput, RunRow, StoreWriter } from './contract.js';
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
    }) as { id: number };
    if (before !== undefined && before.fingerprint !== fingerprint) sql.dropOracle.run(id);
    sql.dropTrialLinks.run(id);
    for (const [ordinal, trial] of input.trials.entries()) {
      sql.saveTrial.run(trial.id, JSON.stringify(trial.config), time);
      sql.linkTrial.run(id, ordinal, trial.id, trial.variant, JSON.stringify(trial.parameters));
      for (const seed of input.seeds) sql.saveRun.run(trial.id, seed);
    }
    return id;
  };

  return {
    plan: transaction((input: ExperimentInput): readonly RunRow[] => {
      const id = saveExperiment(input);
      sql.retryFailed.run({ id });
      return reader.runs(input.name);
    }),

    recover: transaction((isAlive) => {
      const running = sql.runningAttempts.all() as { id: number; run_id: number; pid: number }[];
      const lost = running.filter(({ pid }) => !isAlive(pid));
      for (const { id, run_id } of lost) {
        sql.endAttempt.run({ id, status: 'lost', now: now(), error: 'its process ended without a word' });
        sql.setPending.run(run_id);
      }
      return lost.length;
    }),

    claim: transaction((runId, { pid, environment }) => {
      const run = sql.pendingRun.get(runId) as
        { trial_id: string; seed: number; config: string; attempts: number } | undefined;
      if (run === undefined) return null;
      const { text, hash } = hashJson(environment);
      const time = now();
      sql.saveEnvironment.run(hash, text);
      const number = run.attempts + 1;
      const { id } = sql.saveAttempt.get({ runId, number, pid, now: time, hash }) as { id: number };
      sql.setRunning.run({ runId, now: time });
      return { runId, attemptId: id, number, trialId: run.trial_id, seed: run.seed, config: parseJson(run.config) };
    }),

    points: transaction((attemptId, points) => {
      existingAttempt(attemptId);
      for (const { series, step, value, time } of points) {
        const { id } = (sql.series.get(attemptId, series) ?? sql.saveSeries.get(attemptId, series)) as { id: number };
        sql.savePoint.run(id, step, toReal(value), Math.round(time));
      }
    }),

    log: transaction((attemptId, text) => {
      existingAttempt(attemptId);
      sql.saveLog.run(attemptId, text);
    }),

    progress: transaction((attemptId, { step, totalSteps }) => {
      sql.heartbeat.run(now(), attemptId);
      sql.saveProgress.run({ attemptId, step, totalSteps });
    }),

    finish: transaction((attemptId, result) => {
      const runId = runOfRunningAttempt(attemptId, 'finished');
      const time = now();
      sql.endAttempt.run({ id: attemptId, status: 'finished', now: time, error: null });
      sql.finishRun.run({
        runId,
        now: time,
        seconds: result.seconds,
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

    oracle: transaction((experiment, metrics) => {
      const { id } = sql.experiment.get(experiment) as { id: number };
      sql.dropOracle.run(id);
      for (const [metric, value] of Object.entries(metrics)) sql.saveOracle.run(id, metric, toReal(value));
    }),

    close: () => {
      db.close();
    },
  };
}

function prepare(db: Database) {
  return {
    changed: db.prepare('UPDATE changes SET version = version + 1'),
    experiment: db.prepare('SELECT id, fingerprint FROM experiments WHERE name = ?'),
    saveExperiment: db.prepare(`
      INSERT INTO experiments (name, file, config, dataset, fingerprint, protocol, metric_name, metric_goal, report, published,
                               base_variant, seeds, created_at, updated_at)
      VALUES (@name, @file, @config, @dataset, @fingerprint, @protocol, @metricName, @metricGoal, @report, @published,
              @baseVariant, @seeds, @now, @now)
      ON CONFLICT (name) DO UPDATE SET
        file = excluded.file, config = excluded.config, dataset = excluded.dataset, fingerprint = excluded.fingerprint,
        protocol = excluded.protocol, metric_name = excluded.metric_name, metric_goal = excluded.metric_goal,
        report = excluded.report, published = excluded.published, base_variant = excluded.base_variant,
        seeds = excluded.seeds, updated_at = excluded.updated_at
      RETURNING id`),
    dropTrialLinks: db.prepare('DELETE FROM experiment_trials WHERE experiment_id = ?'),
    saveTrial: db.prepare('INSERT INTO trials (id, config, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    linkTrial: db.prepare(
      'INSERT INTO experiment_trials (experiment_id, ordinal, trial_id, variant, parameters) VALUES (?, ?, ?, ?, ?)',
    ),
    saveRun: db.prepare('INSERT INTO runs (trial_id, seed) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    retryFailed: db.prepare(`
      UPDATE runs SET status = 'pending', error = NULL
      WHERE status = 'failed'
        AND trial_id IN (SELECT trial_id FROM experiment_trials WHERE experiment_id = @id)
        AND seed IN (SELECT value FROM experiments, json_each(experiments.seeds) WHERE experiments.id = @id)`),
    runningAttempts: db.prepare("SELECT id, run_id, pid FROM attempts WHERE status = 'running'"),
    attempt: db.prepare('SELECT run_id, status FROM attempts WHERE id = ?'),
    pendingRun: db.prepare(`
      SELECT runs.trial_id, runs.seed, trials.config,
             (SELECT coalesce(max(number), 0) FROM attempts WHERE run_id = runs.id) AS attempts
      FROM runs JOIN trials ON trials.id = runs.trial_id
      WHERE runs.id = ? AND runs.status = 'pending'`),
    saveEnvironment: db.prepare('INSERT INTO environments (hash, content) VALUES (?, ?) ON CONFLICT DO NOTHING'),
    saveAttempt: db.prepare(`
      INSERT INTO attempts (run_id, number, pid, heartbeat_at, started_at, environment_hash)
      VALUES (@runId, @number, @pid, @now, @now, @hash) RETURNING id`),
    endAttempt: db.prepare('UPDATE attempts SET status = @status, ended_at = @now, error = @error WHERE id = @id'),
    heartbeat: db.prepare('UPDATE attempts SET heartbeat_at = ? WHERE id = ?'),
    setRunning: db.prepare(`
      UPDATE runs SET status = 'running', step = 0, total_steps = 0, started_at = @now, ended_at = NULL, error = NULL
      WHERE id = @runId`),
    setPending: db.prepare(
      "UPDATE runs SET status = 'pending', step = 0, total_steps = 0 WHERE id = ? AND status = 'running'",
    ),
    finishRun: db.prepare(`
      UPDATE runs SET status = 'finished', step = total_steps, ended_at = @now, seconds = @seconds, parameter_count = @parameterCount,
                      index_bytes_per_item = @indexBytesPerItem, best_step = @bestStep, error = NULL
      WHERE id = @runId`),
    failRun: db.prepare("UPDATE runs SET status = 'failed', ended_at = @now, error = @error WHERE id = @runId"),
    saveProgress: db.prepare(`
      UPDATE runs SET step = @step, total_steps = @totalSteps
      WHERE id = (SELECT run_id FROM attempts WHERE id = @attemptId AND status = 'running')`),
    series: db.prepare('SELECT id FROM series WHERE attempt_id = ? AND name = ?'),
    saveSeries: db.prepare('INSERT INTO series (attempt_id, name) VALUES (?, ?) RETURNING id'),
    savePoint: db.prepare(
      'INSERT INTO points (series_id, step, value, time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ),
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
