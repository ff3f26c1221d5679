export { createRng, type Rng, type RngState } from './random.js';
