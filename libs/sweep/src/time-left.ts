/** How far a sweep is. */
export interface SweepProgress {
  /** Seconds of each run that was finished here. */
  readonly finished: readonly number[];
  /** Runs under way: seconds so far, and the done share of their steps. */
  readonly running: readonly { readonly seconds: number; readonly share: number }[];
  readonly waiting: number;
  readonly jobs: number;
}

/** A run that has done less than this share of its steps says nothing about its length yet. */
const TELLING_SHARE = 0.02;

/**
 * Seconds until the sweep is done; null while nothing can be told.
 *
 * A run's length is taken to be the mean of those that are finished or far enough to be extrapolated; what is left is spread over
 * the jobs, and lasts at least as long as the longest run under way.
 */
export function secondsLeft({ finished, running, waiting, jobs }: SweepProgress): number | null {
  const extrapolated = running.map(({ seconds, share }) => (share >= TELLING_SHARE ? seconds / share : null));
  const known = [...finished, ...extrapolated.filter((seconds) => seconds !== null)];
  if (known.length === 0) return null;
  const mean = known.reduce((sum, seconds) => sum + seconds, 0) / known.length;
  const rests = running.map(({ seconds }, k) => Math.max(0, (extrapolated[k] ?? mean) - seconds));
  const work = rests.reduce((sum, seconds) => sum + seconds, 0) + waiting * mean;
  return Math.max(work / jobs, ...rests);
}
