export { definition } from './sampled-softmax.js';
