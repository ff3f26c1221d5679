export { definition } from './asha.js';
