export { losses } from './losses/catalog.js';
export type {
  CandidateLayout,
  Loss,
  LossBatch,
  LossDefinition,
  LossValue,
  SamplingProbability,
} from './losses/contract.js';
export { knownPositives, type KnownPositives } from './samplers/known-positives.js';
export { samplers } from './samplers/catalog.js';
export type { DrawInputs, Drawn, FrequencyStream, Sampler, SamplerDefinition } from './samplers/contract.js';
