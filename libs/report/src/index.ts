export { csvText } from './csv.js';
export { buildReport } from './build.js';
export { toCsv, toJson, toLatex, toMarkdown } from './documents.js';
export { curvesFigure, forestFigure, meansFigure, stacked, type FigureName, type VariantCurve } from './figures.js';
export { toHtml, type ReportPage } from './html.js';
export { buildPage, variantCurves } from './page.js';
export {
  buildSlices,
  slicesCsv,
  usersByPopularity,
  type KeptFiles,
  type Slice,
  type SliceFamily,
  type SliceReport,
  type SliceRow,
  type Slices,
} from './slices.js';
export { writeParquet } from './parquet.js';
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
