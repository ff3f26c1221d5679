export { definition } from './median.js';
