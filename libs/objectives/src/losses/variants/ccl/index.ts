export { definition } from './ccl.js';
