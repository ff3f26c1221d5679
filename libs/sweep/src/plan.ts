import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { ConfigError, trialIdentity, type Experiment, type TrialConfig, type VariantTrial } from '@towerbench/config';
import type { ExperimentInput, PlannedTrial } from '@towerbench/tracking';
import { describeTrial, type Places, type TrialContext } from '@towerbench/training';

/** An experiment with everything that decides its results: identities, fingerprint, protocol, the engines that will compute. */
export interface SweepPlan {
  readonly input: ExperimentInput;
  /** By trial id. */
  readonly trials: ReadonlyMap<string, SweepTrial>;
}

/** A config with its engine resolved, and what else decides its results. */
export interface SweepTrial {
  readonly config: TrialConfig;
  readonly context: TrialContext;
  /** Gives what is found wrong with it its place in the experiment file. */
  readonly placed: VariantTrial['placed'];
}

/**
 * Plans an experiment, whose file is recorded relative to `root`: reads the content of its data, resolves the engine, and names every trial by its identity. Writes nothing.
 *
 * @throws {ConfigError} when data is missing, parts do not fit, or variants would be measured on different data
 */
export function planSweep(
  experiment: Experiment,
  { places, root }: { readonly places: Places; readonly root: string },
): SweepPlan {
  const trials = new Map<string, SweepTrial>();
  const planned: PlannedTrial[] = [];
  let first: { readonly variant: string; readonly context: TrialContext } | undefined;
  for (const { variant, parameters, config, placed } of experiment.trials) {
    const context = describeAt(placed, config, places);
    first ??= { variant, context };
    requireOneProtocol(first, { variant, context });
    const id = trialIdentity(config, context);
    const resolved = { ...config, engine: context.engine } as TrialConfig;
    trials.set(id, { config: resolved, context, placed });
    planned.push({ id, variant, parameters, config: { ...resolved } });
  }
  const { context } = first as NonNullable<typeof first>; // an experiment has at least one trial
  return {
    trials,
    input: {
      name: experiment.name,
      file: relative(root, experiment.file),
      config: {
        description: experiment.description,
        method: experiment.method,
        variants: experiment.variants,
        source: readFileSync(experiment.file, 'utf8'),
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

function describeAt(placed: VariantTrial['placed'], config: TrialConfig, places: Places): TrialContext {
  try {
    return describeTrial(config, places);
  } catch (error) {
    throw error instanceof ConfigError ? placed(error) : error;
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
