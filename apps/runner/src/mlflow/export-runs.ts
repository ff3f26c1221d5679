import { leavesOf } from '@towerbench/report';
import type { ExperimentRow, Json, RunRow, StoreReader } from '@towerbench/tracking';
import { LIMITS, type MlflowClient, type MlflowMetric, type MlflowPair, type MlflowRun } from './client.js';
import { documentOf, IDENTITY, shortened, tagsOf, type RunDocument } from './document.js';
import { keyOf } from './names.js';

/** What became of the runs that were to be exported. */
export interface ExportOutcome {
  readonly exported: number;
  /** Runs that MLflow has whole already. */
  readonly alreadyThere: number;
  /** Runs without a result yet, which are left out. */
  readonly unfinished: number;
  /** Values of curves and results that were sent. */
  readonly points: number;
  /** Parameters whose text was too long for MLflow and was cut there; the tags have it whole. */
  readonly cutParams: readonly string[];
}

/**
 * Sends the finished runs of experiments to MLflow, each into the experiment of the same name. A run is known by its trial and its seed:
 * one that is there whole is left alone, and one that was cut off goes on after the last point that arrived. It becomes FINISHED there
 * with its last request.
 *
 * @throws {MlflowError}
 */
export async function exportRuns({
  reader,
  client,
  experiments,
  onProgress,
}: {
  readonly reader: StoreReader;
  readonly client: MlflowClient;
  readonly experiments: readonly ExperimentRow[];
  readonly onProgress: (done: number, total: number) => void;
}): Promise<ExportOutcome> {
  const plans = experiments.map((experiment) => ({ experiment, runs: reader.runs(experiment.name) }));
  const finished = plans.flatMap(({ experiment, runs }) =>
    runs.filter(({ status }) => status === 'finished').map((run) => ({ experiment, run })),
  );
  const outcome = { exported: 0, alreadyThere: 0, points: 0, cutParams: new Set<string>() };
  const places = new Map<string, { readonly id: string; readonly there: Map<string, MlflowRun> }>();
  for (const [index, { experiment, run }] of finished.entries()) {
    const place = places.get(experiment.name) ?? (await placeOf(client, experiment.name));
    places.set(experiment.name, place);
    const identity = `${run.trialId}/${run.seed}`;
    const before = place.there.get(identity);
    if (before?.info.status === 'FINISHED') outcome.alreadyThere++;
    else {
      const document = documentOf(reader, experiment, run);
      const target = before ?? (await createRun(client, place.id, run, document));
      outcome.points += await complete({
        reader,
        client,
        run,
        document,
        target,
        onCut: (name) => outcome.cutParams.add(name),
      });
      place.there.set(identity, { ...target, info: { ...target.info, status: 'FINISHED' } });
      outcome.exported++;
    }
    onProgress(index + 1, finished.length);
  }
  const total = plans.reduce((sum, { runs }) => sum + runs.length, 0);
  return { ...outcome, unfinished: total - finished.length, cutParams: [...outcome.cutParams] };
}

/** An experiment of MLflow and the runs of ours that it has. */
async function placeOf(client: MlflowClient, name: string): Promise<{ id: string; there: Map<string, MlflowRun> }> {
  const id = await client.ensureExperiment(name);
  const there = new Map<string, MlflowRun>();
  for (const run of await client.runs(id)) {
    const identity = run.data.tags.find(({ key }) => key === IDENTITY)?.value;
    if (identity !== undefined) there.set(identity, run);
  }
  return { id, there };
}

async function createRun(
  client: MlflowClient,
  experimentId: string,
  run: RunRow,
  document: RunDocument,
): Promise<MlflowRun> {
  return client.createRun({
    experiment_id: experimentId,
    run_name: `${run.variant} seed ${run.seed}`,
    start_time: run.startedAt ?? 0,
    tags: tagsOf(document).filter(({ key }) => key === IDENTITY), // the rest may be too much for one request
  });
}

/** Sends what a run of MLflow does not have yet, and ends it; returns how many points that were. */
async function complete({
  reader,
  client,
  run,
  document,
  target,
  onCut,
}: {
  readonly reader: StoreReader;
  readonly client: MlflowClient;
  readonly run: RunRow;
  readonly document: RunDocument;
  readonly target: MlflowRun;
  readonly onCut: (param: string) => void;
}): Promise<number> {
  const { run_id: runId } = target.info;
  const lastStep = new Map(target.data.metrics.map(({ key, step }) => [key, step]));
  const curves = reader.seriesNames(run.id).flatMap((series) => {
    const key = keyOf(series);
    const points = reader.curve(run.id, series).filter(({ step }) => step > (lastStep.get(key) ?? -Infinity));
    return points.map(({ step, value, time }): MlflowMetric => ({ key, value, timestamp: time, step }));
  });
  const results = Object.entries(document.run.results).map(([key, name]): MlflowMetric => ({
    key,
    value: run.metrics[name] ?? NaN,
    timestamp: run.endedAt ?? 0,
    step: document.run.bestStep,
  }));
  const metrics = [...curves, ...results.filter(({ key }) => !lastStep.has(key))];
  const params = [...leavesOf(document.trial.config)].map(([path, value]): MlflowPair => {
    const text = textOf(value);
    if (text.length > LIMITS.paramLength) onCut(path);
    return { key: keyOf(path), value: shortened(text, LIMITS.paramLength) };
  });
  await client.log(runId, { tags: tagsOf(document), params, metrics });
  await client.finishRun(runId, run.endedAt ?? 0);
  return metrics.length;
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
