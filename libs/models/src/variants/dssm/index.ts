export { definition } from './dssm.js';
