export { definition } from './sgd.js';
