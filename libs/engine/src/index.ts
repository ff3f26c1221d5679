export { createRng, type Rng, type RngState } from './random.js';
export { createParameter, glorotUniform, type Parameter } from './parameters.js';
export { createEmbeddingTable, type EmbeddingTable, type TableVocabulary } from './embeddings/table.js';
export { Lookups, type TableRows } from './embeddings/lookups.js';
export { optimizerDefinitions } from './optimizers/catalog.js';
export type { Moments, OptimizerDefinition, UpdateRule } from './optimizers/contract.js';
export { Optimizer, type StepGradients } from './optimizers/optimizer.js';
export { offTape, stopGradient } from './stop-gradient.js';
export { forward, scoped, stepGradients, type Pass, type Scope, type StepResult } from './tape.js';
export { tf } from './tf.js';
export { engineNames, resolveEngine, startEngine, type Engine, type EngineName } from './backends/engine.js';
export { EngineUnavailable } from './backends/tensorflow.js';
export { inspectEngines, inspectMemory, type EngineMemory, type EngineReport } from './backends/inspect.js';
export { allowRelaxedSimd } from './kernels/module.js';
export { causalAttention } from './kernels/causal-attention.js';
export { denseActivations, denseLayers, type DenseLayer } from './kernels/dense-layers.js';
export {
  logisticSteps,
  pairwiseSteps,
  type FactorTables,
  type LabelledPairs,
  type PreferredPairs,
  type StepSize,
} from './kernels/factor-steps.js';
export { fieldProducts, type FieldPairs } from './kernels/field-products.js';
export { firstChoiceSoftmaxCrossEntropy, type FirstChoiceSoftmaxInputs } from './kernels/first-choice-softmax.js';
export {
  inBatchSoftmaxCrossEntropy,
  type HiddenCandidates,
  type InBatchSoftmaxInputs,
} from './kernels/in-batch-softmax.js';
export { encodeFields } from './kernels/encode-fields.js';
export { gramMatrix, leastSquaresRows, type LeastSquares } from './kernels/least-squares.js';
export { l2Normalize } from './kernels/l2-normalize.js';
export { layerNorm } from './kernels/layer-norm.js';
export { logSoftmax } from './kernels/log-softmax.js';
export { pairLabels } from './kernels/pair-labels.js';
export { pairScores, type Pairs } from './kernels/pair-scores.js';
export { poolRows, type PooledField } from './kernels/pool-rows.js';
export { productsByPosition } from './kernels/products-by-position.js';
export { routeToCapsules, squash } from './kernels/routing.js';
export { sigmoidCrossEntropy } from './kernels/sigmoid-cross-entropy.js';
export {
  listedScores,
  standings,
  standingsOfScores,
  type RankInputs,
  type ScoreRows,
  type Standings,
} from './kernels/ranks.js';
export { topK, type TopK, type TopKInputs } from './kernels/top-k.js';
export type { CandidateLists, CatalogueVectors } from './kernels/catalogue-scan.js';
