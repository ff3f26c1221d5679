export { assembleCandidate, assembleQuery } from './assemble.js';
export { cached } from './cache.js';
export { datasets } from './catalog.js';
export { datasetOf, measuredSection } from './dataset-of.js';
export type { DataPlaces, DatasetDefinition, DatasetFacts, Download, ReadingProgress } from './definition.js';
export { fetchDataset, missingDownloads, type Transfer } from './fetch.js';
export { labelsBy } from './interactions.js';
export { prepareWithNewUser, type DataWithNewUser, type NewUser } from './new-user.js';
export { ownItemIds, ownUserIds, type OwnIds } from './own-ids.js';
export { loadDataset, locate, type Source } from './load.js';
export { readyDataset, type ReadReport } from './ready.js';
export { describeDataset, prepareData, preparingOnce } from './prepare.js';
export type { Texts } from './texts.js';
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
export { typeText } from './custom/describe/content.js';
export { describeFiles, type Description } from './custom/describe/describe.js';
export { rowsText, type Draft, type Plain } from './custom/describe/draft.js';
export type { TableGuess } from './custom/describe/guess.js';
