export type {
  Column, Dataset, DenseFeature, EvaluationSet, Examples, FixedSplit, IdArray, IdFeature, Interactions, LabelledSet, PreparedData, Protocol, Ragged, RankingSet, SequenceFeature, SideBatch, SideFeatures, Table, Truth, Vocabulary,
} from "./contract.js";
