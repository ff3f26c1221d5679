import {
  buildPage,
  buildReport,
  curvesFigure,
  forestFigure,
  meansFigure,
  stacked,
  toCsv,
  toHtml,
  toJson,
  toLatex,
  toMarkdown,
  toTerminal,
  variantCurves,
  writeParquet,
  type ExperimentReport,
  type FigureName,
} from '@towerbench/report';
import type { StoreReader } from '@towerbench/tracking';
import { withReader, inputError, type Context } from '../context.js';
import { writeResult, writeWhole } from '../output.js';

type ReportFormat = 'table' | 'markdown' | 'latex' | 'csv' | 'json' | 'html' | 'parquet';

type Render = (reader: StoreReader, experiments: readonly string[]) => string;

const ofReports =
  (render: (reports: readonly ExperimentReport[]) => string): Render =>
  (reader, experiments) =>
    render(experiments.map((name) => buildReport(reader, name)));

const RENDER: Readonly<Record<Exclude<ReportFormat, 'parquet'>, Render>> = {
  table: ofReports((reports) => reports.map((each) => toTerminal(each, terminal())).join('\n\n')),
  markdown: ofReports(toMarkdown),
  latex: ofReports(toLatex),
  csv: ofReports(toCsv),
  json: ofReports(toJson),
  html: (reader, experiments) => toHtml(experiments.map((name) => buildPage(reader, name))),
};

/** Width and colours of standard output. */
export function terminal(): { readonly width: number; readonly color: boolean } {
  const color = process.stdout.isTTY === true && !process.env['NO_COLOR'];
  return { width: process.stdout.columns || 120, color };
}

export interface ReportOptions {
  readonly experiment?: string;
  readonly format: ReportFormat;
  readonly figure?: FigureName;
  readonly out?: string;
}

/** `towerbench report` */
export async function report(context: Context, options: ReportOptions): Promise<void> {
  const { format, figure, out } = options;
  if (format === 'parquet' && figure === undefined) {
    if (out === undefined)
      throw inputError('--out', 'a Parquet file is not for a terminal', { hint: 'add --out report.parquet' });
    const reports = withReader(context, (reader) =>
      wanted(context, reader, options).map((name) => buildReport(reader, name)),
    );
    return writeWhole(out, (draft) => writeParquet(reports, draft));
  }
  const text = withReader(context, (reader) => {
    const names = wanted(context, reader, options);
    if (figure === undefined) return RENDER[format as keyof typeof RENDER](reader, names);
    const [only] = names;
    if (only === undefined || names.length > 1) {
      throw inputError('--figure', `the store has ${names.length} experiments, and a figure shows one`, {
        allowed: names.join(', ') || 'none: run a sweep first',
        hint: 'name it with --experiment',
      });
    }
    return figureOf(reader, only, figure);
  });
  await writeResult(text.endsWith('\n') ? text : `${text}\n`, out);
}

/** Names of the experiments that are asked for. */
function wanted({ storePath }: Context, reader: StoreReader, { experiment }: ReportOptions): readonly string[] {
  const names = reader.experiments().map(({ name }) => name);
  if (experiment === undefined) return names;
  if (names.includes(experiment)) return [experiment];
  throw inputError('--experiment', `there is no experiment "${experiment}" in ${storePath}`, {
    allowed: names.join(', ') || 'none: run a sweep first',
  });
}

/** One SVG with a part per metric of the report. */
function figureOf(reader: StoreReader, experiment: string, figure: FigureName): string {
  const built = buildReport(reader, experiment, { userIntervals: figure === 'forest' });
  const parts =
    figure === 'curves'
      ? [curvesFigure(built.metric.name, variantCurves(reader, built))]
      : built.columns.map((metric) => (figure === 'forest' ? forestFigure : meansFigure)(built, metric));
  const drawn = parts.filter((part) => part !== null);
  if (drawn.length > 0) return stacked(drawn);
  throw inputError('--figure', `"${experiment}" has no results that a figure of ${figure} could show`, {
    hint: 'npx towerbench runs lists what has finished',
  });
}
