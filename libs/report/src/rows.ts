import { versusOf } from './cells.js';
import type { ExperimentReport } from './contract.js';

/** The columns of the long table, in order, each with its kind; a count is a whole number. */
export const ROW_COLUMNS = {
  experiment: 'text', dataset: 'text', fingerprint: 'text', variant: 'text', trial: 'text', parameters: 'text',
  n: 'count', failed: 'count', metric: 'text', mean: 'number', std: 'number', ci95_low: 'number', ci95_high: 'number',
  base: 'text', difference: 'number', difference_ci95_low: 'number', difference_ci95_high: 'number',
  p_seeds: 'number', p_users: 'number', p_holm: 'number', parameter_count: 'number', seconds: 'number',
  published: 'number', published_source: 'text', published_differs: 'text',
  budget: 'count', shared_seeds: 'count', effect_size: 'number', users: 'count', wins: 'count', losses: 'count', ties: 'count',
  rank_biserial: 'number', users_ci95_low: 'number', users_ci95_high: 'number',
} as const; // prettier-ignore

type Kinds = typeof ROW_COLUMNS;

/** A row of the long table; null where there is no such number. */
export type ReportRow = { readonly [K in keyof Kinds]: (Kinds[K] extends 'text' ? string : number) | null };

const EMPTY = Object.fromEntries(Object.keys(ROW_COLUMNS).map((name) => [name, null])) as ReportRow;

/**
 * One row per variant and metric, numbers in full precision; the oracle is a variant of that name. A published cell has a row and
 * columns of its own, so that it is never taken for a mean of ours; where it is not comparable, `published_differs` says why.
 */
export function toRows(reports: readonly ExperimentReport[]): readonly ReportRow[] {
  return reports.flatMap((report): ReportRow[] => {
    const { experiment, dataset, fingerprint, oracle, groups, columns, published } = report;
    const from = { ...EMPTY, experiment, dataset, fingerprint };
    return [
      ...groups.flatMap((group) => {
        const { variant, trial, n, failed, budget, parameterCount: parameter_count, seconds } = group;
        const parameters = JSON.stringify(group.parameters);
        return Object.entries(group.metrics).map(([metric, { mean, std, ci95 }]): ReportRow => ({
          ...from,
          ...{ variant, trial, parameters, n, failed, budget, parameter_count, seconds, metric, mean, std },
          ...ends('ci95', ci95),
          ...versusColumns(group.versus?.base, versusOf(group, metric)),
        }));
      }),
      ...columns.flatMap((metric) => {
        const mean = oracle?.[metric];
        return mean === undefined ? [] : [{ ...from, variant: 'oracle', metric, mean }];
      }),
      ...published.map(({ variant, metric, value, source, differs }) => ({
        ...from,
        ...{ variant, metric, published: value, published_source: source, published_differs: differs },
      })),
    ];
  });
}

function versusColumns(base: string | undefined, versus: ReturnType<typeof versusOf>): Partial<ReportRow> {
  if (versus === undefined || base === undefined) return {};
  const { difference, n, ci95, effectSize, pSeeds, pUsers, pHolm, users } = versus;
  return {
    ...{ base, difference, shared_seeds: n, effect_size: effectSize, p_seeds: pSeeds, p_users: pUsers, p_holm: pHolm },
    ...ends('difference_ci95', ci95),
    ...(users === null
      ? {}
      : {
          ...{ users: users.n, wins: users.wins, losses: users.losses, ties: users.ties },
          ...{ rank_biserial: users.rankBiserial },
          ...ends('users_ci95', users.ci95),
        }),
  };
}

/** The two columns of an interval. */
function ends<Name extends string>(
  name: Name,
  interval: readonly [number, number] | null,
): { readonly [K in `${Name}_low` | `${Name}_high`]: number | null } {
  const both = { [`${name}_low`]: interval?.[0] ?? null, [`${name}_high`]: interval?.[1] ?? null };
  return both as { readonly [K in `${Name}_low` | `${Name}_high`]: number | null };
}
