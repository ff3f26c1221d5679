export { definition } from './logistic.js';
