export { definition } from './adam.js';
