export { definition } from './full-softmax.js';
