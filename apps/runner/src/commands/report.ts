import { buildReport, toCsv, toJson, toLatex, toMarkdown, toTerminal, type ExperimentReport } from '@towerbench/report';
import { withReader, inputError, type Context } from '../context.js';
import { writeResult } from '../output.js';

type ReportFormat = 'table' | 'markdown' | 'latex' | 'csv' | 'json';

const RENDER: Readonly<Record<ReportFormat, (reports: readonly ExperimentReport[]) => string>> = {
  table: (reports) => reports.map((each) => toTerminal(each, terminal())).join('\n\n'),
  markdown: toMarkdown,
  latex: toLatex,
  csv: toCsv,
  json: toJson,
};

/** Width and colours of standard output. */
export function terminal(): { readonly width: number; readonly color: boolean } {
  const color = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
  return { width: process.stdout.columns || 120, color };
}

export interface ReportOptions {
  readonly experiment?: string;
  readonly format: ReportFormat;
  readonly out?: string;
}

/** `towerbench report` */
export function report(context: Context, { experiment, format, out }: ReportOptions): void {
  const text = withReader(context, (reader) => {
    const names = reader.experiments().map(({ name }) => name);
    if (experiment !== undefined && !names.includes(experiment)) {
      throw inputError('--experiment', `there is no experiment "${experiment}" in ${context.storePath}`, {
        allowed: names.join(', ') || 'none: run a sweep first',
      });
    }
    const reports = (experiment === undefined ? names : [experiment]).map((name) => buildReport(reader, name));
    return RENDER[format](reports);
  });
  writeResult(text.endsWith('\n') ? text : `${text}\n`, out);
}
