export { losses } from './losses/catalog.js';
export type { CandidateLayout, Loss, LossBatch, LossDefinition, LossValue } from './losses/contract.js';
export { knownPositives, type IsKnown } from './samplers/known-positives.js';
export { samplers } from './samplers/catalog.js';
export type { DrawInputs, Sampler, SamplerDefinition } from './samplers/contract.js';
