export { definition } from './uniform.js';
