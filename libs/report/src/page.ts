import { withYamlKeys } from '@towerbench/config';
import { mean } from '@towerbench/metrics';
import type { Json, StoreReader } from '@towerbench/tracking';
import { buildReport } from './build.js';
import type { ExperimentReport } from './contract.js';
import type { VariantCurve } from './figures.js';
import type { ReportPage } from './html.js';

/**
 * The report of an experiment with its config, the environments of its finished runs and the curves of its objective metric.
 *
 * @throws {RangeError} when there is no such experiment
 */
export function buildPage(reader: StoreReader, experiment: string): ReportPage {
  const report = buildReport(reader, experiment);
  const row = reader.experiment(experiment);
  const finished = reader.runs(experiment, []).filter(({ status }) => status === 'finished');
  const environments = new Map<string, number>();
  for (const id of new Set(finished.map((run) => run.id))) {
    const environment = JSON.stringify(withoutPatch(reader.attempts(id).at(-1)?.environment ?? null));
    environments.set(environment, (environments.get(environment) ?? 0) + 1);
  }
  return {
    report,
    file: row?.file ?? '',
    config: withYamlKeys(row?.config ?? null),
    environments: [...environments].map(([environment, runs]) => ({
      runs,
      environment: JSON.parse(environment) as Json,
    })),
    curves: variantCurves(reader, report),
  };
}

/** The curves of the objective metric: of each variant's trial in the table, over its finished seeds, where at least one has a value. */
export function variantCurves(reader: StoreReader, report: ExperimentReport): readonly VariantCurve[] {
  const runs = reader.runs(report.experiment, []);
  return report.groups.map(({ variant, trial }) => {
    const bySteps = new Map<number, number[]>();
    for (const run of runs.filter(
      (each) => each.trialId === trial && each.variant === variant && each.status === 'finished',
    )) {
      for (const { step, value } of reader.curve(run.id, report.metric.name)) {
        if (Number.isFinite(value)) bySteps.set(step, [...(bySteps.get(step) ?? []), value]);
      }
    }
    const points = [...bySteps].sort(([a], [b]) => a - b);
    return { variant, points: points.map(([step, values]) => ({ step, mean: mean(values), min: Math.min(...values), max: Math.max(...values) })) }; // prettier-ignore
  });
}

/** Without the text of uncommitted changes, which `diff` and the dashboard show; their hash stays. */
function withoutPatch(environment: Json): Json {
  if (typeof environment !== 'object' || environment === null || Array.isArray(environment)) return environment;
  const { source, ...others } = environment as { readonly [key: string]: Json };
  if (typeof source !== 'object' || source === null || Array.isArray(source)) return environment;
  const { commit = null, diffSha256 = null } = source as { readonly [key: string]: Json };
  return { source: { commit, diffSha256 }, ...others };
}
