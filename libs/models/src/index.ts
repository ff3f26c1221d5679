export { models } from './catalog.js';
export type { Model, ModelDefinition, ModelInputs, ScoringModel, Tower, TowerModel } from './contract.js';
