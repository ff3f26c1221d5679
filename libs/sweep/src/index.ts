export { findGarbage, removeGarbage, type Garbage } from './garbage.js';
export { planSweep, storedPlan, type StoredPlan, type SweepPlan } from './plan.js';
export { runSweep, type SweepEvent, type SweepOutcome, type SweepRequest, type SweepState } from './run-sweep.js';
export { searchMethods } from './search/catalog.js';
export { vocabulary } from './vocabulary.js';
