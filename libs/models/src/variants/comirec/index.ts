export { definition } from './comirec.js';
