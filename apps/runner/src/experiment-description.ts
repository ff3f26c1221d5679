/** Experiments and trials outside of a store: as they travel in files and other programs, and how they come back. */
import { isDeepStrictEqual } from 'node:util';
import type { ExperimentRow, Json, PlannedTrial, StoreReader, StoreWriter } from '@towerbench/tracking';
import { z } from 'zod';
import { inputError } from './context.js';

export const json: z.ZodType<Json> = z.json();

export const experimentDescription = z.object({
  name: z.string(),
  file: z.string(),
  config: json,
  dataset: z.string(),
  fingerprint: z.string(),
  protocol: json,
  metric: z.object({ name: z.string(), goal: z.enum(['maximize', 'minimize']) }),
  report: z.array(z.string()),
  published: json,
  baseVariant: z.string(),
  oracle: z.record(z.string(), z.number()).nullable(),
});

/** What an experiment is, without its trials and seeds. */
export type ExperimentDescription = z.output<typeof experimentDescription>;

export function describeExperiment(experiment: ExperimentRow): ExperimentDescription {
  const { name, file, config, dataset, fingerprint, protocol, metric, report, published, baseVariant, oracle } = experiment; // prettier-ignore
  return {
    ...{ name, file, config, dataset, fingerprint, protocol, metric, published, baseVariant },
    report: [...report],
    oracle: oracle && { ...oracle },
  };
}

/**
 * Adds an experiment to the store, or what it does not have of its trials and seeds.
 *
 * @param path the argument that names where they come from, for the message
 * @throws {ConfigError} when the store has an experiment of the name that was measured on something else
 */
export function addTrials(
  { writer, reader }: { readonly writer: StoreWriter; readonly reader: StoreReader },
  { description, trials, seeds, path }: { readonly description: ExperimentDescription; readonly trials: readonly PlannedTrial[]; readonly seeds: readonly number[]; readonly path: string },
): void {
  const { oracle, ...experiment } = description;
  const before = reader.experiment(experiment.name);
  const measured = ({ dataset, fingerprint, protocol }: Pick<ExperimentDescription, 'dataset' | 'fingerprint' | 'protocol'>): Json => [dataset, fingerprint, protocol];
  if (before !== null && !isDeepStrictEqual(measured(before), measured(experiment))) {
    throw inputError(path, `the store has an experiment "${experiment.name}" that was measured on other data or under another protocol`, {
      hint: 'import into another store: --store PATH',
    });
  }
  const present = before === null ? [] : reader.trials(experiment.name);
  const known = new Set(present.map(({ id, variant }) => `${id}/${variant}`));
  const added: PlannedTrial[] = [];
  for (const trial of trials) {
    if (known.has(`${trial.id}/${trial.variant}`)) continue;
    known.add(`${trial.id}/${trial.variant}`);
    added.push(trial);
  }
  const all = [...new Set([...(before?.seeds ?? []), ...seeds])];
  if (before !== null && added.length === 0 && all.length === before.seeds.length) return;
  writer.plan({ ...experiment, ...before, seeds: all, trials: [...present, ...added] });
  if (before === null && oracle !== null) writer.oracle(experiment.name, oracle);
} // prettier-ignore
