export { definition } from './bpr.js';
