export { definition } from './user-cf.js';
