export { models } from './catalog.js';
export type {
  AuxiliaryLoss,
  DotModel,
  FitProgress,
  Gates,
  InterestTower,
  LossTerm,
  Model,
  ModelDefinition,
  ModelInputs,
  MultiInterestModel,
  PairedExamples,
  RankingModel,
  ScoringModel,
  Tower,
  TowerModel,
} from './contract.js';
