export { definition } from './sdm.js';
