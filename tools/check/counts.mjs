import { readFileSync } from 'node:fs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * Counts the tests in the report that a runner wrote, in either of two formats: vitest's (which is Jest's) or Playwright's.
 *
 * A file that could not be loaded has no tests, but is a failure. So is a runner that ended badly although no test
 * failed, and one that left no report.
 *
 * @param {string} file
 * @param {number} exitCode of the runner
 * @returns {Counts}
 */
export function countTests(file, exitCode) {
  const counts = read(file);
  if (counts === null) return { passed: 0, failed: 1, skipped: 0 };
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/**
 * @param {string} file
 * @returns {Counts | null}
 */
function read(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
  if (typeof report.stats?.expected === 'number') {
    const { expected, unexpected, flaky, skipped } = report.stats;
    return { passed: expected, failed: unexpected + flaky + (report.errors?.length ?? 0), skipped };
  }
  if (typeof report.numPassedTests !== 'number') return null;
  const unloaded = report.testResults.filter(
    (/** @type {{ status: string, assertionResults: { status: string }[] }} */ { status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
  };
}
