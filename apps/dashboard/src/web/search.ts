import type { RunStatus } from '../contract/payloads.js';
import { curveSearch, type CurveSearch } from './curve-view.js';

/** What the address says after the question mark: strings, and lists as repeated keys. */
export type Search = Readonly<Record<string, string | readonly string[]>>;

/** `?a=1&b=x&b=y` → `{a: '1', b: ['x', 'y']}`. */
export function parseSearch(text: string): Search {
  const parameters = new URLSearchParams(text);
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((key) => {
      const values = parameters.getAll(key);
      return [key, values.length === 1 ? values[0]! : values];
    }),
  );
}

/** The inverse of `parseSearch`; keys without a value are left out, an empty list is an empty value. */
export function stringifySearch(search: Record<string, unknown>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (typeof value === 'string') parameters.append(key, value);
    if (!Array.isArray(value)) continue;
    for (const item of value.length === 0 ? [''] : value) parameters.append(key, String(item));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** Every status of a run, in the order in which lists count them. */
export const statuses: readonly RunStatus[] = ['finished', 'running', 'failed', 'pruned', 'pending'];

/** Non-empty texts of a key that may be repeated; undefined when the key is absent. */
function texts(value: unknown): readonly string[] | undefined {
  const list: unknown = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list)) return undefined;
  return list.filter((item): item is string => typeof item === 'string' && item !== '');
}

/** The state that every page has. */
export interface PageSearch {
  /** Charts that are shown as tables. */
  readonly tables?: readonly string[] | undefined;
}

export function pageSearch(search: Record<string, unknown>): PageSearch {
  return { tables: texts(search['tables']) };
}

/** The state of an experiment's page; what is absent is the default. */
export interface ExperimentSearch extends CurveSearch {
  /** Id of the leaderboard's column, and which way. */
  readonly sort?: string | undefined;
  readonly order?: 'asc' | 'desc' | undefined;
  readonly filter?: string | undefined;
  /** Metric of the ablation table. */
  readonly ablation?: string | undefined;
  /** Variants whose curves are drawn. */
  readonly variants?: readonly string[] | undefined;
  /** Status of the runs that are listed. */
  readonly status?: RunStatus | undefined;
}

export function experimentSearch(search: Record<string, unknown>): ExperimentSearch {
  return {
    sort: text(search['sort']),
    order: search['order'] === 'asc' || search['order'] === 'desc' ? search['order'] : undefined,
    filter: text(search['filter']),
    ablation: text(search['ablation']),
    variants: texts(search['variants']),
    ...curveSearch(search),
    status: statuses.find((status) => status === search['status']),
  };
}

/** The state of the page of an experiment's parameters. */
export interface AnalysisSearch {
  /** The parameter that is shown alone. */
  readonly parameter?: string | undefined;
  /** The two that are shown together, by the axes of their chart. */
  readonly across?: string | undefined;
  readonly up?: string | undefined;
  /** Parts of axes that trials must cross. */
  readonly brush?: readonly string[] | undefined;
}

export function analysisSearch(search: Record<string, unknown>): AnalysisSearch {
  return {
    parameter: text(search['parameter']),
    across: text(search['across']),
    up: text(search['up']),
    brush: texts(search['brush']),
  };
}

/** The state of the page of an experiment's slices. */
export interface SlicesSearch {
  readonly metric?: string | undefined;
}

export function slicesSearch(search: Record<string, unknown>): SlicesSearch {
  return { metric: text(search['metric']) };
}

/** The state of the page of two runs' users. */
export interface UsersSearch {
  readonly metric?: string | undefined;
  /** The id of the user who is shown. */
  readonly user?: string | undefined;
}

export function usersSearch(search: Record<string, unknown>): UsersSearch {
  return { metric: text(search['metric']), user: text(search['user']) };
}

/** The state of the leaderboard's page; what is absent is the default. */
export interface LeaderboardSearch {
  readonly scope?: string | undefined;
  readonly experiment?: string | undefined;
  /** What runs are grouped by: `trial`, `run`, `variant`, `experiment`, `seed`, or paths of the config. */
  readonly group?: readonly string[] | undefined;
  /** Columns. */
  readonly metrics?: readonly string[] | undefined;
  readonly paths?: readonly string[] | undefined;
  readonly filter?: string | undefined;
  readonly sort?: string | undefined;
  readonly order?: 'asc' | 'desc' | undefined;
  /** From 1. */
  readonly page?: string | undefined;
}

export function leaderboardSearch(search: Record<string, unknown>): LeaderboardSearch {
  const group = texts(search['group']);
  const page = text(search['page']);
  return {
    scope: text(search['scope']),
    experiment: text(search['experiment']),
    group: group?.length === 0 ? undefined : group,
    metrics: texts(search['metrics']),
    paths: texts(search['paths']),
    filter: text(search['filter']),
    sort: text(search['sort']),
    order: search['order'] === 'asc' || search['order'] === 'desc' ? search['order'] : undefined,
    page: page !== undefined && /^[1-9]\d{0,6}$/.test(page) ? page : undefined,
  };
}

/** The series that a chart shows: the one asked for, else the preferred one, else a validation metric, else the first. */
export function seriesToShow(
  series: readonly string[],
  asked: string | undefined,
  preferred: string | null,
): string | undefined {
  return (
    series.find((name) => name === asked) ??
    series.find((name) => name === preferred) ??
    series.find((name) => name.startsWith('valid/')) ??
    series[0]
  );
}
