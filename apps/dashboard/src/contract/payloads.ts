import type { Importance } from '@towerbench/metrics';
import type { ExperimentReport } from '@towerbench/report';
import type { ArtifactRef, AttemptRow, Json, RunGroup, RunRow, RunStatus } from '@towerbench/tracking';

export type { Importance } from '@towerbench/metrics';
export type { RunDiff, SliceFamily, SliceReport, SliceRow, Slices } from '@towerbench/report';
export type { ExperimentReport, MetricSummary, ReportGroup, Versus } from '@towerbench/report';
export type { ArtifactRef, AttemptRow, Json, RunRow, RunStatus } from '@towerbench/tracking';

/** What the server sees at the store's path. `version` grows with every write; 0 without a store. */
export interface StoreState {
  readonly state: 'ready' | 'empty' | 'missing' | 'unreadable';
  readonly version: number;
  readonly path: string;
  /** Why it cannot be read, when it cannot. */
  readonly problem: string | null;
  /** The command line that sweeps into it; ` --config FILE` is to be added. */
  readonly sweepCommand: string;
}

/** One line of the list of experiments. */
export interface ExperimentSummary {
  readonly name: string;
  readonly dataset: string;
  readonly seeds: number;
  readonly variants: number;
  readonly counts: Readonly<Record<RunStatus, number>>;
  readonly metric: ExperimentReport['metric'];
  /** The row of the report with the best mean of the objective metric; null before the first finished run. */
  readonly best: { readonly variant: string; readonly mean: number; readonly n: number } | null;
  /** When it was last planned, in milliseconds since the epoch. */
  readonly plannedAt: number;
}

/** Where the resolved configs of the variants' leaderboard trials differ, in the spelling of the file; values by variant, undefined where a path is absent. */
export interface ConfigDifference {
  readonly path: string;
  readonly values: Readonly<Record<string, Json>>;
}

/** One trial and its runs, in the order of the seeds. */
export interface TrialRuns {
  readonly id: string;
  readonly variant: string;
  readonly parameters: Readonly<Record<string, Json>>;
  readonly runs: readonly TrialRun[];
}

/** `objective` is what the run reached of the experiment's metric; null before it has finished. */
export type TrialRun = Pick<RunRow, 'id' | 'seed' | 'status' | 'step' | 'totalSteps' | 'seconds' | 'error'> & {
  readonly objective: number | null;
};

export interface ExperimentDetail {
  readonly name: string;
  readonly file: string;
  readonly description: string;
  /** In Markdown. */
  readonly notes: string;
  readonly isStopRequested: boolean;
  readonly dataset: string;
  readonly baseVariant: string;
  readonly metric: ExperimentReport['metric'];
  /** Those of the report's metrics that are the better the smaller they are. */
  readonly lowerIsBetter: readonly string[];
  readonly counts: Readonly<Record<RunStatus, number>>;
  /** Variants in the order of the file. */
  readonly variants: readonly string[];
  readonly trials: readonly TrialRuns[];
  /** Names of every series that a run of the experiment has written. */
  readonly series: readonly string[];
  readonly differences: readonly ConfigDifference[];
}

/** How far the sweep of an experiment is at the moment of the answer. */
export interface ExperimentProgress {
  readonly runs: Readonly<Record<RunStatus, number>>;
  /** Trials that are known by now, and those of them without a run that waits or is under way. */
  readonly trials: { readonly known: number; readonly done: number };
  /** What the budget of a search that goes on allows; null where all runs are known. */
  readonly most: { readonly runs: number; readonly trials: number } | null;
  /** Null while nothing runs, and while nothing can be told. */
  readonly secondsLeft: number | null;
  /** The one that has run longest first. */
  readonly running: readonly RunningRun[];
  /** The newest of the failed runs, the last one first. */
  readonly failed: readonly FailedRun[];
}

type ListedRun = Pick<RunRow, 'id' | 'variant' | 'seed'> & { readonly parameters: Readonly<Record<string, Json>> };

export interface RunningRun extends ListedRun, Pick<RunRow, 'status' | 'step' | 'totalSteps'> {
  /** Since its attempt began. */
  readonly seconds: number;
  readonly secondsLeft: number | null;
  /** Since its process was heard of, where that is so long ago that it seems to be gone; else null. */
  readonly silentSeconds: number | null;
}

/** `log` is the end of what its last attempt has said. */
export interface FailedRun extends ListedRun, Pick<RunRow, 'endedAt' | 'error'> {
  readonly log: string;
}

/** What the x axis of a curve counts; `time` is in seconds since the run began. */
export type CurveX = 'step' | 'epoch' | 'time' | 'examples';

/** How curves are asked for; `from` and `to` are in units of `x`, null is the end of the curve. */
export interface CurveView {
  readonly x: CurveX;
  readonly from: number | null;
  readonly to: number | null;
  /** Axes that are logarithmic. */
  readonly log: readonly ('x' | 'y')[];
  /** Weight of what came before in the exponential moving average, from 0 (none) to 0.999. */
  readonly smoothing: number;
  /** Over seeds: the 95 % t interval of the mean, or from the least to the greatest seed. */
  readonly band: 't' | 'range';
}

/**
 * A curve at one place: the value, or over seeds the mean, with the band around it and the number of seeds that have a value there. Of a long curve
 * a point stands for its bucket: the band is the widest of it, `n` the fewest seeds.
 */
export interface BandPoint {
  readonly step: number;
  readonly x: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** One line of a chart. */
export interface CurveLine {
  /** The variant, or the series of a single run. */
  readonly name: string;
  readonly trial: string;
  /** In order of step; empty for a line that was not asked for. */
  readonly points: readonly BandPoint[];
  /** The moving average of all points up to each place; null without smoothing. */
  readonly smooth: readonly { readonly step: number; readonly x: number; readonly mean: number }[] | null;
  /** How many points of the curve `points` stand for: more of them than are drawn were put into buckets. */
  readonly numPoints: number;
  /** Values left out because they are NaN or infinite, and points left out because a logarithmic axis has no place for values ≤ 0. */
  readonly notFinite: number;
  readonly notPositive: number;
  /** Whether its runs have no place on the axis that was asked for, so that there are no points. */
  readonly isOffAxis: boolean;
  /** Where the whole curve ends, whatever the window; by step where it is off the axis. */
  readonly last: BandPoint | null;
}

export interface Curves {
  readonly series: string;
  /** Of every axis that is not offered, why. */
  readonly notOffered: Readonly<Partial<Record<CurveX, string>>>;
  readonly lines: readonly CurveLine[];
}

/** An attempt whose log is cut to its end; `logLength` is the length of the whole in characters. */
export type AttemptDetail = AttemptRow & { readonly logLength: number };

export interface RunDetail {
  readonly run: RunRow & {
    /** In the spelling of the file. */
    readonly config: Json;
    readonly experiments: readonly string[];
    readonly artifacts: readonly ArtifactRef[];
  };
  readonly attempts: readonly AttemptDetail[];
  /** The objective metric of the first experiment that the run belongs to, and those that it reports. */
  readonly metric: string | null;
  readonly report: readonly string[];
  readonly series: readonly string[];
  /** The run that taught it, of the same experiment and seed; null where none did. */
  readonly teacher: Pick<RunRow, 'id' | 'variant'> | null;
}

/** Data and a protocol: numbers of different ones never share a column. */
export interface LeaderboardScope {
  readonly id: string;
  readonly dataset: string;
  readonly fingerprint: string;
  readonly protocol: Json;
  /** The one planned last first. */
  readonly experiments: readonly string[];
}

/** What the leaderboard can be made of. */
export interface LeaderboardChoices {
  readonly scope: LeaderboardScope;
  readonly scopes: readonly LeaderboardScope[];
  readonly metrics: readonly string[];
  readonly lowerIsBetter: readonly string[];
  /** Paths of the configs in the spelling of the file, and how many values each has. */
  readonly paths: readonly { readonly path: string; readonly values: number }[];
  /** Metrics shown when none are chosen. */
  readonly columns: readonly string[];
}

/** Runs with the same keys. Means are over all finished runs of the group. */
export interface LeaderboardRow extends Omit<RunGroup, 'metrics'> {
  readonly metrics: Readonly<
    Record<string, { readonly n: number; readonly mean: number; readonly ci95: readonly [number, number] | null }>
  >;
}

/** One page of the leaderboard. */
export interface Leaderboard {
  readonly scope: LeaderboardScope;
  readonly groupBy: readonly string[];
  readonly sort: string;
  readonly order: 'asc' | 'desc';
  readonly pageSize: number;
  readonly totalGroups: number;
  readonly totalRuns: number;
  readonly rows: readonly LeaderboardRow[];
}

/** The trials of an experiment with what the search set. */
export interface ExperimentAnalysis {
  readonly metric: ExperimentReport['metric'];
  readonly parameters: readonly { readonly name: string; readonly kind: 'category' | 'linear' | 'log' }[];
  readonly trials: readonly AnalysisTrial[];
  readonly importance: Importance;
  /** Parameters that some trials do not have; nothing is said of their importance. */
  readonly leftOut: readonly string[];
}

/** `values` in the order of the parameters, null where the trial has none; `objective` is the mean over its `n` finished runs; `failed` others have failed. */
export interface AnalysisTrial {
  readonly variant: string;
  readonly runId: number | null;
  readonly n: number;
  readonly failed: number;
  readonly values: readonly (number | string | null)[];
  readonly objective: number | null;
}

/** The test users of two runs that were measured alike, in one metric. */
export interface UserPair {
  readonly a: PairedRun;
  readonly b: PairedRun;
  readonly metric: string;
  /** Every metric that can be asked for. */
  readonly metrics: readonly string[];
  readonly numUsers: number;
  /** One user in so many has a history and lists. */
  readonly every: number;
  /** Whether users and items are called as the data calls them; else by their numbers in the prepared data, from 0, as runs of earlier versions. */
  readonly hasOwnIds: boolean;
  /** Users for whom the one, the other and neither has the greater value; none has a value for the others. */
  readonly greater: { readonly a: number; readonly b: number; readonly neither: number };
  /** Users with lists for whom the one or the other is furthest ahead, the furthest first. */
  readonly most: { readonly a: readonly UserValues[]; readonly b: readonly UserValues[] };
}

export interface PairedRun {
  readonly id: number;
  readonly variant: string;
  readonly seed: number;
  readonly experiments: readonly string[];
}

/** The id of a user, and the values of the two runs. */
export interface UserValues {
  readonly user: string;
  readonly a: number;
  readonly b: number;
}

/** What two runs recommend to a user. */
export interface UserView {
  readonly user: string;
  readonly historyLength: number;
  /** The newest of it, newest first. */
  readonly history: readonly ItemView[];
  readonly targets: readonly TargetView[];
  readonly lists: { readonly a: readonly ListedItem[]; readonly b: readonly ListedItem[] };
}

/** An item by its id; `count` are its training interactions. */
export interface ItemView {
  readonly item: string;
  readonly title: string | null;
  readonly category: number | null;
  readonly count: number;
}

/** An item to find, and its ranks from 1 on in both runs; halves from ties, null for one that is beyond the list and was not kept. */
export interface TargetView extends ItemView {
  readonly a: number | null;
  readonly b: number | null;
}

/** An item of a list, best first. */
export interface ListedItem extends ItemView {
  readonly isHit: boolean;
  readonly isInOther: boolean;
}

/** The body of every answer that is not a success. */
export interface ApiProblem {
  readonly error: {
    readonly code:
      | 'bad-request'
      | 'unauthorized'
      | 'forbidden'
      | 'not-found'
      | 'conflict'
      | 'too-large'
      | 'internal'
      | 'no-store'
      | 'unavailable';
    readonly message: string;
  };
}
