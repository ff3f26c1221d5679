export { definition } from './ease.js';
