export { definition } from './bce.js';
