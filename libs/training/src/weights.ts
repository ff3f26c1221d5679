import type { EmbeddingTable, Parameter } from '@towerbench/engine';
import type { RankingModel, TowerModel } from '@towerbench/models';
import type { Loss } from '@towerbench/objectives';
import { readSafetensors, type NamedTensor } from './safetensors.js';

/** What scores: a trained model, and the objective that has a temperature and a bias of its own. */
export interface Learner {
  readonly model: TowerModel | RankingModel;
  readonly loss: Loss;
}

/** All that is learned, in a fixed order. */
export function learnedBy({ model, loss }: Learner): (Parameter | EmbeddingTable)[] {
  return [...model.parameters, ...loss.parameters, ...model.tables];
}

/** Weights as a tensor of a checkpoint; its array is the live one. */
export function tensorOf(weights: Parameter | EmbeddingTable): NamedTensor {
  const shape = 'shape' in weights ? weights.shape : [weights.numRows, weights.dim];
  return { name: weights.name, shape, values: weights.values };
}

/**
 * Takes from a checkpoint of the same model what evaluation needs.
 *
 * @throws {RangeError} when a tensor is missing or has another shape
 */
export function loadWeights(path: string, learner: Learner): void {
  const needed = [...learnedBy(learner), ...(learner.model.statistics ?? [])];
  readSafetensors(path, ({ read }) => needed.map(tensorOf).forEach(read));
}
