export { definition } from './log-uniform.js';
