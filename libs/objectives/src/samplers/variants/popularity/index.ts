export { definition } from './popularity.js';
