import type { CurveView } from './payloads.js';

/**
 * The URLs of the API, shared by the server that answers them and the pages that ask. `patterns` are for the server's router,
 * the functions of `api` make the address of one thing.
 */
export const patterns = {
  store: '/api/store',
  events: '/api/events',
  session: '/api/session',
  experiments: '/api/experiments',
  experiment: '/api/experiments/:name',
  report: '/api/experiments/:name/report',
  progress: '/api/experiments/:name/progress',
  experimentCurves: '/api/experiments/:name/curves',
  stopExperiment: '/api/experiments/:name/stop',
  retryExperiment: '/api/experiments/:name/retry',
  noteExperiment: '/api/experiments/:name/notes',
  analysis: '/api/experiments/:name/analysis',
  slices: '/api/experiments/:name/slices',
  slicesCsv: '/api/experiments/:name/slices.csv',
  leaderboard: '/api/leaderboard',
  leaderboardChoices: '/api/leaderboard/choices',
  run: '/api/runs/:id',
  runCurve: '/api/runs/:id/curve',
  runDiff: '/api/runs/:id/diff/:other',
  userPair: '/api/runs/:id/users/:other',
  user: '/api/runs/:id/users/:other/one',
  stopRun: '/api/runs/:id/stop',
  retryRun: '/api/runs/:id/retry',
  noteRun: '/api/runs/:id/notes',
} as const;

/** Lists are repeated keys; null is left out. */
function query(values: Readonly<Record<string, string | number | null | readonly string[]>>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    for (const item of Array.isArray(value) ? (value as readonly string[]) : value === null ? [] : [String(value)]) {
      parameters.append(key, item);
    }
  }
  return parameters.toString();
}

const viewed = (view: CurveView | undefined) => (view === undefined ? {} : { ...view });

function repeated(search: Readonly<Record<string, string | readonly string[] | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    for (const item of typeof value === 'string' ? [value] : (value ?? [])) parameters.append(key, item);
  }
  return parameters.toString();
}

export const api = {
  store: patterns.store,
  events: patterns.events,
  session: patterns.session,
  experiments: patterns.experiments,
  experiment: (name: string) => `${patterns.experiments}/${encodeURIComponent(name)}`,
  report: (name: string) => `${patterns.experiments}/${encodeURIComponent(name)}/report`,
  progress: (name: string) => `${patterns.experiments}/${encodeURIComponent(name)}/progress`,
  /** Of the variants that are named. */
  experimentCurves: (name: string, series: string, variants: readonly string[], view?: CurveView) =>
    `${patterns.experiments}/${encodeURIComponent(name)}/curves?${query({ series, variants, ...viewed(view) })}`,
  stopExperiment: (name: string) => `${patterns.experiments}/${encodeURIComponent(name)}/stop`,
  retryExperiment: (name: string) => `${patterns.experiments}/${encodeURIComponent(name)}/retry`,
  noteExperiment: (name: string) => `${patterns.experiments}/${encodeURIComponent(name)}/notes`,
  analysis: (name: string) => `${patterns.experiments}/${encodeURIComponent(name)}/analysis`,
  /** Of one metric; null for the first one of the report. */
  slices: (name: string, metric: string | null) =>
    `${patterns.experiments}/${encodeURIComponent(name)}/slices?${query({ metric })}`,
  slicesCsv: (name: string, metric: string) =>
    `${patterns.experiments}/${encodeURIComponent(name)}/slices.csv?${query({ metric })}`,
  /** Keys are those of the page's address; a list is a repeated key. */
  leaderboard: (search: Readonly<Record<string, string | readonly string[] | undefined>>) =>
    `${patterns.leaderboard}?${repeated(search)}`,
  leaderboardChoices: (search: Readonly<Record<string, string | undefined>>) =>
    `${patterns.leaderboardChoices}?${repeated(search)}`,
  run: (id: number | string) => `/api/runs/${encodeURIComponent(id)}`,
  runCurve: (id: number, series: string, view?: CurveView) =>
    `/api/runs/${id}/curve?${query({ series, ...viewed(view) })}`,
  runDiff: (id: string, other: string) => `/api/runs/${encodeURIComponent(id)}/diff/${encodeURIComponent(other)}`,
  userPair: (id: string, other: string, metric: string | null) =>
    `/api/runs/${encodeURIComponent(id)}/users/${encodeURIComponent(other)}?${query({ metric })}`,
  user: (id: string, other: string, user: string) =>
    `/api/runs/${encodeURIComponent(id)}/users/${encodeURIComponent(other)}/one?${query({ user })}`,
  stopRun: (id: number) => `/api/runs/${id}/stop`,
  retryRun: (id: number) => `/api/runs/${id}/retry`,
  noteRun: (id: number) => `/api/runs/${id}/notes`,
} as const;

/** The addresses of the pages: each is answered with the one document. */
export const pages = [
  '/',
  '/leaderboard',
  '/experiments/:name',
  '/experiments/:name/analysis',
  '/experiments/:name/slices',
  '/runs/:id',
  '/runs/:id/diff/:other',
  '/runs/:id/users/:other',
] as const;

/** The name of the one event of `api.events`; its data is a `StoreState`. */
export const STORE_EVENT = 'store';
