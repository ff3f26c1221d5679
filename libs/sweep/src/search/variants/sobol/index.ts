export { definition } from './sobol.js';
