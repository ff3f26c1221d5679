export { definition } from './mf.js';
