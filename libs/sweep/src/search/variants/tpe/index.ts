export { definition } from './tpe.js';
