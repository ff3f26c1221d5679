export { definition } from './in-batch-softmax.js';
