export { definition } from './mind.js';
