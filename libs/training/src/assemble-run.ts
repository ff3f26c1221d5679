import type { TrialConfig } from '@towerbench/config';
import { labelsBy, type EvaluationSet, type PreparedData } from '@towerbench/data';
import { createRng, type Rng } from '@towerbench/engine';
import type { RankingModel, ScoringModel, TowerModel } from '@towerbench/models';
import type { LossDefinition } from '@towerbench/objectives';
import type { EvaluatedScorer } from './evaluation.js';
import { meanGates } from './gates.js';
import { readSafetensors } from './safetensors.js';
import { rankerScorer, staticScorer, towerScorer } from './scoring.js';
import { trainingSettings, type TrainingSettings } from './settings.js';
import type { Teaching } from './teacher.js';
import { batchSizeOf, Trainer } from './trainer.js';
import { definitionsOf } from './trial.js';
import { loadWeights, type Learner } from './weights.js';

export interface TrainedRun {
  readonly kind: (TowerModel | RankingModel)['kind'];
  readonly config: TrialConfig;
  readonly seed: number;
  readonly learner: Learner;
  readonly trainer: Trainer;
  readonly settings: TrainingSettings;
  readonly parameterCount: number;
  readonly indexBytesPerItem: number | null;
  /** Scores with the weights as they are now. */
  scorer(): EvaluatedScorer;
  /** What the towers make of their fields for the queries of `set`; see `meanGates`. */
  gates(set: EvaluationSet): Record<string, number>;
}

export interface ScorerRun {
  readonly kind: 'scorer';
  readonly config: TrialConfig;
  readonly seed: number;
  readonly model: ScoringModel;
  /** Of the model, once it is fitted. */
  readonly parameterCount: number;
  readonly indexBytesPerItem: number | null;
  scorer(): EvaluatedScorer;
}

/**
 * Builds everything a run needs from its config. All randomness comes from forks of the seed.
 *
 * @param teaching who is imitated; only a run that is to be trained needs one, and only where its objective imitates
 */
export function assembleRun(
  config: TrialConfig,
  data: PreparedData,
  seed: number,
  teaching: Teaching | null = null,
): TrainedRun | ScorerRun {
  const definitions = definitionsOf(config);
  const rng = createRng(seed);
  const parts = assembleLearner(config, data, rng);
  if ('scoreUsers' in parts) {
    return {
      kind: 'scorer',
      config,
      seed,
      model: parts,
      get parameterCount() {
        return parts.parameterCount;
      },
      indexBytesPerItem: bytesPerItem(parts.vectors?.(new Int32Array(0))),
      scorer: () => ({ ...staticScorer(parts), logits: null }),
    };
  }
  const { model } = parts;
  const settings = trainingSettings.parse(config.training);
  const optimizer = config.optimizer as unknown as { learningRate: number; embedding: 'lazy' | 'dense' };
  const condition = (definitions.objective as LossDefinition).label?.(config.objective) ?? null;
  const trainer = new Trainer({
    ...parts,
    data,
    sampler: definitions.sampler.build({
      params: withoutKey(config.sampler, 'type') as never,
      data,
      batchSize: batchSizeOf(settings, data),
    }),
    labels: condition === null ? data.train.label : labelsBy(condition, data.train),
    teaching,
    rule: definitions.optimizer.rule(withoutKey(config.optimizer, 'type') as never),
    learningRate: optimizer.learningRate,
    embedding: optimizer.embedding,
    settings,
    rng,
  });
  return {
    kind: model.kind,
    config,
    seed,
    learner: parts,
    trainer,
    settings,
    parameterCount: trainer.parameterCount,
    indexBytesPerItem: bytesPerItem(model.kind === 'ranker' ? undefined : model.candidate),
    scorer: () => scorerOf(parts, data),
    gates: (set) => (model.kind === 'ranker' ? {} : meanGates(model, weightsOf(parts), data, set)),
  };
}

/** The model of a trial with its objective; a baseline, which has none, by itself. */
export function assembleLearner(config: TrialConfig, data: PreparedData, rng: Rng): Learner | ScoringModel {
  const definitions = definitionsOf(config);
  const { query, candidate, vocabularies } = data;
  const model = definitions.model.build({
    params: withoutKey(config.model, 'type') as never,
    query,
    candidate,
    vocabularies,
    data,
    rng: rng.fork('model'),
  });
  if (model.kind === 'scorer') return model;
  const params = withoutKey(config.objective, 'type') as never;
  return { model, loss: definitions.objective.build({ params, rng: rng.fork('objective') }) };
}

/** Scores with the weights as they are now. */
function scorerOf(learner: Learner, data: PreparedData): EvaluatedScorer {
  const { model, loss } = learner;
  const weights = weightsOf(learner);
  return {
    ...(model.kind === 'ranker' ? rankerScorer(model, weights, data) : towerScorer(model, weights, data)),
    logits: loss.logits,
  };
}

/** What a checkpoint scores by, without anything that training needs. */
export function storedScorer(config: TrialConfig, data: PreparedData, checkpoint: string): EvaluatedScorer {
  const parts = assembleLearner(config, data, createRng(seedOf(checkpoint)));
  if ('scoreUsers' in parts) {
    restore(parts, checkpoint);
    return { ...staticScorer(parts), logits: null };
  }
  loadWeights(checkpoint, parts);
  return scorerOf(parts, data);
}

/** The seed that a checkpoint was trained with, on which more than the initial weights may depend. */
function seedOf(checkpoint: string): number {
  return readSafetensors(checkpoint, ({ metadata }) => Number(metadata['seed']));
}

/** Makes a baseline what it was when its checkpoint was written. */
function restore({ parameters, fit: fitAgain }: ScoringModel, checkpoint: string): void {
  if (parameters !== undefined) readSafetensors(checkpoint, ({ read }) => parameters.forEach(read));
  else for (const _piece of fitAgain?.() ?? []);
}

/** What an item takes in an index of vectors of that width; null without vectors. */
function bytesPerItem(vectors: { readonly dim: number } | undefined): number | null {
  return vectors === undefined ? null : Float32Array.BYTES_PER_ELEMENT * vectors.dim;
}

function weightsOf({ model, loss }: Learner) {
  return [...model.parameters, ...loss.parameters];
}

function withoutKey(section: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(section).filter(([name]) => name !== key));
}
