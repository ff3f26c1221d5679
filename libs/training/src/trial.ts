import { ConfigError, type ConfigIssue, type TrialConfig } from '@towerbench/config';
import { datasets, describeDataset } from '@towerbench/data';
import { EngineUnavailable, type optimizerDefinitions, resolveEngine } from '@towerbench/engine';
import { models } from '@towerbench/models';
import { losses, samplers } from '@towerbench/objectives';
import type { Places, TrialContext } from './contract.js';
import { optimizers } from './vocabulary.js';

/** Raised when the training loop, the evaluation or the way parts are put together changes a trial's numbers. */
const TRAINING_REVISION = 2;

/** The definitions a trial refers to. */
export function definitionsOf(config: TrialConfig): {
  readonly dataset: (typeof datasets.definitions)[number];
  readonly model: (typeof models.definitions)[number];
  readonly objective: (typeof losses.definitions)[number];
  readonly sampler: (typeof samplers.definitions)[number];
  readonly optimizer: (typeof optimizerDefinitions)[number];
} {
  const named = <D>(catalog: { get(name: never): D }, name: string): D => catalog.get(name as never);
  return {
    dataset: named(datasets, config.dataset.name),
    model: named(models, config.model.type),
    objective: named(losses, config.objective.type),
    sampler: named(samplers, config.sampler.type),
    optimizer: named(optimizers, config.optimizer.type),
  };
}

/**
 * What the identity of a trial needs besides its config; reads the dataset's fingerprint, trains nothing.
 *
 * @throws {ConfigError} when the parts do not fit together, the data is not there, or the engine does not work here
 */
export function describeTrial(config: TrialConfig, places: Places): TrialContext {
  const definitions = definitionsOf(config);
  const { fingerprint, protocol, task } = describeDataset(config.dataset, places);
  const issues = fitIssues(config, task);
  if (issues.length > 0) throw new ConfigError(issues);
  const { name: engine, build } = engineOf(config);
  return {
    fingerprint,
    protocol,
    engine,
    build,
    revisions: {
      training: TRAINING_REVISION,
      ...Object.fromEntries(
        Object.entries(definitions).map(([kind, { name, revision }]) => [`${kind}/${name}`, revision]),
      ),
    },
  };
}

function engineOf({ engine }: TrialConfig): ReturnType<typeof resolveEngine> {
  try {
    return resolveEngine(engine);
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    const { reason, remedy } = error;
    const message = `"${engine}" does not work here: ${reason}`;
    throw new ConfigError([{ code: 'engine-unavailable', path: 'engine', message, received: engine, hint: remedy }]);
  }
}

/** Reasons why the parts of a trial cannot work together. */
function fitIssues(config: TrialConfig, task: 'ranking' | 'labelled'): ConfigIssue[] {
  const { objective, sampler } = definitionsOf(config);
  const issues: ConfigIssue[] = [];
  const samplersFor = (wanted: (definition: (typeof samplers.definitions)[number]) => boolean): string =>
    samplers.definitions
      .filter(wanted)
      .map(({ name }) => name)
      .join(', ');
  if (objective.layout !== sampler.layout) {
    issues.push({
      code: 'sampler-layout',
      path: 'sampler.type',
      message: `"${sampler.name}" does not go with the objective "${objective.name}"`,
      received: sampler.name,
      allowed: samplersFor(({ layout }) => layout === objective.layout),
    });
  }
  if (sampler.labelled !== (task === 'labelled')) {
    issues.push({
      code: 'sampler-task',
      path: 'sampler.type',
      message:
        task === 'labelled'
          ? `${config.dataset.name} has labels on its rows; "${sampler.name}" would take every row for a positive`
          : `${config.dataset.name} has no labels on its rows, which "${sampler.name}" reads`,
      received: sampler.name,
      allowed: samplersFor(({ labelled }) => labelled === (task === 'labelled')),
    });
  }
  const bestBy = config.training['bestBy'];
  if (typeof bestBy === 'string' && !bestBy.startsWith('valid/')) {
    issues.push({
      code: 'test-metric',
      path: 'training.best_by',
      message: `"${bestBy}" is no validation metric; choosing a checkpoint by test data would leak it`,
      received: bestBy,
      allowed: 'a metric that starts with valid/',
    });
  }
  return issues;
}
