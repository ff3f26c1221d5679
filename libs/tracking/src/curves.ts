import type { Database, Statement } from 'better-sqlite3';
import type { CurvePoint, CurveSample, CurveWindow, MeanPoint } from './contract.js';

/** The greatest and the smallest positive finite double. */
const [GREATEST, SMALLEST] = [Number.MAX_VALUE, Number.MIN_VALUE];

interface Extent {
  readonly low: number | null;
  readonly high: number | null;
  readonly points: number;
  readonly finite: number;
  readonly not_positive: number;
}

/** Mean curves that are kept as long as the store stays as it is, so that zooming and smoothing do not read 100,000 points of each run again. */
const MAX_MEANS = 4;

/** Questions about whole curves that SQL answers, so that few rows leave the database. */
export function createCurves(db: Database) {
  const sql = prepare(db);
  let means = { version: -1, kept: new Map<string, readonly MeanPoint[]>() };

  return {
    sampleCurve(runId: number, series: string, window: CurveWindow): CurveSample {
      const id = sql.series.get(runId, series) as number | undefined;
      const origin = (sql.origin.get(runId) as number | undefined) ?? 0;
      const { x, isLog, onlyPositive, numBuckets } = window;
      const from = window.from ?? -GREATEST;
      const to = window.to ?? GREATEST;
      const range = { id, origin, from: isLog ? Math.max(from, SMALLEST) : from, to };
      const extent = sql.extent[x].get(range) as Extent;
      const { low, high, points, finite, not_positive: notPositive } = extent;
      const counts = {
        numPoints: onlyPositive ? finite - notPositive : finite,
        notFinite: points - finite,
        notPositive,
      };
      if (low === null || high === null) return { points: [], ...counts };
      const least = onlyPositive ? SMALLEST : -GREATEST;
      const rows =
        counts.numPoints <= 2 * numBuckets
          ? sql.whole[x].all({ ...range, least })
          : (isLog ? sql.logBuckets : sql.buckets)[x].all({ ...range, least, low, high, numBuckets });
      return { points: rows as CurvePoint[], ...counts };
    },

    curveOrigin: (runId: number): number | null => (sql.origin.get(runId) as number | null | undefined) ?? null,

    meanCurve(runIds: readonly number[], series: string): readonly MeanPoint[] {
      const version = sql.version.get() as number;
      if (version !== means.version || means.kept.size === MAX_MEANS) means = { version, kept: new Map() };
      const key = JSON.stringify([runIds, series]);
      const points = means.kept.get(key) ?? (sql.means.all({ runs: JSON.stringify(runIds), series }) as MeanPoint[]);
      means.kept.set(key, points);
      return points;
    },

    countNotFinite: (runIds: readonly number[], series: string): number =>
      sql.notFinite.get({ runs: JSON.stringify(runIds), series }) as number,

    lastMean: (runIds: readonly number[], series: string): MeanPoint | null =>
      (sql.lastMean.get({ runs: JSON.stringify(runIds), series }) as MeanPoint | undefined) ?? null,
  };
}

const X = { step: 'step', time: '(time - @origin)' } as const;
const FINITE = `value BETWEEN -${GREATEST} AND ${GREATEST}`;
/** The series of the newest attempt of each run. */
const SERIES_OF_RUNS = `
  SELECT series.id, ${originOf('attempts.run_id')} AS origin
  FROM json_each(@runs) AS run
  JOIN attempts ON attempts.id = (SELECT id FROM attempts WHERE run_id = run.value ORDER BY number DESC LIMIT 1)
  JOIN series ON series.attempt_id = attempts.id AND series.name = @series`;
/** Two passes, because the sum of squares less the square of the sum loses the digits that matter. */
const MEANS = `
  means AS MATERIALIZED (
    SELECT step, count(*) AS n, avg(value) AS mean, min(value) AS min, max(value) AS max, avg(time - origin) AS time
    FROM chosen JOIN points ON points.series_id = chosen.id WHERE ${FINITE} GROUP BY step)
  SELECT means.step, means.time, mean, min, max, n,
         CASE WHEN n < 2 THEN NULL ELSE sqrt(sum((value - mean) * (value - mean)) / (n - 1)) END AS std
  FROM means JOIN chosen JOIN points ON points.series_id = chosen.id AND points.step = means.step
  WHERE ${FINITE} GROUP BY means.step ORDER BY means.step`;

/** When the attempt began whose points the newest one goes on from. */
function originOf(run: string): string {
  return `(SELECT started_at FROM attempts AS first WHERE first.run_id = ${run} AND resumed_at_step = 0 ORDER BY number DESC LIMIT 1)`;
}

function prepare(db: Database) {
  const forEachX = (text: (x: string) => string): Readonly<Record<keyof typeof X, Statement>> => ({
    step: db.prepare(text(X.step)),
    time: db.prepare(text(X.time)),
  });
  const inWindow = (x: string) => `series_id = @id AND ${x} BETWEEN @from AND @to`;
  /** Of each bucket the smallest and the greatest value with their steps; SQLite takes other columns from the row that min or max has found. */
  const bucketed = (x: string, place: string) => {
    const bucket = `min(@numBuckets - 1, CAST(@numBuckets * (${place}) AS INTEGER))`;
    const one = (aggregate: string) => `
      SELECT step, ${aggregate}(value) AS value, time FROM points
      WHERE ${inWindow(x)} AND value BETWEEN @least AND ${GREATEST} GROUP BY ${bucket}`;
    return `${one('min')} UNION ${one('max')} ORDER BY step`;
  };
  const chosen = `WITH chosen AS MATERIALIZED (${SERIES_OF_RUNS})`;
  return {
    version: db.prepare('SELECT version FROM changes').pluck(),
    series: db
      .prepare(
        `SELECT id FROM series
         WHERE attempt_id = (SELECT id FROM attempts WHERE run_id = ? ORDER BY number DESC LIMIT 1) AND name = ?`,
      )
      .pluck(),
    origin: db.prepare(`SELECT ${originOf('?')}`).pluck(),
    extent: forEachX(
      (x) => `
      SELECT min(${x}) AS low, max(${x}) AS high, count(*) AS points, coalesce(sum(${FINITE}), 0) AS finite,
             coalesce(sum(${FINITE} AND value <= 0), 0) AS not_positive
      FROM points WHERE ${inWindow(x)}`,
    ),
    whole: forEachX(
      (x) => `
      SELECT step, value, time FROM points
      WHERE ${inWindow(x)} AND value BETWEEN @least AND ${GREATEST} ORDER BY step`,
    ),
    buckets: forEachX((x) => bucketed(x, `(${x} - @low) * 1.0 / max(1, @high - @low)`)),
    logBuckets: forEachX((x) => bucketed(x, `ln(${x} * 1.0 / @low) / max(1e-9, ln(@high * 1.0 / @low))`)),
    means: db.prepare(`${chosen}, ${MEANS}`),
    notFinite: db
      .prepare(
        `${chosen} SELECT count(*) FROM chosen JOIN points ON points.series_id = chosen.id WHERE (${FINITE}) IS NOT 1`,
      )
      .pluck(),
    lastMean: db.prepare(
      `${chosen}, last AS (SELECT max((SELECT max(step) FROM points WHERE series_id = chosen.id)) AS step FROM chosen),
       rows AS (SELECT value, time - origin AS time, points.step FROM chosen JOIN last JOIN points ON series_id = chosen.id AND points.step = last.step
                WHERE ${FINITE}),
       mean AS (SELECT step, avg(time) AS time, avg(value) AS mean, min(value) AS min, max(value) AS max, count(*) AS n FROM rows)
       SELECT mean.*, CASE WHEN n < 2 THEN NULL ELSE (SELECT sqrt(sum((value - mean) * (value - mean)) / (n - 1)) FROM rows) END AS std
       FROM mean WHERE n > 0`,
    ),
  };
}
