import { mean, sampleStd, seedsToDetect } from '@towerbench/metrics';
import type { SweepPlan } from '@towerbench/sweep';
import type { RunRow } from '@towerbench/tracking';
import { inputError, withReaderOfAny, type Context } from '../context.js';
import { duration, parametersText, plural, textTable } from '../text.js';
import { jobsOf, planFile, type SweepOptions } from './sweep.js';

/** Finished runs of the plan's trials and seeds; none where there is no store yet. */
export function finishedRuns(context: Context, { input }: SweepPlan): RunRow[] {
  const planned = new Set(input.trials.map(({ id }) => id));
  const found = new Map<number, RunRow>();
  withReaderOfAny(context, (reader) => {
    for (const { name } of reader.experiments()) {
      for (const run of reader.runs(name)) {
        if (run.status === 'finished' && planned.has(run.trialId)) found.set(run.id, run);
      }
    }
  });
  return [...found.values()].filter(({ seed }) => input.seeds.includes(seed));
}

type PlanLine = { readonly variant: string; readonly done: readonly RunRow[] };

export type PlanOptions = SweepOptions & { readonly detect?: string };

/** `towerbench plan` */
export async function plan(context: Context, options: PlanOptions): Promise<void> {
  const difference = options.detect === undefined ? null : detectableDifference(options.detect);
  const jobs = jobsOf(options);
  const { sweep, stored } = await planFile(context, options);
  const { input, auto } = sweep;
  const finished = finishedRuns(context, sweep);
  const lines = input.trials.map(({ id, variant, parameters }) => {
    const done = finished.filter((run) => run.trialId === id);
    return {
      id,
      variant,
      parameters,
      done,
      left: input.seeds.length - done.length,
      seconds: meanOrNull(done.map(({ seconds }) => seconds ?? 0)),
    };
  });
  const known = lines.flatMap(({ seconds }) => (seconds === null ? [] : [seconds]));
  const each = meanOrNull(known);
  const done = lines.reduce((sum, line) => sum + line.done.length, 0);
  const open = sweep.search === null ? 0 : sweep.mostRuns - lines.length * input.seeds.length; // of trials to be suggested
  const left = lines.reduce((sum, line) => sum + line.left, 0) + open;
  const work = lines.reduce((sum, line) => sum + line.left * (line.seconds ?? each ?? 0), open * (each ?? 0));

  const hasParameters = lines.some(({ parameters }) => Object.keys(parameters).length > 0);
  const table = textTable(
    ['variant', ...(hasParameters ? ['parameters'] : []), 'trial', 'runs', 'done', 'to run', 'seconds each'],
    lines.map(({ id, variant, parameters, done, left: toRun, seconds }) => [
      variant,
      ...(hasParameters ? [parametersText(parameters)] : []),
      id.slice(0, 8),
      String(input.seeds.length),
      String(done.length),
      String(toRun),
      seconds === null ? 'unknown' : seconds.toFixed(1),
    ]),
    hasParameters ? [3, 4, 5, 6] : [2, 3, 4, 5],
  );
  const total = sweep.search === null ? lines.length * input.seeds.length : sweep.mostRuns;
  process.stdout.write(
    `${input.name}: ${plural(total, 'run')} on ${input.dataset}, ${done} done, ${left} to run, ` +
      `${left === 0 ? 'nothing to wait for' : each === null ? 'time unknown until a run is done' : `about ${duration(work / jobs)} on ${plural(jobs, 'job')}`}\n` +
      (auto === null
        ? ''
        : `engine auto is ${auto.engine}, ${stored.auto === null ? 'not stored yet, the sweep decides anew' : 'as stored'}: ${auto.reason}\n`) +
      (sweep.search === null ? '' : `${searchText(sweep, jobs)}\n`) +
      `\n${table}\n`,
  );
  if (difference !== null)
    process.stdout.write(`\n${detection({ difference, metric: input.metric.name, base: input.baseVariant }, lines)}\n`);
}

/** How the trials come about that are not listed yet, and which processes have nothing to do. */
function searchText({ input, settings, search, mostRuns }: SweepPlan, jobs: number): string {
  const { method, seed, lag, target, earlyTerminate, timeCapSeconds } = settings;
  const numTrials = mostRuns / input.seeds.length;
  const atOnce = search?.mostAtOnce ?? Infinity;
  return [
    `search ${method}, seed ${seed}: at most ${plural(numTrials, 'trial')}, ${input.trials.length} known by now; ` +
      `trial k follows from the results of trials 0 to k - ${lag + 1} of its variant (search_lag: ${lag}), whatever --jobs is`,
    ...(earlyTerminate === null
      ? []
      : [`early_terminate ${earlyTerminate.type}: seeds of a trial run one after the other, while it is worth it`]),
    ...(target === null ? [] : [`target: no more trials once one has ${input.metric.name} ${target} over all seeds`]),
    ...(timeCapSeconds === null
      ? []
      : [`time_cap: no run begins later than ${duration(timeCapSeconds)} after the start`]),
    ...(jobs > atOnce
      ? [
          `${plural(atOnce, 'run')} at once are possible, so ${jobs - atOnce} of ${jobs} jobs wait; raise search_lag to use them`,
        ]
      : []),
  ].join('\n');
}

function detectableDifference(text: string): number {
  const difference = Number(text);
  if (difference > 0 && Number.isFinite(difference)) return difference;
  throw inputError('--detect', `received "${text}"`, { allowed: 'a difference above 0, e.g. 0.005' });
}

/**
 * Seeds that show a difference to the base. What counts is how much the difference varies over seeds, so the spread is that of the paired
 * differences where two seeds were finished by both; else that of the variant itself, which is larger where seeds move both alike.
 */
function detection(
  { difference, metric, base }: { readonly difference: number; readonly metric: string; readonly base: string },
  lines: readonly PlanLine[],
): string {
  const baseLine = mostDone(lines.filter(({ variant }) => variant === base));
  let isUnpaired = false;
  const spreads = [...new Set(lines.map(({ variant }) => variant))].flatMap((variant) => {
    const { done } = mostDone(lines.filter((line) => line.variant === variant)) as PlanLine;
    const pairs = variant === base ? [] : done.flatMap((run) => {
      const other = baseLine?.done.find(({ seed }) => seed === run.seed)?.metrics[metric];
      const own = run.metrics[metric];
      return own === undefined || other === undefined ? [] : [own - other];
    }); // prettier-ignore
    const isPaired = pairs.length >= 2;
    const values = isPaired ? pairs : done.flatMap(({ metrics }) => metrics[metric] ?? []);
    const std = sampleStd(values);
    if (std === null) return [];
    isUnpaired ||= !isPaired;
    const spread = isPaired ? `difference to ${base}` : 'variant alone';
    return [[variant, spread, String(values.length), std.toFixed(5), String(seedsToDetect({ std, difference }))]];
  });
  if (spreads.length === 0) return 'seeds needed: unknown, because no variant has two finished runs yet';
  return (
    `seeds needed to see a difference of ${difference} in ${metric} (paired t, two-sided 5 % level, power 80 %):\n` +
    textTable(['variant', 'spread of', 'seen', 'std over seeds', 'seeds'], spreads, [2, 3, 4]) +
    (isUnpaired
      ? `\nvariant alone: no two seeds were finished by both sides, so this is what the seeds of one side need; pairs with ${base} mostly need fewer.`
      : '')
  );
}

/** Of the trials of a variant the one with most finished runs, which knows its spread best. */
function mostDone(lines: readonly PlanLine[]): PlanLine | undefined {
  return lines.reduce<PlanLine | undefined>((most, line) => (line.done.length > (most?.done.length ?? -1) ? line : most), undefined); // prettier-ignore
}

function meanOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : mean(values);
}
