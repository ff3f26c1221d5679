export {
  cutoffs,
  isDescriptive,
  isLargerBetter,
  isMeanOfUsers,
  isOfCategories,
  isOfLists,
  isOfRanking,
  isOfWorth,
  isPerUser,
  metricNames,
  parseMetricName,
  type MetricName,
} from './names.js';
export { listOf, rankAgainst, ranksOf, type ItemLists, type Ranks } from './ranking/ranks.js';
export { categoryMetrics, meanOverUsers, positiveRecall, userMetrics, worthMetrics } from './ranking/user-metrics.js';
export { ListStatistics, topK } from './ranking/top-k.js';
export { divideByHistory, divideByPopularity, type Division, type Slice } from './slices/slices.js';
export { auc, groupedAuc, logLoss } from './labelled/labelled.js';
export {
  isLogScaled,
  parameterImportance,
  type Importance,
  type ParameterColumn,
  type ParameterImportance,
} from './importance/importance.js';
export { bootstrapMeans, type BootstrapOptions } from './statistics/bootstrap.js';
export { pairedTPower, seedsToDetect } from './statistics/power.js';
export { mean, sampleStd, tInterval, tIntervalOf } from './statistics/summary.js';
export {
  holm,
  pairedT,
  wilcoxonSignedRank,
  type PairedDifference,
  type SignedRank,
} from './statistics/significance.js';
