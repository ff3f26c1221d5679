import { queryOptions } from '@tanstack/react-query';
import { api } from '../contract/paths.js';
import type {
  ApiProblem,
  ExperimentCurves,
  ExperimentDetail,
  ExperimentReport,
  ExperimentSummary,
  Leaderboard,
  LeaderboardChoices,
  RunCurve,
  RunDetail,
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

async function get<T>(url: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(url, { signal, headers: { accept: 'application/json' } }).catch((cause: unknown) => {
    if (signal.aborted) throw cause;
    throw new RequestFailure('unreachable', 'the server does not answer');
  });
  const body: unknown = await response.json();
  if (response.ok) return body as T;
  const { code, message } = (body as ApiProblem).error;
  throw new RequestFailure(code, message);
}

const request = <T>(url: string) => queryOptions({ queryKey: [url], queryFn: ({ signal }) => get<T>(url, signal) });

/** The questions the pages ask, ready for `useQuery`. The store's events make all of them ask again. */
export const requests = {
  experiments: () => request<readonly ExperimentSummary[]>(api.experiments),
  experiment: (name: string) => request<ExperimentDetail>(api.experiment(name)),
  report: (name: string) => request<ExperimentReport>(api.report(name)),
  experimentCurves: (name: string, series: string) => request<ExperimentCurves>(api.experimentCurves(name, series)),
  leaderboard: (search: Parameters<typeof api.leaderboard>[0]) => request<Leaderboard>(api.leaderboard(search)),
  leaderboardChoices: (search: Parameters<typeof api.leaderboardChoices>[0]) =>
    request<LeaderboardChoices>(api.leaderboardChoices(search)),
  /** `id` as the address of the page has it. */
  run: (id: string) => request<RunDetail>(api.run(id)),
  runCurve: (id: number, series: string) => request<RunCurve>(api.runCurve(id, series)),
};
