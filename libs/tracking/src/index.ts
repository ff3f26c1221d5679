export { artifactFile, hashOfFile, keepArtifact } from './artifacts.js';
export { isPassing, isPassingOnDisk, StoreError } from './errors.js';
export { isLocked, takeLock, type Lock } from './lock.js';
export { isStore, openMemoryStore, openStoreReader, openStoreWriter } from './open.js';
export { importSpool, openSpool, readSpool, type Spool } from './spool.js';
export { timeLeft } from './time-left.js';
export {
  packFile,
  readListsFile,
  readUsersFile,
  type ItemLists,
  type ListsFile,
  type PackedFile,
  type RunLists,
  type TestUsers,
  type UsersFile,
} from './user-files.js';
export type {
  ArtifactRef,
  AttemptRow,
  AttemptStatus,
  Claim,
  CurvePoint,
  CurveSample,
  CurveWindow,
  ExperimentInput,
  ExperimentRow,
  Json,
  Lease,
  LeaseHolder,
  MeanPoint,
  PlannedTrial,
  Point,
  Progress,
  Resumption,
  RunningAttempt,
  RunResult,
  RunRow,
  RunStatus,
  StoreReader,
  StoreWriter,
  SuggestedTrial,
  Target,
  TrialRow,
} from './contract.js';
export type {
  Comparison,
  GroupMetric,
  RunCondition,
  RunGroup,
  RunGroupPage,
  RunGroupQuery,
  RunKey,
  RunScope,
  RunScopeRow,
  RunValue,
} from './run-groups.js';
