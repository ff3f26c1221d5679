export { findGarbage, removeGarbage, type Garbage } from './garbage.js';
export { planSweep, storedEngine, type SweepPlan } from './plan.js';
export { runSweep, type SweepEvent, type SweepOutcome, type SweepRequest, type SweepState } from './run-sweep.js';
