import {
  timeLeft,
  type ExperimentRow,
  type RunningAttempt,
  type RunRow,
  type RunStatus,
  type StoreReader,
} from '@towerbench/tracking';
import type { ExperimentProgress } from '../contract/payloads.js';
import { RequestProblem } from './problem.js';

/** Failed runs that are told with their logs. */
const MAX_FAILED = 10;
/** Characters of a failed run's log. */
const LOG_TAIL = 4096;
/** Leases are renewed every two seconds; a process that was not heard of for longer seems to be gone. */
const SILENT_MS = 15_000;

/**
 * How far the sweep of an experiment is at the time `now`, in milliseconds since the epoch. What a process has left behind counts as
 * waiting: the next sweep takes it over.
 */
export function experimentProgress(reader: StoreReader, name: string, now: number): ExperimentProgress {
  const experiment = reader.experiment(name);
  if (experiment === null) throw new RequestProblem('not-found', `the store has no experiment "${name}"`);
  const byId = new Map(reader.runs(name, []).map((run) => [run.id, run])); // variants may share a run
  const runs = [...byId.values()];
  const ofStatus = (status: RunStatus) => runs.filter((run) => run.status === status);
  const trials = reader.trials(name);
  const parameters = new Map(trials.map((trial) => [trial.id, trial.parameters]));
  const listed = ({ id, variant, seed, trialId }: RunRow) => ({ id, variant, seed, parameters: parameters.get(trialId) ?? {} }); // prettier-ignore
  const open = new Set([...ofStatus('pending'), ...ofStatus('running')].map(({ trialId }) => trialId));
  const most = open.size === 0 ? null : budget(experiment);

  const attempts = reader.runningAttempts(name).flatMap((attempt) => {
    const run = byId.get(attempt.runId);
    return run === undefined ? [] : { ...attempt, run, seconds: Math.max(0, now - attempt.startedAt) / 1000 };
  });
  const isAlive = ({ aliveAt }: RunningAttempt) => now - aliveAt < SILENT_MS;
  const alive = attempts.filter(isAlive);
  const { finished, failed, pruned } = experiment.counts;
  const left = timeLeft({
    finished: ofStatus('finished').map(secondsOf),
    running: alive.map(({ run: { step, totalSteps }, seconds, resumedAtStep }) => {
      const shareOf = (steps: number) => (totalSteps === 0 ? 0 : steps / totalSteps);
      return { seconds, share: shareOf(step), begunAt: shareOf(resumedAtStep) };
    }),
    waiting: (most?.runs ?? runs.length) - finished - failed - pruned - alive.length,
    jobs: alive.length,
  });
  return {
    runs: experiment.counts,
    trials: { known: parameters.size, done: parameters.size - open.size },
    most,
    secondsLeft: alive.length === 0 ? null : (left?.ofSweep ?? null),
    running: attempts.map((attempt) => ({
      ...listed(attempt.run),
      ...{ status: attempt.run.status, step: attempt.run.step, totalSteps: attempt.run.totalSteps },
      seconds: attempt.seconds,
      secondsLeft: left?.ofRuns[alive.indexOf(attempt)] ?? null,
      silentSeconds: isAlive(attempt) ? null : (now - attempt.aliveAt) / 1000,
    })),
    failed: ofStatus('failed')
      .sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))
      .slice(0, MAX_FAILED)
      .map((run) => ({ ...listed(run), endedAt: run.endedAt, error: run.error, log: reader.logTail(run.id, LOG_TAIL) })), // prettier-ignore
  };
}

/** The runs that the budget of a search allows, as they were counted when it was planned; null where all are known, or were not counted. */
function budget({ config, search, seeds }: ExperimentRow): ExperimentProgress['most'] {
  const { mostRuns } = config as { readonly mostRuns?: unknown };
  if (search === null || typeof mostRuns !== 'number') return null;
  return { runs: mostRuns, trials: mostRuns / seeds.length };
}

/** What a finished run has taken: all of its training, and of its last attempt what came after as well. */
function secondsOf({ seconds, startedAt, endedAt }: RunRow): number {
  return Math.max(seconds ?? 0, startedAt === null || endedAt === null ? 0 : (endedAt - startedAt) / 1000);
}
