import type { StoreReader, StoreWriter } from '@towerbench/tracking';
import { addTrials } from '../experiment-description.js';
import { readPlan, readRows, readUserValues, type StudyRow } from './folder.js';

/** Host of attempts that are imported: no worker's, so that no sweep takes one for its own. */
const HOST = 'study';

/**
 * Restores the runs of a study's folder into the store: same trials, seeds, metrics and values by user, without checkpoints and curves. Runs that
 * the store has already stay as they are, and a sweep of the study's file does what is missing. Rows of trials or seeds that the plan does not have are left
 * out, and counted as `unplanned`.
 *
 * @throws {ConfigError} when the store has an experiment of the name that was measured on something else, or the folder is damaged
 */
export function importStudy({
  writer,
  reader,
  folder,
  setTime,
}: {
  readonly writer: StoreWriter;
  readonly reader: StoreReader;
  readonly folder: string;
  /** Sets the clock of the writer, so that attempts begin and end when they did; null is the time of day. */
  readonly setTime: (milliseconds: number | null) => void;
}): { readonly name: string; readonly imported: number; readonly alreadyThere: number; readonly unplanned: number } {
  const plan = readPlan(folder);
  const rows = readRows(folder);
  const { name } = plan.experiment;
  addTrials(
    { writer, reader },
    { description: plan.experiment, trials: plan.trials, seeds: plan.seeds, path: 'study' },
  );
  const runs = new Map(reader.runs(name).map((run) => [`${run.trialId}/${run.seed}`, run]));
  let imported = 0;
  let alreadyThere = 0;
  for (const row of rows) {
    const run = runs.get(`${row.trial}/${row.seed}`);
    if (run === undefined) continue; // variants that are one trial share its runs
    runs.delete(`${row.trial}/${row.seed}`);
    const isWanted = run.status === 'pending' || (run.status !== 'running' && run.status !== 'finished' && writer.retry(run.id)); // prettier-ignore
    if (!isWanted) {
      alreadyThere++;
      continue;
    }
    setTime(row.startedAt);
    const claim = writer.claim(run.id, { host: HOST, pid: process.pid, environment: environmentOf(row) });
    setTime(row.endedAt);
    if (claim !== null) writer.finish(claim.attemptId, resultOf(folder, row));
    setTime(null);
    imported++;
  }
  const planned = new Set(plan.trials.map(({ id }) => id));
  const unplanned = rows.filter(({ trial, seed }) => !planned.has(trial) || !plan.seeds.includes(seed)).length;
  return { name, imported, alreadyThere, unplanned };
}

function environmentOf({ commit, changed, engine, packages, machine, fingerprint }: StudyRow) {
  const diff = changed ? 'the working copy differed; what differed is not kept in the study' : null;
  return { source: { commit, diff, diffSha256: null }, engine, packages, machine, fingerprint, imported: 'study' };
}

function resultOf(folder: string, row: StudyRow): Parameters<StoreWriter['finish']>[1] {
  const { cpuSeconds, peakBytes, parameterCount, indexBytesPerItem, seconds, bestStep } = row;
  return {
    metrics: Object.fromEntries(Object.entries(row.metrics).map(([name, value]) => [name, value ?? NaN])),
    perUser: readUserValues(folder, row),
    ...{ parameterCount, indexBytesPerItem, seconds, bestStep: bestStep ?? 0 },
    cost: cpuSeconds === null || peakBytes === null ? null : { cpuSeconds, peakBytes },
    artifacts: [],
  };
}
