export { expectClose, type Tolerance } from './close.js';
export { engineUnderTest } from './engine.js';
export { FLOAT32_GAP, FLOAT32_STEP, gradientGap, type GradientCheck } from './gradient.js';
