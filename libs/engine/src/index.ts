export { createRng, type Rng, type RngState } from './random.js';
export { createParameter, glorotUniform, type Parameter } from './parameters.js';
export { createEmbeddingTable, type EmbeddingTable, type TableVocabulary } from './embeddings/table.js';
export { gatherRows, Lookups, type TableRows } from './embeddings/lookups.js';
export { optimizerDefinitions } from './optimizers/catalog.js';
export type { Moments, OptimizerDefinition, UpdateRule } from './optimizers/contract.js';
export { clipGlobalNorm, Optimizer, type StepGradients } from './optimizers/optimizer.js';
export { forward, stepGradients, type Pass, type Scope, type StepResult } from './tape.js';
export { tf } from './tf.js';
