import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import {
  ConfigError,
  isPointOf,
  trialIdentity,
  type Experiment,
  type SearchSettings,
  type TrialConfig,
  type VariantTrial,
} from '@towerbench/config';
import { measuredSection, readyDataset, type ReadingProgress, type ReadReport } from '@towerbench/data';
import { allowRelaxedSimd } from '@towerbench/engine';
import type { ExperimentInput, Json, StoreReader } from '@towerbench/tracking';
import {
  chooseEngine,
  describeTrial,
  isMeasuredByUser,
  type ChosenEngine,
  type Places,
  type TrialContext,
} from '@towerbench/training';
import type { Observation } from './search/contract.js';
import {
  earlierSweeps,
  firstPoint,
  prunerOf,
  searchMemory,
  SweepSearch,
  type EarlierSweep,
  type SearchMemory,
} from './search/sweep-search.js';

/** An experiment with everything that decides its results: identities, fingerprint, protocol, the engines that will compute. */
export interface SweepPlan {
  /** With the trials that are known by now. */
  readonly input: ExperimentInput;
  /** By trial id; what a search suggests comes to it. */
  readonly trials: ReadonlyMap<string, SweepTrial>;
  /** What was read out of files of one's own; null where the data is none. */
  readonly reading: ReadReport | null;
  /** What `auto` means, where a trial says it. */
  readonly auto: ChosenEngine | null;
  /** A worker that gives no sign of life for so long is ended. */
  readonly stallMinutes: number;
  readonly settings: SearchSettings;
  /** What decides which trials and runs come next; null where all of them are known from the file. */
  readonly search: SweepSearch | null;
  /** The most runs, if nothing stops the search. */
  readonly mostRuns: number;
}

/** A config with its engine resolved, and what else decides its results. */
export interface SweepTrial {
  readonly config: TrialConfig;
  readonly context: TrialContext;
  /** Id and variant of the trial that teaches it; null where none does. */
  readonly teacher: { readonly id: string; readonly variant: string } | null;
  /** Gives what is found wrong with it its place in the experiment file. */
  readonly placed: VariantTrial['placed'];
  /** Why this engine, where the file says `auto`. */
  readonly engineReason: string | null;
}

/** What `auto` was before it was chosen and stored. */
const BEFORE_CHOICES: ChosenEngine = { engine: 'simd', reason: 'what auto was when this experiment was planned first' };

/** What `auto` became when an experiment was planned; null when it was not planned yet, or never said it. */
function storedEngine(reader: StoreReader, experiment: string): ChosenEngine | null {
  const row = reader.experiment(experiment);
  if (row === null) return null;
  const { auto = BEFORE_CHOICES } = row.config as { readonly auto?: ChosenEngine | null };
  return auto;
}

/** What a store knows of an experiment before it is planned. */
export interface StoredPlan {
  readonly auto: ChosenEngine | null;
  readonly search: SearchMemory;
  readonly earlier: readonly (EarlierSweep | null)[];
}

/** What the store knows of an experiment; nothing where there is no store yet. */
export function storedPlan(reader: StoreReader | null, experiment: Experiment): StoredPlan {
  const { name, search } = experiment;
  return {
    auto: reader && storedEngine(reader, name),
    search: searchMemory(reader, experiment),
    earlier: earlierSweeps(reader, search.warmSweeps),
  };
}

/**
 * Plans an experiment, whose file is recorded relative to `root`: reads the content of its data, decides what
 * `auto` means unless that is `stored`, and names every trial by its identity. Writes nothing.
 *
 * @throws {ConfigError} when data is missing, parts do not fit, an engine does not work here, or variants would be measured on different data
 */
export async function planSweep(
  experiment: Experiment,
  options: {
    readonly places: Places;
    readonly root: string;
    readonly stored: StoredPlan;
    /** Told while files of one's own are read. */
    readonly onReading?: ReadingProgress;
  },
): Promise<SweepPlan> {
  const { places, root, stored, onReading } = options;
  allowRelaxedSimd(); // before the engines are measured
  const firsts = firstTrials(experiment);
  const reading = await readyFor(firsts, { places, onReading });
  const open = firsts.filter(({ config }) => config.engine === 'auto');
  const auto = open.length === 0 ? null : await chooseEngine(open, { places, stored: stored.auto });
  const trials = new Map<string, SweepTrial>();
  const identify = identifier({ auto, places });
  const [some] = firsts.map(identify);
  const first = some as Identified; // an experiment has at least one trial
  requireUsers(experiment, first.resolved.config);
  const search = new SweepSearch(experiment, {
    memory: stored.search,
    prior: priorResults(experiment, stored.earlier, first.resolved.context),
    identify: ({ trialAt }, point) => {
      const { trial, id, resolved } = identify(trialAt(point));
      const { variant, parameters } = trial;
      requireOneProtocol(described(first), { variant, context: resolved.context });
      trials.set(id, resolved);
      return { id, variant, parameters, config: { ...resolved.config } as unknown as Json };
    },
  });
  const mostRuns = search.advance(stored.search.runs).mostTrials * experiment.seeds.length;
  const { context } = first.resolved;
  const remembered = auto ?? stored.auto; // kept for the next plan, also by one that needs no choice
  return {
    trials,
    reading,
    auto,
    stallMinutes: experiment.stallMinutes,
    settings: experiment.search,
    search: search.isAdaptive ? search : null,
    mostRuns,
    input: {
      name: experiment.name,
      file: relative(root, experiment.file),
      config: {
        description: experiment.description,
        method: experiment.search.method,
        mostRuns,
        variants: experiment.variants,
        source: readFileSync(experiment.file, 'utf8'),
        auto: remembered === null ? null : { ...remembered },
      },
      dataset: context.protocol.dataset,
      fingerprint: context.fingerprint,
      protocol: { ...context.protocol },
      metric: experiment.metric,
      report: experiment.report,
      published: experiment.published.map((cell) => ({ ...cell, protocol: { ...cell.protocol } })),
      baseVariant: experiment.baseVariant,
      seeds: experiment.seeds,
      search: search.memory,
      trials: search.trials,
    },
  };
}

/** Makes the data of the trials ready; sections that are alike are looked at once, however many trials there are. */
async function readyFor(
  trials: readonly VariantTrial[],
  { places, onReading }: { readonly places: Places; readonly onReading: ReadingProgress | undefined },
): Promise<ReadReport | null> {
  const distinct = new Map(trials.map((trial) => [JSON.stringify(trial.config.dataset), trial]));
  const reports: (ReadReport | null)[] = [];
  for (const { config, placed } of distinct.values()) {
    reports.push(
      await readyDataset(config.dataset, places, onReading).catch((error: unknown) => {
        throw placed(error);
      }),
    );
  }
  return reports.find((report) => report?.isNew === true) ?? reports[0] ?? null;
}

/** All trials that are known from the file, and of a variant that is searched the first. */
function firstTrials(experiment: Experiment): readonly VariantTrial[] {
  const known = new Set(experiment.trials.map(({ variant }) => variant));
  const searched = experiment.searches.filter(({ variant }) => !known.has(variant));
  return [...experiment.trials, ...searched.map((search) => search.trialAt(firstPoint(search, experiment.search)))];
}

/**
 * Results of earlier sweeps, per variant.
 *
 * @throws {ConfigError} at the name of a sweep that is not there, or that was measured otherwise
 */
function priorResults(
  { search, searches, metric }: Experiment,
  earlier: readonly (EarlierSweep | null)[],
  { fingerprint }: TrialContext,
): Readonly<Record<string, readonly Observation[]>> {
  const sign = metric.goal === 'maximize' ? 1 : -1;
  const found = earlier.map((sweep, index) => {
    const name = search.warmSweeps[index] ?? '';
    const refuse = (message: string, hint: string): Error =>
      search.warmSweepError(index, { code: 'warm-start', message, received: `"${name}"`, hint });
    if (sweep === null) throw refuse(`there is no experiment "${name}" in this store`, 'run it first, or name another');
    if (sweep.fingerprint !== fingerprint) {
      throw refuse(`"${name}" was measured on other data`, 'name one on the same dataset and split');
    }
    if (sweep.metric.name !== metric.name || sweep.metric.goal !== metric.goal) {
      throw refuse(`"${name}" looked at ${sweep.metric.name}, not at ${metric.name}`, 'name one with the same metric');
    }
    return sweep;
  });
  return Object.fromEntries(
    searches.map(({ variant, space }) => {
      const inside = found.flatMap(({ results }) =>
        results.filter(
          ({ variant: of, point, values }) => of === variant && values.length > 0 && isPointOf(space, point),
        ),
      );
      const worthOf = (values: readonly number[]): number =>
        (sign * values.reduce((sum, v) => sum + v, 0)) / values.length;
      return [variant, inside.map(({ point, values }): Observation => ({ point, worth: worthOf(values) }))];
    }),
  );
}

/** A pruner that looks at users needs an objective that has them. */
function requireUsers({ search, metric }: Experiment, config: TrialConfig): void {
  if (prunerOf(search.earlyTerminate)?.needsUsers !== true || isMeasuredByUser(config, metric.name)) return;
  throw search.earlyTerminateError({
    code: 'no-users',
    message: `${metric.name} has no values per user on ${config.dataset.name}, so nothing can be paired over users`,
    received: 'over: users',
    allowed: 'over: seeds',
    hint: 'write over: seeds, or take a metric of the ranking, such as valid/ndcg@10',
  });
}

interface Identified {
  readonly trial: VariantTrial;
  readonly id: string;
  readonly resolved: SweepTrial;
}

function described({ trial: { variant }, resolved: { context } }: Identified): Described {
  return { variant, context };
}

/** Gives trials their identities; that of a trial holds the identity of the one that teaches it. */
function identifier({
  auto,
  places,
}: {
  readonly auto: ChosenEngine | null;
  readonly places: Places;
}): (trial: VariantTrial) => Identified {
  const done = new Map<VariantTrial, Identified>();
  const identify = (trial: VariantTrial): Identified => {
    const { config, placed } = trial;
    const teacher = trial.teacher === null ? null : of(trial.teacher);
    const chosen = config.engine === 'auto' ? auto : null;
    const context = describeAt(placed, { ...config, engine: chosen?.engine ?? config.engine }, places);
    const id = trialIdentity(
      { ...config, dataset: measuredSection(config.dataset) },
      { ...context, ...(teacher === null ? {} : { teacher: teacher.id }) },
    );
    const resolved = {
      ...config,
      engine: context.engine,
      ...(teacher === null ? {} : { teacher: teacher.resolved.config }),
    } as TrialConfig;
    return {
      trial,
      id,
      resolved: {
        config: resolved,
        context,
        teacher: teacher && { id: teacher.id, variant: teacher.trial.variant },
        placed,
        engineReason: chosen?.reason ?? null,
      },
    };
  };
  const of = (trial: VariantTrial): Identified => {
    const found = done.get(trial) ?? identify(trial);
    done.set(trial, found);
    return found;
  };
  return of;
}

function describeAt(placed: VariantTrial['placed'], config: TrialConfig, places: Places): TrialContext {
  try {
    return describeTrial(config, places);
  } catch (error) {
    throw placed(error);
  }
}

type Described = { readonly variant: string; readonly context: TrialContext };

function requireOneProtocol(first: Described, other: Described): void {
  if (first.context.fingerprint === other.context.fingerprint) return;
  throw new ConfigError([
    {
      code: 'several-protocols',
      path: `variants.${other.variant}`,
      message: `"${other.variant}" would be measured on other data than "${first.variant}", so their numbers cannot share a table`,
      hint: 'put it into an experiment of its own; features and min_frequency may differ, what is measured may not',
    },
  ]);
}
