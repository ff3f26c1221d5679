export { assembleCandidate, assembleQuery } from './assemble.js';
export { cached } from './cache.js';
export { datasets } from './catalog.js';
export type { DataPlaces, DatasetDefinition, DatasetFacts } from './definition.js';
export { fetchDataset } from './fetch.js';
export { labelsBy } from './interactions.js';
export { loadDataset, locate, type Source } from './load.js';
export { describeDataset, prepareData, preparingOnce } from './prepare.js';
export type {
  Column,
  Dataset,
  DenseFeature,
  EvaluationSet,
  Examples,
  FixedSplit,
  IdArray,
  IdFeature,
  Interactions,
  LabelledSet,
  PreparedData,
  Protocol,
  Ragged,
  RankingSet,
  SequenceFeature,
  SideBatch,
  SideFeatures,
  Table,
  Truth,
  Vocabulary,
} from './contract.js';
