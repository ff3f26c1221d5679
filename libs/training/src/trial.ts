import { ConfigError, didYouMean, type ConfigIssue, type TrialConfig } from '@towerbench/config';
import { datasetOf, describeDataset, type DatasetDefinition } from '@towerbench/data';
import { EngineUnavailable, type optimizerDefinitions, resolveEngine } from '@towerbench/engine';
import { isMeanOfUsers, isOfLists, parseMetricName } from '@towerbench/metrics';
import { models, type ModelDefinition } from '@towerbench/models';
import { losses, samplers, type LossDefinition, type SamplerDefinition } from '@towerbench/objectives';
import type { Places, TrialContext } from './contract.js';
import { measuredMetrics } from './evaluation.js';
import { optimizers } from './optimizers.js';

/** Raised when the training loop, the evaluation or the way parts are put together changes a trial's numbers. */
const TRAINING_REVISION = 2;

/** The definitions a trial refers to. */
export function definitionsOf(config: TrialConfig): {
  readonly dataset: DatasetDefinition;
  readonly model: (typeof models.definitions)[number];
  readonly objective: (typeof losses.definitions)[number];
  readonly sampler: (typeof samplers.definitions)[number];
  readonly optimizer: (typeof optimizerDefinitions)[number];
} {
  const named = <D>(catalog: { get(name: never): D }, name: string): D => catalog.get(name as never);
  return {
    dataset: datasetOf(config.dataset),
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
  const issues = conflicts(config);
  if (issues.length > 0) throw new ConfigError(issues);
  const definitions = definitionsOf(config);
  const { fingerprint, protocol } = describeDataset(config.dataset, places);
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

/** Names of the metrics that a dataset of this section has. */
export function metricsOf(dataset: TrialConfig['dataset']): string[] {
  return measuredMetrics(datasetOf(dataset));
}

/** Whether a metric of a trial's dataset has a value for each user. */
export function isMeasuredByUser(config: TrialConfig, metric: string): boolean {
  return definitionsOf(config).dataset.task === 'ranking' && isMeanOfUsers(parseMetricName(metric));
}

/** Reasons why the parts of a trial cannot work together. */
export function conflicts(config: TrialConfig): ConfigIssue[] {
  const { dataset, objective, sampler } = definitionsOf(config);
  const isLabelled = dataset.task === 'labelled' || dataset.labelled === true;
  const issues: ConfigIssue[] = [];
  const samplersOf = (loss: typeof objective): (typeof samplers.definitions)[number][] =>
    isLabelled && !loss.labelled
      ? []
      : samplers.definitions.filter(({ layout, labelled }) => layout === loss.layout && labelled === isLabelled);
  const fitting = samplersOf(objective);
  const allowed = fitting.map(({ name }) => name).join(', ');
  const usual = (fitting as SamplerDefinition[]).find(
    ({ probability, params }) => probability?.(params.parse({})) !== null,
  );
  if (fitting.length === 0) {
    const fit = losses.definitions.filter((loss) => samplersOf(loss).length > 0);
    issues.push({
      code: 'objective-task',
      path: 'objective.type',
      message: `"${objective.name}" cannot learn from the rows of ${dataset.name}, which have labels`,
      received: objective.name,
      allowed: fit.map(({ name }) => name).join(', '),
      hint: 'take an allowed objective, or another dataset',
    });
  } else if (objective.layout !== sampler.layout) {
    issues.push({
      code: 'sampler-layout',
      path: 'sampler.type',
      message: `"${sampler.name}" does not go with the objective "${objective.name}"`,
      received: sampler.name,
      allowed,
      hint: `write sampler: {type: ${(usual ?? fitting[0])?.name}}`,
    });
  } else if (sampler.labelled !== isLabelled) {
    issues.push({
      code: 'sampler-task',
      path: 'sampler.type',
      message: isLabelled
        ? `${dataset.name} has labels on its rows; "${sampler.name}" would take every row for a positive`
        : `${dataset.name} has no labels on its rows, which "${sampler.name}" reads`,
      received: sampler.name,
      allowed,
      hint: `write sampler: {type: ${(usual ?? fitting[0])?.name}}`,
    });
  }
  return [
    ...issues,
    ...correctionConflict(config),
    ...teacherConflict(config),
    ...rankerConflict(config),
    ...lengthConflict(config),
    ...bestByConflict(config),
  ];
}

/** An objective that corrects for the sampler needs the probabilities by which it draws. */
function correctionConflict(config: TrialConfig): ConfigIssue[] {
  const { objective, sampler } = definitionsOf(config) as { objective: LossDefinition; sampler: SamplerDefinition };
  const probability = sampler.probability === undefined ? 'draw' : sampler.probability(config.sampler);
  const fits = (params: TrialConfig['objective']): boolean => {
    const wanted = objective.corrects?.(params) ?? [];
    return wanted.length === 0 || (probability !== null && wanted.includes(probability));
  };
  if (fits(config.objective) || objective.layout !== sampler.layout) return [];
  const received = config.objective['logQ'] as string;
  const allowed = ['none', 'standard', 'positive-excluded'].filter((logQ) => fits({ ...config.objective, logQ }));
  return [
    {
      code: 'objective-correction',
      path: 'objective.log_q',
      message:
        probability === null
          ? `"${sampler.name}" draws with probabilities that are not known, so there is nothing to correct by`
          : `"${sampler.name}" knows how often an item is in a batch here, and "${received}" needs how often a draw brings it`,
      received,
      allowed: allowed.join(', '),
      hint: `write log_q: ${allowed.at(-1)}, or take another sampler`,
    },
  ];
}

function lengthConflict(config: TrialConfig): ConfigIssue[] {
  const { needsUnitVectors, name } = definitionsOf(config).objective as LossDefinition;
  if (needsUnitVectors !== true || config.model['normalize'] !== false) return [];
  return [
    {
      code: 'objective-length',
      path: 'model.normalize',
      message: `"${name}" takes scores for cosines, which they are only of normalised vectors`,
      received: 'false',
      allowed: 'true',
      hint: 'write normalize: true, or take another objective',
    },
  ];
}

/** What an objective that imitates needs: a teacher or a truth, and candidates to imitate it on. */
function teacherConflict(config: TrialConfig): ConfigIssue[] {
  const { dataset, objective } = definitionsOf(config) as { dataset: DatasetDefinition; objective: LossDefinition };
  const issues: ConfigIssue[] = [];
  const imitates = objective.teacherNoise !== undefined;
  if (imitates && config.teacher === undefined && !dataset.hasTruth) {
    issues.push({
      code: 'teacher-truth',
      path: 'objective.type',
      message: `"${objective.name}" has nobody to imitate: no teacher is named, and the truth is not known of ${dataset.name}`,
      received: objective.name,
      hint: 'write teacher: with the name of another variant, or take another objective',
    });
  }
  if (!imitates && config.teacher !== undefined) {
    const fit = losses.definitions.filter((loss: LossDefinition) => loss.teacherNoise !== undefined);
    issues.push({
      code: 'teacher-unused',
      path: 'teacher',
      message: `the objective "${objective.name}" imitates nobody`,
      allowed: `objective ${fit.map(({ name }) => name).join(', ')}`,
      hint: 'take an allowed objective, or leave the teacher out',
    });
  }
  const needed = objective.leastDrawn?.(config.objective);
  if (needed === undefined) return issues;
  const drawn = (needed?.by ?? []).reduce((sum, key) => sum + Number(config.sampler[key] ?? 0), 0);
  if (needed !== null && drawn >= needed.least) return issues;
  const issue = { code: 'objective-candidates', path: 'objective.candidates', received: JSON.stringify(config.objective['candidates']) }; // prettier-ignore
  if (needed === null) {
    const message = 'a row has one labelled item, and this form compares several';
    issues.push({ ...issue, message, hint: 'write candidates: all' });
  } else {
    const [key] = needed.by;
    const what = key === 'numExposed' ? 'exposed items' : 'items';
    issues.push({
      ...issue,
      message: `there are ${drawn} ${what} drawn beside each row, and this form needs ${needed.least}`,
      hint: `write sampler: {${key === 'numExposed' ? 'num_exposed' : 'num_negatives'}: ${needed.least}}`,
    });
  }
  return issues;
}

function rankerConflict(config: TrialConfig): ConfigIssue[] {
  const { model, objective } = definitionsOf(config);
  if ((model as ModelDefinition).isRanker !== true || objective.layout === 'pairs') return [];
  const fit = losses.definitions.filter(({ layout }) => layout === 'pairs');
  return [
    {
      code: 'objective-model',
      path: 'objective.type',
      message: `"${objective.name}" learns from vectors, and "${model.name}" has none`,
      received: objective.name,
      allowed: fit.map(({ name }) => name).join(', '),
      hint: 'take an allowed objective, or a model with towers',
    },
  ];
}

function bestByConflict({ dataset, training }: TrialConfig): ConfigIssue[] {
  const { bestBy } = training;
  if (typeof bestBy !== 'string') return [];
  const measured = metricsOf(dataset).filter((name) => name.startsWith('valid/') && !isOfLists(parseMetricName(name)));
  if (measured.includes(bestBy)) return [];
  const isTest = bestBy.startsWith('test/');
  return [
    {
      code: isTest ? 'test-metric' : 'unmeasured-metric',
      path: 'training.best_by',
      message: isTest
        ? `"${bestBy}" is no validation metric; choosing a checkpoint by test data would leak it`
        : `"${bestBy}" is not measured while training on ${dataset.name}`,
      received: bestBy,
      allowed: measured.join(', '),
      hint: didYouMean(bestBy.replace(/^test/, 'valid'), measured) ?? 'take one of the allowed',
    },
  ];
}
