import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { ConfigError, trialIdentity, type Experiment, type TrialConfig, type VariantTrial } from '@towerbench/config';
import { allowRelaxedSimd } from '@towerbench/engine';
import type { ExperimentInput, Json, PlannedTrial, StoreReader } from '@towerbench/tracking';
import { chooseEngine, describeTrial, type ChosenEngine, type Places, type TrialContext } from '@towerbench/training';

/** An experiment with everything that decides its results: identities, fingerprint, protocol, the engines that will compute. */
export interface SweepPlan {
  readonly input: ExperimentInput;
  /** By trial id. */
  readonly trials: ReadonlyMap<string, SweepTrial>;
  /** What `auto` means, where a trial says it. */
  readonly auto: ChosenEngine | null;
  /** A worker that gives no sign of life for so long is ended. */
  readonly stallMinutes: number;
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
export function storedEngine(reader: StoreReader, experiment: string): ChosenEngine | null {
  const row = reader.experiment(experiment);
  if (row === null) return null;
  const { auto = BEFORE_CHOICES } = row.config as { readonly auto?: ChosenEngine | null };
  return auto;
}

/**
 * Plans an experiment, whose file is recorded relative to `root`: reads the content of its data, decides what
 * `auto` means unless that is `stored`, and names every trial by its identity. Writes nothing.
 *
 * @throws {ConfigError} when data is missing, parts do not fit, an engine does not work here, or variants would be measured on different data
 */
export async function planSweep(
  experiment: Experiment,
  { places, root, stored }: { readonly places: Places; readonly root: string; readonly stored: ChosenEngine | null },
): Promise<SweepPlan> {
  allowRelaxedSimd(); // before the engines are measured
  const open = experiment.trials.filter(({ config }) => config.engine === 'auto');
  const auto = open.length === 0 ? null : await chooseEngine(open, { places, stored });
  const trials = new Map<string, SweepTrial>();
  const planned: PlannedTrial[] = [];
  let first: { readonly variant: string; readonly context: TrialContext } | undefined;
  for (const { trial, id, resolved } of identified(experiment.trials, { auto, places })) {
    const { variant, parameters } = trial;
    const { context } = resolved;
    first ??= { variant, context };
    requireOneProtocol(first, { variant, context });
    trials.set(id, resolved);
    planned.push({ id, variant, parameters, config: { ...resolved.config } as unknown as Json });
  }
  const { context } = first as NonNullable<typeof first>; // an experiment has at least one trial
  const remembered = auto ?? stored; // kept for the next plan, also by one that needs no choice
  return {
    trials,
    auto,
    stallMinutes: experiment.stallMinutes,
    input: {
      name: experiment.name,
      file: relative(root, experiment.file),
      config: {
        description: experiment.description,
        method: experiment.search.method,
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
      trials: planned,
    },
  };
}

interface Identified {
  readonly trial: VariantTrial;
  readonly id: string;
  readonly resolved: SweepTrial;
}

/** The trials with their identities, in order; that of a trial holds the identity of the one that teaches it. */
function identified(
  trials: readonly VariantTrial[],
  { auto, places }: { readonly auto: ChosenEngine | null; readonly places: Places },
): readonly Identified[] {
  const done = new Map<VariantTrial, Identified>();
  const identify = (trial: VariantTrial): Identified => {
    const { config, placed } = trial;
    const teacher = trial.teacher === null ? null : of(trial.teacher);
    const chosen = config.engine === 'auto' ? auto : null;
    const context = describeAt(placed, { ...config, engine: chosen?.engine ?? config.engine }, places);
    const id = trialIdentity(config, { ...context, ...(teacher === null ? {} : { teacher: teacher.id }) });
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
  return trials.map(of);
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
