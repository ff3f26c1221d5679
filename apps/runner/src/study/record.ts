import { usersByPopularity } from '@towerbench/report';
import {
  artifactFile,
  readUsersFile,
  type ExperimentRow,
  type Json,
  type RunRow,
  type StoreReader,
} from '@towerbench/tracking';
import { describeExperiment } from '../experiment-description.js';
import {
  addRow,
  hasPopularity,
  mendRows,
  readRows,
  writePlan,
  writePopularity,
  type StudyPlan,
  type StudyRow,
} from './folder.js';

/** Writes finished runs of an experiment into the folder of a study, each once. */
export interface StudyRecorder {
  /** A run that has just finished, under each variant that it stands for. */
  add(runId: number): void;
  /** The plan as it is now, and every run that has finished. */
  addAll(): void;
}

/** Opens the folder for what the store at `storePath` has planned. */
export function studyRecorder(
  { reader, storePath }: { readonly reader: StoreReader; readonly storePath: string },
  experimentName: string,
  folder: string,
): StudyRecorder {
  mendRows(folder);
  const keyOf = (trial: string, variant: string, seed: number): string => `${trial}/${variant}/${seed}`;
  const known = new Set(readRows(folder).map(({ trial, variant, seed }) => keyOf(trial, variant, seed)));
  let isPopularityKnown = hasPopularity(folder);
  let variantsOf: ReadonlyMap<string, readonly string[]> | null = null;
  const addOnce = (experiment: ExperimentRow, run: RunRow): void => {
    const key = keyOf(run.trialId, run.variant, run.seed);
    if (run.status !== 'finished' || known.has(key)) return;
    addRow(folder, rowOf(reader, experiment, run), valuesOf(reader, experiment, run));
    known.add(key);
    if (!isPopularityKnown) addPopularity(folder, storePath, reader.run(run.id));
    isPopularityKnown = true; // all runs have the same users
  };
  const read = (): ExperimentRow => reader.experiment(experimentName) as ExperimentRow;
  const addAll = (): void => {
    const experiment = read();
    const plan = planOf(reader, experiment);
    writePlan(folder, plan);
    const variants = new Map<string, string[]>();
    for (const { id, variant } of plan.trials) variants.set(id, [...(variants.get(id) ?? []), variant]);
    variantsOf = variants;
    for (const run of reader.runs(experimentName)) addOnce(experiment, run);
  };
  return {
    add(runId) {
      const run = reader.run(runId) as RunRow;
      const variants = variantsOf?.get(run.trialId);
      if (variants === undefined)
        addAll(); // the first one, or one of a trial that a search has suggested since
      else for (const variant of variants) addOnce(read(), { ...run, variant });
    },
    addAll,
  };
}

function planOf(reader: StoreReader, experiment: ExperimentRow): StudyPlan {
  return {
    version: 1,
    experiment: describeExperiment(experiment),
    seeds: [...experiment.seeds],
    trials: reader.trials(experiment.name).map((trial) => {
      const { id, variant, parameters } = trial;
      return { id, variant, parameters: { ...parameters }, config: trial.config };
    }),
  };
}

function rowOf(reader: StoreReader, { fingerprint }: ExperimentRow, run: RunRow): StudyRow {
  const attempt = reader.attempts(run.id).at(-1);
  const environment = (attempt?.environment ?? {}) as Readonly<Record<string, Json>>;
  const { source, engine = null, packages = null, machine = null } = environment;
  const { commit = null, diff = null } = (source ?? {}) as { commit?: string | null; diff?: string | null };
  const { host: _host, ...place } = (machine ?? {}) as Readonly<Record<string, Json>>;
  const gates = reader.seriesNames(run.id).filter((name) => name.startsWith('valid/gate/'));
  const rates = reader.curve(run.id, 'train/examples_per_second');
  const meanRate = rates.reduce((sum, { value }) => sum + value, 0) / rates.length;
  return {
    variant: run.variant,
    seed: run.seed,
    trial: run.trialId,
    metrics: Object.fromEntries(Object.entries(run.metrics).map(([name, value]) => [name, Number.isNaN(value) ? null : value])), // prettier-ignore
    series: Object.fromEntries(gates.map((name) => [name, reader.curve(run.id, name).at(-1)?.value ?? NaN])),
    parameterCount: run.parameterCount,
    indexBytesPerItem: run.indexBytesPerItem,
    bestStep: run.bestStep,
    seconds: run.seconds ?? 0,
    cpuSeconds: run.cost?.cpuSeconds ?? null,
    peakBytes: run.cost?.peakBytes ?? null,
    examplesPerSecond: rates.length === 0 ? null : meanRate,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    ...{ commit, changed: diff !== null, engine, packages, machine: place, fingerprint },
  };
}

function addPopularity(folder: string, storePath: string, run: ReturnType<StoreReader['run']>): void {
  const file = run?.artifacts.find(({ kind }) => kind === 'users');
  const division = file === undefined ? null : usersByPopularity(readUsersFile(artifactFile(storePath, file.sha256)));
  if (division !== null)
    writePopularity(folder, { names: division.slices.map(({ name }) => name), of: [...division.of] });
}

/** What comparisons of the report are made of: the columns that have a value for every user. */
function valuesOf(reader: StoreReader, { metric, report }: ExperimentRow, run: RunRow): Record<string, Float32Array> {
  const columns = [...new Set([metric.name, ...report])].map((name) => [name, reader.perUser(run.id, name)] as const);
  return Object.fromEntries(columns.filter((column): column is [string, Float32Array] => column[1] !== null));
}
