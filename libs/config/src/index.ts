export { createCatalog, type Catalog, type Definition, type Reference } from './catalog.js';
export { ConfigError, formatIssues } from './error.js';
export { loadExperiment, type LoadOptions } from './experiment.js';
export { trialIdentity, type IdentityContext } from './identity.js';
export { experimentJsonSchema } from './schema.js';
export { gridPoints, hasValue, isActive, isPointOf, isSame } from './space.js';
export { didYouMean, nearestWords, suggest } from './suggest.js';
export { toSnakeCase } from './shape.js';
export { typedFolder } from './typed-folder.js';
export { withYamlKeys } from './yaml-keys.js';
export type {
  ConfigIssue,
  Domain,
  EngineChoice,
  Experiment,
  ExperimentVocabulary,
  Json,
  MethodDefinition,
  Point,
  Position,
  PublishedCell,
  SearchParameter,
  SearchSettings,
  Section,
  TrialConfig,
  VariantSearch,
  VariantTrial,
} from './contract.js';
