import type { Json } from '@towerbench/tracking';

/** One metric of one group over its seeds. */
export interface MetricSummary {
  readonly mean: number;
  /** Sample standard deviation (n − 1); null when n < 2. */
  readonly std: number | null;
  /** 95 % t interval of the mean; null when n < 2. */
  readonly ci95: readonly [number, number] | null;
  /** In the order of `seeds`. */
  readonly values: readonly number[];
}

/**
 * Difference to the base variant over the seeds both have, paired by seed. Over seeds: difference, interval, effect size and `pSeeds`, which
 * say whether another training would show it. Over users, whose values are averaged over these seeds first: `users`, `pUsers`, which say
 * whether other users would. A cell is marked when both do.
 */
export interface Versus {
  readonly difference: number;
  /** Seeds that both have. */
  readonly n: number;
  /** Sample standard deviation (n − 1) of the differences; null when fewer than 2 shared seeds. What `plan --detect` plans with. */
  readonly std: number | null;
  /** 95 % paired t interval; null when fewer than 2 shared seeds. */
  readonly ci95: readonly [number, number] | null;
  /** Cohen's d_z over seeds with Hedges' correction; null when fewer than 3 shared seeds, and where all differences are equal. */
  readonly effectSize: number | null;
  /** Paired t over shared seeds; null when fewer than 5. */
  readonly pSeeds: number | null;
  /** Wilcoxon signed-rank (Pratt) on seed-averaged per-user values; null when there are none. */
  readonly pUsers: number | null;
  /** `pSeeds` corrected by Holm over the variants of the metric. */
  readonly pHolm: number | null;
  /** Over users; null when there are no per-user values. */
  readonly users: VersusUsers | null;
}

/** The seed-averaged per-user values of a variant beside those of the base. */
export interface VersusUsers {
  /** Users with a value on both sides. */
  readonly n: number;
  /** Users whose value is above, below and equal to that of the base. */
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  /** Matched-pairs rank-biserial correlation, −1 to 1: the effect size of `pUsers`; null where nobody differs. */
  readonly rankBiserial: number | null;
  /**
   * 95 % BCa bootstrap interval of the mean difference: 1,000 resamples of users, the same ones in every column of as many users. It holds for
   * these trained models and other users; `ci95` holds for other seeds. null for fewer than 2 users.
   */
  readonly ci95: readonly [number, number] | null;
}

/** A leaderboard row: one variant at its best trial by mean validation metric. */
export interface ReportGroup {
  readonly variant: string;
  readonly trial: string;
  readonly parameters: Readonly<Record<string, Json>>;
  readonly seeds: readonly number[];
  /** Finished runs. */
  readonly n: number;
  readonly failed: number;
  /** Trials of the variant that were tried; this one is the best of them. */
  readonly budget: number;
  /** Mean wall seconds of a run. */
  readonly seconds: number | null;
  readonly parameterCount: number | null;
  readonly metrics: Readonly<Record<string, MetricSummary>>;
  readonly versus: ({ readonly base: string } & Readonly<Record<string, Versus | string>>) | null;
}

/** One experiment as `report --format json` prints it. */
export interface ExperimentReport {
  readonly experiment: string;
  readonly dataset: string;
  readonly fingerprint: string;
  readonly protocol: Json;
  readonly metric: { readonly name: string; readonly goal: 'maximize' | 'minimize' };
  /** Runs of the experiment: how far it is. `pruned` are those that the search gave up. */
  readonly runs: {
    readonly finished: number;
    readonly failed: number;
    readonly pruned: number;
    readonly total: number;
  };
  /** Metrics of the table, in order: those of `report`, else the objective metric. */
  readonly columns: readonly string[];
  readonly oracle: Readonly<Record<string, number>> | null;
  readonly groups: readonly ReportGroup[];
  readonly published: readonly {
    readonly variant: string;
    readonly metric: string;
    readonly value: number;
    readonly source: string;
    /** Whether dataset, split and candidates are those of this experiment. */
    readonly comparable: boolean;
    /** Why it is not comparable, e.g. `split ratio, here fixed`; empty when it is. */
    readonly differs: string;
  }[];
}
