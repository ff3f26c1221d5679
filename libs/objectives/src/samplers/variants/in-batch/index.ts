export { definition } from './in-batch.js';
