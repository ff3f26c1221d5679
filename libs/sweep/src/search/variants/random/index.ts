export { definition } from './random.js';
