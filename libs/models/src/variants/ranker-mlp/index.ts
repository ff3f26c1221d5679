export { definition } from './ranker-mlp.js';
