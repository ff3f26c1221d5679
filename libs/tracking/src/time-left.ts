/** How far a sweep is. */
interface SweepProgress {
  /** Seconds of each run that was finished. */
  readonly finished: readonly number[];
  readonly running: readonly RunUnderWay[];
  readonly waiting: number;
  readonly jobs: number;
}

/** A run under way: seconds since its attempt began, the share of its steps that is done, and the share that the attempt began with. */
interface RunUnderWay {
  readonly seconds: number;
  readonly share: number;
  readonly begunAt: number;
}

/** Seconds until a sweep is done, and each run under way. */
interface TimeLeft {
  readonly ofSweep: number;
  readonly ofRuns: readonly number[];
}

/** An attempt that has done less than this share of its run's steps says nothing about its length yet. */
const TELLING_SHARE = 0.02;

/**
 * When a sweep and its runs will be done; null while nothing can be told.
 *
 * A run's length is taken to be the mean of those that are finished or far enough to be extrapolated; what is left is spread over
 * the jobs, and lasts at least as long as the longest run under way.
 */
export function timeLeft({ finished, running, waiting, jobs }: SweepProgress): TimeLeft | null {
  const extrapolated = running.map(({ seconds, share, begunAt }) =>
    share - begunAt >= TELLING_SHARE ? seconds / (share - begunAt) : null,
  );
  const known = [...finished, ...extrapolated.filter((seconds) => seconds !== null)];
  if (known.length === 0) return null;
  const mean = known.reduce((sum, seconds) => sum + seconds, 0) / known.length;
  const ofRuns = running.map(({ seconds, begunAt }, k) =>
    Math.max(0, (extrapolated[k] ?? mean) * (1 - begunAt) - seconds),
  );
  const work = ofRuns.reduce((sum, seconds) => sum + seconds, 0) + waiting * mean;
  return { ofSweep: Math.max(work / jobs, ...ofRuns), ofRuns };
}
