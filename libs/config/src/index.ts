export { createCatalog, type Catalog, type Definition, type Reference } from './catalog.js';
export { ConfigError, formatIssues } from './error.js';
export type {
  ConfigIssue,
  EngineChoice,
  Experiment,
  ExperimentVocabulary,
  Json,
  Position,
  PublishedCell,
  Section,
  TrialConfig,
  VariantTrial,
} from './contract.js';
