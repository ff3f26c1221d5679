export { buildReport } from './build.js';
export { toCsv, toJson, toLatex, toMarkdown } from './documents.js';
export { toTerminal } from './terminal.js';
export { textTable } from './text-table.js';
export type { ExperimentReport, MetricSummary, ReportGroup, Versus, VersusUsers } from './contract.js';
export {
  buildRunDiff,
  leavesOf,
  type MetricDifference,
  type PatchDifference,
  type PathDifference,
  type RunDiff,
  type RunDiffSide,
  type UserDifference,
} from './run-diff.js';
