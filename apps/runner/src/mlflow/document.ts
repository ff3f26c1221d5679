import { leavesOf } from '@towerbench/report';
import type { ExperimentRow, Json, RunRow, StoreReader } from '@towerbench/tracking';
import { z } from 'zod';
import { describeExperiment, experimentDescription, json } from '../experiment-description.js';
import { LIMITS, type MlflowPair, type MlflowRun } from './client.js';
import { isCut, keyOf } from './names.js';

/** What tells an exported run from every other: its trial and its seed. */
export const IDENTITY = 'towerbench.run';

const numberOrNull = z.number().nullable();
const document = z.object({
  version: z.literal(1),
  experiment: experimentDescription,
  trial: z.object({
    id: z.string(),
    variant: z.string(),
    ordinal: z.int(),
    parameters: z.record(z.string(), json),
    config: json,
  }),
  run: z.object({
    seed: z.int(),
    parameterCount: numberOrNull,
    indexBytesPerItem: numberOrNull,
    seconds: z.number(),
    bestStep: z.int(),
    notes: z.string(),
    environment: json,
    /** Results by the key that holds them. */
    results: z.record(z.string(), z.string()),
    /** Names that were too long for a key, by key. */
    cut: z.record(z.string(), z.string()),
  }),
});

/** All that MLflow has no field for, so that an exported run can come back as it was. It travels in tags, as JSON. */
export type RunDocument = z.output<typeof document>;

/** Tags that hold the document: `towerbench.document.0` and on. */
const DOCUMENT = 'towerbench.document.';

/** The name under which a result or a point goes, and the names that go with it because their keys are cut. */
interface Keys {
  /** Key of each result; where a curve has its name already it is `result/NAME`. */
  readonly results: ReadonlyMap<string, string>;
  readonly cut: Readonly<Record<string, string>>;
}

/** Keys of all that a run has names for. */
function keysOf(names: {
  readonly series: readonly string[];
  readonly results: readonly string[];
  readonly params: readonly string[];
}): Keys {
  const taken = new Set(names.series);
  const results = new Map<string, string>();
  for (const name of names.results) {
    let free = name;
    while (taken.has(free)) free = `result/${free}`;
    taken.add(free);
    results.set(name, keyOf(free));
  }
  const cut = [...taken, ...names.params].filter(isCut).map((name): [string, string] => [keyOf(name), name]);
  return { results, cut: Object.fromEntries(cut) };
}

/** The document of a stored run that is finished. */
export function documentOf(reader: StoreReader, experiment: ExperimentRow, run: RunRow): RunDocument {
  const trial = reader.trials(experiment.name).find(({ id, variant }) => id === run.trialId && variant === run.variant);
  const stored = reader.run(run.id);
  const environment = reader.attempts(run.id).at(-1)?.environment ?? null;
  const trialConfig = stored?.config ?? null;
  const { results, cut } = keysOf({
    series: reader.seriesNames(run.id),
    results: Object.keys(run.metrics),
    params: [...leavesOf(trialConfig).keys()],
  });
  return {
    version: 1,
    experiment: describeExperiment(experiment),
    trial: {
      id: run.trialId,
      variant: run.variant,
      ordinal: trial?.ordinal ?? 0,
      parameters: { ...trial?.parameters },
      config: trialConfig,
    },
    run: {
      seed: run.seed,
      parameterCount: run.parameterCount,
      indexBytesPerItem: run.indexBytesPerItem,
      seconds: run.seconds ?? 0,
      bestStep: run.bestStep ?? 0,
      notes: run.notes,
      environment: withoutPatch(environment),
      results: Object.fromEntries([...results].map(([result, key]) => [key, result])),
      cut,
    },
  };
}

/** The patch of the working copy can have megabytes; its hash stays. */
function withoutPatch(environment: Json): Json {
  if (environment === null || typeof environment !== 'object' || !('source' in environment)) return environment;
  const { source } = environment;
  return source === null || typeof source !== 'object'
    ? environment
    : { ...environment, source: { ...source, diff: null } };
}

/** What identifies a run and its numbers, for people and their filters, and the document. */
export function tagsOf(document: RunDocument): readonly MlflowPair[] {
  const { experiment, trial, run } = document;
  const tags = {
    [IDENTITY]: `${trial.id}/${run.seed}`,
    'towerbench.experiment': experiment.name,
    'towerbench.variant': trial.variant,
    'towerbench.trial': trial.id,
    'towerbench.seed': String(run.seed),
    'towerbench.dataset': experiment.dataset,
    'towerbench.fingerprint': experiment.fingerprint,
    'towerbench.protocol': JSON.stringify(experiment.protocol),
    'towerbench.metric': experiment.metric.name,
    'towerbench.goal': experiment.metric.goal,
    ...(run.notes === '' ? {} : { 'mlflow.note.content': run.notes }),
  };
  // in ASCII, so that no character is cut in two
  const text = JSON.stringify(document).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const pieces = Array.from({ length: Math.ceil(text.length / LIMITS.tagLength) }, (_, index): MlflowPair => ({
    key: `${DOCUMENT}${index}`,
    value: text.slice(index * LIMITS.tagLength, (index + 1) * LIMITS.tagLength),
  }));
  const named = Object.entries(tags).map(([key, value]) => ({ key, value: shortened(value, LIMITS.tagLength) }));
  return [...named, ...pieces];
}

/** The first characters of a text, none cut in two. */
export function shortened(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : [...text.slice(0, maxLength)].slice(0, -1).join('');
}

/** The document of a run that was exported whole; null of any other run. */
export function documentIn({ data: { tags } }: MlflowRun): RunDocument | null {
  const values = new Map(tags.map(({ key, value }) => [key, value]));
  let text = '';
  for (let index = 0; values.has(`${DOCUMENT}${index}`); index++) text += values.get(`${DOCUMENT}${index}`);
  try {
    return document.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // no document, or one that somebody has edited
  }
}
