export { definition } from './hard.js';
