export { definition } from './item-cf.js';
