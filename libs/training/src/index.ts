export { assembleRun } from './assemble-run.js';
export { chooseEngine, type ChosenEngine } from './choose-engine.js';
export type {
  ExecutedRun,
  Places,
  RunFiles,
  RunHooks,
  RunProgress,
  RunRequest,
  TeacherRun,
  TrialContext,
} from './contract.js';
export { evaluateCheckpoint, executeRun, hasOracle, oracleMetrics, rehearseTrial, type TestedUsers } from './run.js';
export { openRecommender, type Recommendation, type RecommendedItem, type Recommender, type Why } from './recommend.js';
export { resumePoint } from './loop-state.js';
export { parseEvaluationProtocol, type EvaluationProtocol } from './evaluation-protocol.js';
export { replaceFile } from './replace-file.js';
export type { StoredRun } from './stored-run.js';
export type { Trainer } from './trainer.js';
export { describeTrial, isMeasuredByUser } from './trial.js';
export { vocabulary } from './vocabulary.js';
