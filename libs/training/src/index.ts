export type { ExecutedRun, Places, RunHooks, RunRequest, TrialContext } from './contract.js';
export { evaluateCheckpoint, executeRun, hasOracle, oracleMetrics, rehearseTrial } from './run.js';
export { parseEvaluationProtocol, type EvaluationProtocol } from './evaluation-protocol.js';
export { describeTrial } from './trial.js';
export { vocabulary } from './vocabulary.js';
