export { definition } from './ials.js';
