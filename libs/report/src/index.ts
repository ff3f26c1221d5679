export { buildReport } from './build.js';
export { toCsv, toJson, toLatex, toMarkdown } from './documents.js';
export { toTerminal } from './terminal.js';
export type { ExperimentReport, MetricSummary, ReportGroup, Versus } from './contract.js';
