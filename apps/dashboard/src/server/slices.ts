import { buildSlices, slicesCsv, type KeptFiles, type SliceReport } from '@towerbench/report';
import type { StoreReader } from '@towerbench/tracking';
import { RequestProblem } from './problem.js';

/** The variants of an experiment on parts of its test users, in one metric or the first one of its report. */
export interface SliceQueries {
  slices(reader: StoreReader, name: string, metric?: string): SliceReport;
  /** @throws {RequestProblem} `not-found` where there are none */
  csv(reader: StoreReader, name: string, metric?: string): string;
}

/** Makes the queries. What was answered is remembered until the experiment's row changes. */
export function createSlices(files: KeptFiles): SliceQueries {
  const kept = new WeakMap<StoreReader, Map<string, { readonly row: string; readonly byMetric: Map<string, SliceReport> }>>(); // prettier-ignore

  const slices: SliceQueries['slices'] = (reader, name, metric) => {
    const experiment = reader.experiment(name);
    if (experiment === null) throw new RequestProblem('not-found', `the store has no experiment "${name}"`);
    const row = JSON.stringify(experiment);
    const byName = kept.get(reader) ?? new Map<string, { readonly row: string; readonly byMetric: Map<string, SliceReport> }>(); // prettier-ignore
    kept.set(reader, byName);
    let known = byName.get(name);
    if (known?.row !== row) byName.set(name, (known = { row, byMetric: new Map() }));
    const report = known.byMetric.get(metric ?? '') ?? build(reader, name, metric);
    known.byMetric.set(metric ?? '', report);
    return report;
  };

  const build = (reader: StoreReader, name: string, metric: string | undefined): SliceReport => {
    try {
      return buildSlices(reader, name, { metric, files });
    } catch (error) {
      if (error instanceof RangeError) throw new RequestProblem('bad-request', `metric: ${error.message}`);
      throw error;
    }
  };

  return {
    slices,
    csv(reader, name, metric) {
      const report = slices(reader, name, metric);
      if (report.kind === 'none') throw new RequestProblem('not-found', report.reason);
      return slicesCsv(report);
    },
  };
}
