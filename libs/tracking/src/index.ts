export { artifactFile, keepArtifact } from './artifacts.js';
export { StoreError } from './errors.js';
export { isLocked, takeLock, type Lock } from './lock.js';
export { openMemoryStore, openStoreReader, openStoreWriter } from './open.js';
export { importSpool, openSpool, type Spool } from './spool.js';
export type {
  ArtifactRef,
  AttemptRow,
  AttemptStatus,
  Claim,
  CurvePoint,
  ExperimentInput,
  ExperimentRow,
  Json,
  PlannedTrial,
  Point,
  RunResult,
  RunRow,
  RunStatus,
  StoreReader,
  StoreWriter,
  TrialRow,
} from './contract.js';
