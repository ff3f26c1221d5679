export { definition } from './mixed.js';
