import { queryOptions } from '@tanstack/react-query';
import { api } from '../contract/paths.js';
import type {
  ApiProblem,
  Curves,
  CurveView,
  ExperimentAnalysis,
  ExperimentDetail,
  ExperimentProgress,
  ExperimentReport,
  ExperimentSummary,
  Leaderboard,
  LeaderboardChoices,
  RunDetail,
  RunDiff,
  SliceReport,
  UserPair,
  UserView,
} from '../contract/payloads.js';

/** An answer of the API that is not a success. */
export class RequestFailure extends Error {
  readonly code: ApiProblem['error']['code'] | 'unreachable';

  constructor(code: RequestFailure['code'], message: string) {
    super(message);
    this.name = 'RequestFailure';
    this.code = code;
  }
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    if (init.signal?.aborted) throw cause;
    throw new RequestFailure('unreachable', 'the server does not answer');
  });
  const body: unknown = await response.json();
  if (response.ok) return body as T;
  const { code, message } = (body as ApiProblem).error;
  throw new RequestFailure(code, message);
}

const get = <T>(url: string, signal: AbortSignal): Promise<T> =>
  ask<T>(url, { signal, headers: { accept: 'application/json' } });

/** Sends something to be done. */
export const send = <T>(url: string, body: unknown): Promise<T> =>
  ask<T>(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

/** Sends something to be done, in a session of this page, which it asks for when it has none: the server may have been started anew. */
export async function change<T>(url: string, body: unknown = {}): Promise<T> {
  try {
    return await send<T>(url, body);
  } catch (error) {
    if (!(error instanceof RequestFailure) || error.code !== 'unauthorized') throw error;
    await send(api.session, {});
    return send<T>(url, body);
  }
}

const request = <T>(url: string) => queryOptions({ queryKey: [url], queryFn: ({ signal }) => get<T>(url, signal) });

const PROGRESS_MS = 5000;

/** The questions the pages ask, ready for `useQuery`. The store's events make all of them ask again. */
export const requests = {
  experiments: () => request<readonly ExperimentSummary[]>(api.experiments),
  experiment: (name: string) => request<ExperimentDetail>(api.experiment(name)),
  report: (name: string) => request<ExperimentReport>(api.report(name)),
  /** Asked again every few seconds while something runs: time passes also when nothing is written. */
  progress: (name: string) =>
    queryOptions({
      ...request<ExperimentProgress>(api.progress(name)),
      refetchInterval: ({ state }) => (state.data?.running.length ? PROGRESS_MS : false),
    }),
  experimentCurves: (name: string, series: string, variants: readonly string[], view: CurveView) =>
    request<Curves>(api.experimentCurves(name, series, variants, view)),
  analysis: (name: string) => request<ExperimentAnalysis>(api.analysis(name)),
  slices: (name: string, metric: string | null) => request<SliceReport>(api.slices(name, metric)),
  leaderboard: (search: Parameters<typeof api.leaderboard>[0]) => request<Leaderboard>(api.leaderboard(search)),
  leaderboardChoices: (search: Parameters<typeof api.leaderboardChoices>[0]) =>
    request<LeaderboardChoices>(api.leaderboardChoices(search)),
  userPair: (id: string, other: string, metric: string | null) => request<UserPair>(api.userPair(id, other, metric)),
  user: (id: string, other: string, user: string) => request<UserView>(api.user(id, other, user)),
  runDiff: (id: string, other: string) => request<RunDiff>(api.runDiff(id, other)),
  /** `id` as the address of the page has it. */
  run: (id: string) => request<RunDetail>(api.run(id)),
  runCurve: (id: number, series: string, view?: CurveView) => request<Curves>(api.runCurve(id, series, view)),
};
