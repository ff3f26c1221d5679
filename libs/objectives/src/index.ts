export { losses } from './losses/catalog.js';
export type { CandidateLayout, Loss, LossBatch, LossDefinition } from './losses/contract.js';
export { samplers } from './samplers/catalog.js';
export type { Sampler, SamplerDefinition } from './samplers/contract.js';
