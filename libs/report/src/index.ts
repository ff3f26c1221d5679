export type { ExperimentReport, MetricSummary, ReportGroup, Versus } from './contract.js';
