export { definition } from './grid.js';
