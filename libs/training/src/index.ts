export type { ExecutedRun, Places, RunHooks, RunRequest, TrialContext } from './contract.js';
