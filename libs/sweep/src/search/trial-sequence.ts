import type { Point, SearchParameter } from '@towerbench/config';
import { createRng } from '@towerbench/engine';
import { meanWorth, type Pruner, type SeedResult } from '../pruning/contract.js';
import type { Observation, SearchMethod } from './contract.js';

/** What is known of the run of a trial with one seed. */
export type SeedOutcome =
  { readonly kind: 'open' } | { readonly kind: 'failed' } | ({ readonly kind: 'finished' } & Omit<SeedResult, 'seed'>);

/** What decides a sequence of trials besides their results. */
export interface SequenceRules {
  readonly method: SearchMethod;
  /** Null where every trial gets all of its seeds. */
  readonly pruner: Pruner | null;
  readonly space: readonly SearchParameter[];
  readonly numTrials: number;
  readonly warmPoints: readonly Point[];
  /** Results of earlier sweeps. */
  readonly prior: readonly Observation[];
  readonly searchSeed: number;
  readonly lag: number;
  /** The search ends when a trial has this mean worth over all of its seeds; null where there is none. */
  readonly targetWorth: number | null;
  /** What a failed trial counts as: the worst worth so far, nothing, or a worth. */
  readonly impute: 'worst' | 'ignore' | number;
  readonly seeds: readonly number[];
}

/** A trial of the sequence, as far as it is. */
export interface SequenceTrial {
  readonly point: Point;
  /** Seeds that are to be run, finished ones among them. */
  readonly seeds: readonly number[];
  /** Seeds that are given up, and why; null where none is. */
  readonly stopped: { readonly seeds: readonly number[]; readonly reason: string } | null;
  /** In the order of the seeds. */
  readonly results: readonly SeedResult[];
  readonly isComplete: boolean;
  readonly hasFailed: boolean;
}

/** Whether results decide anything: which trials there are, or which seeds of them run. */
export function isAdaptive({
  method,
  pruner,
  targetWorth,
}: Pick<SequenceRules, 'method' | 'pruner' | 'targetWorth'>): boolean {
  return method.usesResults || pruner !== null || targetWorth !== null;
}

/**
 * The trials of one variant that are there by now, in order.
 *
 * Trial k is suggested, and every decision on its seeds taken, from the results of trials 0 to k − 1 − lag, when these are complete, and of no
 * others. So the sequence follows from the rules and the results of each trial alone: the order in which they come, and how many run at
 * once, change nothing.
 *
 * @param known points that were suggested before; they stay, also when a failed run of an earlier trial has been done again since
 * @param outcomeOf of the trial at a point with a seed
 */
export function trialSequence(
  rules: SequenceRules,
  known: readonly Point[],
  outcomeOf: (point: Point, seed: number) => SeedOutcome,
): readonly SequenceTrial[] {
  const { method, numTrials, lag, targetWorth } = rules;
  const looksBack = method.usesResults || targetWorth !== null;
  const trials: SequenceTrial[] = [];
  for (let number = 0; number < numTrials; number++) {
    const visible = trials.slice(0, Math.max(0, number - lag));
    const isSettled = visible.every(({ isComplete }) => isComplete);
    let point = known[number];
    if (point === undefined) {
      if (looksBack && (!isSettled || visible.some((trial) => reaches(trial, rules)))) break;
      point =
        suggestion(
          trials.map((trial) => trial.point),
          visible,
          rules,
        ) ?? undefined;
      if (point === undefined) break;
    }
    trials.push(isSettled || !isAdaptive(rules) ? progress(point, visible, rules, outcomeOf) : waiting(point));
  }
  return trials;
}

function reaches({ hasFailed, stopped, results }: SequenceTrial, { targetWorth }: SequenceRules): boolean {
  return targetWorth !== null && !hasFailed && stopped === null && meanWorth(results) >= targetWorth;
}

/** The point of the trial after those at `before`, the first of which it may look at and are complete; null when there are no more. */
export function suggestion(
  before: readonly Point[],
  visible: readonly SequenceTrial[],
  rules: Pick<SequenceRules, 'method' | 'space' | 'warmPoints' | 'searchSeed' | 'prior' | 'impute'>,
): Point | null {
  const { method, space, warmPoints, searchSeed, prior } = rules;
  const number = before.length;
  const warm = warmPoints[number];
  if (warm !== undefined) return warm;
  return method.suggest({
    space,
    number: number - warmPoints.length,
    pending: before.slice(visible.length),
    observations: [...prior, ...observations(visible, rules)],
    seed: `${searchSeed}/${method.name}`,
    rng: createRng(searchSeed).fork(method.name).fork(`trial${number}`),
  });
}

/** What complete trials have shown; one that failed as the rules say. */
function observations(
  visible: readonly SequenceTrial[],
  { impute, prior }: Pick<SequenceRules, 'impute' | 'prior'>,
): Observation[] {
  const worths = visible.flatMap(({ hasFailed, results }) => (hasFailed ? [] : meanWorth(results)));
  const worst = Math.min(...worths, ...prior.map(({ worth }) => worth));
  return visible.flatMap(({ point, hasFailed, results }): Observation[] => {
    if (!hasFailed) return [{ point, worth: meanWorth(results) }];
    if (impute === 'ignore' || (impute === 'worst' && worst === Infinity)) return [];
    return [{ point, worth: impute === 'worst' ? worst : impute }];
  });
}

/** A trial that must not begin before earlier ones are complete. */
function waiting(point: Point): SequenceTrial {
  return { point, seeds: [], stopped: null, results: [], isComplete: false, hasFailed: false };
}

/** All seeds at once; under a pruner one after the other, as long as it lets the trial go on. */
function progress(
  point: Point,
  visible: readonly SequenceTrial[],
  { pruner, seeds }: SequenceRules,
  outcomeOf: (point: Point, seed: number) => SeedOutcome,
): SequenceTrial {
  const earlier = visible.map(({ results }) => results);
  const results: SeedResult[] = [];
  const run: number[] = [];
  let isComplete = true;
  let hasFailed = false;
  let reason: string | null = null;
  for (const seed of seeds) {
    if (pruner !== null && results.length > 0) reason = pruner.reasonToStop(results, earlier);
    if (pruner !== null && hasFailed) reason = 'a seed before it failed';
    if (reason !== null) break;
    run.push(seed);
    const outcome = outcomeOf(point, seed);
    if (outcome.kind === 'finished') results.push({ seed, worth: outcome.worth, userWorths: outcome.userWorths });
    if (outcome.kind === 'failed') hasFailed = true;
    if (outcome.kind === 'open') isComplete = false;
    if (!isComplete && pruner !== null) break;
  }
  const stopped = reason === null ? null : { seeds: seeds.slice(run.length), reason };
  return { point, seeds: run, stopped, results, isComplete, hasFailed };
}
