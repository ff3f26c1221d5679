export { definition } from './parallel-towers.js';
