export { definition } from './adagrad.js';
