export { definition } from './dat.js';
